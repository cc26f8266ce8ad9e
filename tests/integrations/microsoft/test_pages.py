"""Settings, Calendar & PMS, Microsoft Bookings: through Microsoft's pages as a browser goes."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from django.test import Client

from integrations import connections
from integrations.microsoft_bookings import oauth
from integrations.models import Connection, ConnectionState, Kind, SeenAppointment
from practices.journal import Actor
from practices.models import JournalEntry, Practice, User
from recall.models import Diary
from sightsync.lib import clock
from tests.integrations.microsoft.conftest import (
    BUSINESS,
    OKAFOR,
    OTHER_TENANT,
    SERVICE,
    SHAH,
    TENANT,
)
from tests.sandbox import Sandbox

HOME = "/settings/calendar-pms/microsoft"
CALLBACK = f"{HOME}/callback"
HEARING = "AcuityHearing@acuity.example"


@pytest.fixture
def box(sandbox: Sandbox) -> Sandbox:
    """Nobody has consented yet."""
    oauth.forget(TENANT)
    oauth.forget(OTHER_TENANT)
    return sandbox


@pytest.fixture
def diaries(practice: Practice) -> list[Diary]:
    return [
        Diary.objects.create(practice=practice, name=name) for name in ("Mrs Shah", "Mr Okafor")
    ]


@pytest.fixture
def alices(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


class Browser:
    """The product through Django's client, Microsoft through HTTP, one person at both."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.outside = httpx.Client(trust_env=False, timeout=60)

    def ask_for_consent(self) -> str:
        """The address of the administrator's page."""
        answer = self.client.post(f"{HOME}/connect")
        assert answer.status_code == 302
        return str(answer["Location"])

    def decide(self, address: str, answer: str = "all", tenant: str = TENANT) -> str:
        """Press a button there; where that leads."""
        page = self.outside.get(address)
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        form = {**hidden, "tenant": tenant, "answer": answer}
        return self.outside.post(address, data=form).headers["Location"]

    def sign_in(self, callback: str) -> str:
        """Follow the consent home and out to the sign-in; where that leads."""
        away = self.client.get(_local(callback))
        assert away.status_code == 302, away.content
        return self.outside.get(away["Location"]).headers.get("Location", "")

    def prove(self, answer: str = "all") -> Any:
        """Everything up to the choice."""
        callback = self.decide(self.ask_for_consent(), answer)
        return self.client.get(_local(self.sign_in(callback)))


def _local(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


@pytest.fixture
def browser(alices: Client, box: Sandbox) -> Browser:
    return Browser(alices)


def _form(diaries: list[Diary], **changes: str) -> dict[str, str]:
    fields = {f"diary-{diaries[0].public_id}": SHAH, f"diary-{diaries[1].public_id}": OKAFOR}
    return {"service": SERVICE, **fields, **changes}


def _connect(browser: Browser, diaries: list[Diary]) -> Connection:
    browser.prove()
    answer = browser.client.post(f"{HOME}/choose?business={BUSINESS}", _form(diaries))
    assert answer.status_code == 302, answer.content.decode()
    return Connection.objects.get(kind=Kind.MICROSOFT_BOOKINGS)


def _said(client: Client) -> str:
    """The page of the connection, after whatever happened."""
    return client.get(HOME).content.decode()


# --- the way there ------------------------------------------------------------------------------


def test_the_whole_way(browser: Browser, diaries: list[Diary], alice: User) -> None:
    assert "An administrator agrees" in _said(browser.client)
    address = browser.ask_for_consent()
    asked = parse_qs(urlsplit(address).query)
    assert asked["scope"] == ["https://graph.microsoft.com/.default"]
    assert "/organizations/v2.0/adminconsent" in address
    answer = browser.client.get(_local(browser.sign_in(browser.decide(address))))
    assert answer["Location"] == f"{HOME}/choose"
    assert not Connection.objects.exists()
    page = browser.client.get(f"{HOME}/choose").content.decode()
    assert "Acuity Opticians" in page
    assert "Acuity Hearing" in page
    page = browser.client.get(f"{HOME}/choose?business={BUSINESS}").content.decode()
    assert "Eye examination, 30 minutes" in page
    assert "Myopia evening" not in page
    # People of the same name are found by themselves, and the only service that fits.
    assert f'value="{SHAH}" selected' in page
    assert re.search(rf'value="{SERVICE}"[^>]*checked', page)
    browser.client.post(f"{HOME}/choose?business={BUSINESS}", _form(diaries))
    row = Connection.objects.get()
    assert (row.kind, row.state, row.last_four) == (
        Kind.MICROSOFT_BOOKINGS,
        ConnectionState.CONNECTED,
        TENANT[-4:],
    )
    assert connections.credential(row) == {"tenant": TENANT}
    assert row.connected_by == alice
    assert row.settings["organisation"] == "acuity.example"
    assert row.settings["diaries"] == {SHAH: diaries[0].public_id, OKAFOR: diaries[1].public_id}
    page = _said(browser.client)
    for words in ("Connected", "Acuity Opticians", "Eye examination", TENANT[-4:], "Alice Example"):
        assert words in page
    assert TENANT not in page


def test_the_consent_is_good_for_one_choice(browser: Browser, diaries: list[Diary]) -> None:
    row = _connect(browser, diaries)
    connections.disconnect(connection=row, actor=Actor.system("test"))
    assert browser.client.get(f"{HOME}/choose")["Location"] == HOME


def test_an_administrator_who_does_not_agree_connects_nothing(browser: Browser) -> None:
    back = browser.decide(browser.ask_for_consent(), "no")
    assert browser.client.get(_local(back))["Location"] == HOME
    assert "did not agree" in _said(browser.client)
    assert not Connection.objects.exists()


# --- what others may try ------------------------------------------------------------------------


def test_another_organisation_in_the_address_connects_nothing(
    browser: Browser, box: Sandbox
) -> None:
    """It consented long ago, so our application could read it: the sign-in is what stops it."""
    box.post("/microsoft/consent", {"domain": "bellweather.example"})
    back = browser.decide(browser.ask_for_consent())
    forged = back.replace(TENANT, OTHER_TENANT)
    away = browser.client.get(_local(forged))
    answer = browser.outside.get(away["Location"])
    assert answer.status_code == 400
    assert "AADSTS50020" in answer.text
    assert browser.client.get(f"{HOME}/choose")["Location"] == HOME


def test_a_sign_in_at_another_organisation_proves_nothing(browser: Browser, box: Sandbox) -> None:
    """The code comes from one's own organisation, the address says somebody else's."""
    box.post("/microsoft/consent", {"domain": "bellweather.example"})
    back = browser.decide(browser.ask_for_consent())
    away = browser.client.get(_local(back.replace(TENANT, OTHER_TENANT)))
    own = away["Location"].replace(OTHER_TENANT, TENANT)
    home = browser.outside.get(own).headers["Location"]
    assert browser.client.get(_local(home))["Location"] == HOME
    assert "did not match the organisation" in _said(browser.client)
    assert browser.client.get(f"{HOME}/choose")["Location"] == HOME


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"state": "x"},
        {"admin_consent": "True", "tenant": TENANT},
        {"admin_consent": "True", "tenant": TENANT, "state": "guessed"},
        {"code": "guessed", "state": "guessed"},
        {"error": "access_denied", "state": "guessed"},
    ],
)
def test_an_answer_that_nobody_asked_for_starts_nothing(
    browser: Browser, query: dict[str, str]
) -> None:
    browser.ask_for_consent()
    answer = browser.client.get(f"{CALLBACK}?{urlencode(query)}")
    assert answer["Location"] == HOME
    assert "not started here" in _said(browser.client)


@pytest.mark.parametrize("tenant", ["", "../../evil", "acuity.example", "common"])
def test_what_is_no_organisation_is_not_signed_in_at(browser: Browser, tenant: str) -> None:
    back = browser.decide(browser.ask_for_consent())
    query = {key: values[0] for key, values in parse_qs(urlsplit(back).query).items()}
    answer = browser.client.get(f"{CALLBACK}?{urlencode({**query, 'tenant': tenant})}")
    assert answer["Location"] == HOME
    assert "which organisation" in _said(browser.client)


def test_an_answer_counts_once(browser: Browser) -> None:
    back = browser.decide(browser.ask_for_consent())
    browser.client.get(_local(back))
    browser.client.get(_local(back))
    assert "not started here" in _said(browser.client)


def test_too_late_is_too_late(browser: Browser, at: Callable[[Any], None]) -> None:
    back = browser.decide(browser.ask_for_consent())
    at(clock.now() + timedelta(minutes=21))
    assert browser.client.get(_local(back))["Location"] == HOME
    assert "took too long" in _said(browser.client)


def test_another_person_in_the_same_browser_cannot_go_on(browser: Browser, charlie: User) -> None:
    back = browser.decide(browser.ask_for_consent())
    session = dict(browser.client.session.items())
    browser.client.force_login(charlie)
    stolen = browser.client.session
    stolen["microsoft_consent"] = session["microsoft_consent"]
    stolen.save()
    assert browser.client.get(_local(back))["Location"] == HOME
    assert browser.client.get(f"{HOME}/choose")["Location"] == HOME


@pytest.mark.parametrize("mode", ["500", "429", "html", "broken_json", "drop_before_accept"])
def test_microsoft_out_of_order_is_said_and_connects_nothing(
    browser: Browser, box: Sandbox, mode: str
) -> None:
    back = browser.decide(browser.ask_for_consent())
    box.fault("graph", mode, times=None, match="/login/")
    assert browser.client.get(_local(back))["Location"] == HOME
    page = _said(browser.client)
    assert "Connect again in a minute" in page
    assert "tried again by itself" not in page


def test_reading_the_choice_may_fail_too(browser: Browser, box: Sandbox) -> None:
    browser.prove()
    box.fault("graph", "500", match="bookingBusinesses")
    assert browser.client.get(f"{HOME}/choose")["Location"] == HOME
    assert "fault of its own" in _said(browser.client)
    assert browser.client.get(f"{HOME}/choose").status_code == 200


# --- the choice ---------------------------------------------------------------------------------


def test_the_choice_must_fit(browser: Browser, diaries: list[Diary]) -> None:
    browser.prove()
    path = f"{HOME}/choose?business={BUSINESS}"
    first, second = (f"diary-{each.public_id}" for each in diaries)
    cases = {
        "Choose the service": {"service": ""},
        "Choose one of the services": {"service": "made-up"},
        "takes 20 minutes in Bookings": {"service": _lens()},
        "Choose who in Bookings is Mrs Shah": {first: ""},
        "Choose one of the people": {first: "made-up"},
        "already. Choose another.": {second: SHAH},
    }
    for words, change in cases.items():
        answer = browser.client.post(path, _form(diaries, **change))
        assert (words, answer.status_code) == (words, 400)
        assert words in answer.content.decode()
        assert "There is a problem" in answer.content.decode()
    assert not Connection.objects.exists()


def _lens() -> str:
    from integrations.sandbox.graph_memory import made_id

    return made_id(BUSINESS, "lens")


def test_a_business_of_somebody_else_cannot_be_chosen(
    browser: Browser, diaries: list[Diary]
) -> None:
    browser.prove()
    answer = browser.client.post(
        f"{HOME}/choose?business=Reception@bellweather.example", _form(diaries)
    )
    assert "Choose a Bookings calendar" in answer.content.decode()
    assert not Connection.objects.exists()


def test_changing_the_choice_needs_no_administrator(browser: Browser, diaries: list[Diary]) -> None:
    row = _connect(browser, diaries)
    swapped = {
        f"diary-{diaries[0].public_id}": OKAFOR,
        f"diary-{diaries[1].public_id}": SHAH,
    }
    browser.client.post(f"{HOME}/choose?business={BUSINESS}", _form(diaries, **swapped))
    row.refresh_from_db()
    assert row.settings["diaries"] == {OKAFOR: diaries[0].public_id, SHAH: diaries[1].public_id}
    actions = JournalEntry.objects.values_list("action", flat=True)
    assert list(actions.filter(action__startswith="connection.")) == [
        "connection.connected",
        "connection.changed",
    ]


def test_another_calendar_forgets_what_stood_in_the_old_one(
    browser: Browser, diaries: list[Diary]
) -> None:
    """Or else all of it would look cancelled."""
    from integrations.microsoft_bookings.client import Bookings
    from integrations.sandbox.graph_memory import made_id

    row = _connect(browser, diaries)
    since = Bookings(row).appointments(since=None).as_of
    assert SeenAppointment.objects.count() == 20
    other = {
        "service": made_id(HEARING, "eye"),
        f"diary-{diaries[0].public_id}": made_id(HEARING, "Mrs Shah"),
        f"diary-{diaries[1].public_id}": made_id(HEARING, "Mr Okafor"),
    }
    browser.client.post(f"{HOME}/choose?business={HEARING}", other)
    row.refresh_from_db()
    assert row.settings["business_name"] == "Acuity Hearing"
    assert Bookings(row).appointments(since=since).items == []


# --- afterwards ---------------------------------------------------------------------------------


def test_a_test_says_what_is_wrong_and_when_it_is_right_again(
    browser: Browser, box: Sandbox, diaries: list[Diary]
) -> None:
    row = _connect(browser, diaries)
    box.post("/microsoft/consent", {"roles": []})
    browser.client.post(f"{HOME}/test")
    row.refresh_from_db()
    assert (row.state, row.error_code) == (ConnectionState.NEEDS_ATTENTION, "auth")
    page = _said(browser.client)
    assert "took the consent back" in page
    assert "Connect again" in page
    box.post("/microsoft/consent", {})
    browser.client.post(f"{HOME}/test")
    row.refresh_from_db()
    assert (row.state, row.error_code) == (ConnectionState.CONNECTED, "")
    assert "all that you chose is there" in _said(browser.client)


def test_a_missing_permission_is_named(browser: Browser, diaries: list[Diary]) -> None:
    row = _connect(browser, diaries)
    connections.failed(
        connection=row, code="no_write_permission", actor=Actor.system("test"), refused=True
    )
    assert "BookingsAppointment.ReadWrite.All is missing" in _said(browser.client)


def test_connecting_again_keeps_what_was_chosen(
    browser: Browser, box: Sandbox, diaries: list[Diary]
) -> None:
    row = _connect(browser, diaries)
    connections.failed(connection=row, code="auth", actor=Actor.system("test"), refused=True)
    browser.prove()
    page = browser.client.get(f"{HOME}/choose?business={BUSINESS}").content.decode()
    assert f'value="{OKAFOR}" selected' in page
    browser.client.post(f"{HOME}/choose?business={BUSINESS}", _form(diaries))
    row.refresh_from_db()
    assert (row.state, row.error_code) == (ConnectionState.CONNECTED, "")


def test_disconnecting_forgets_the_organisation(browser: Browser, diaries: list[Diary]) -> None:
    row = _connect(browser, diaries)
    assert (
        "Appointments stay in Bookings" in browser.client.get(f"{HOME}/disconnect").content.decode()
    )
    browser.client.post(f"{HOME}/disconnect")
    row.refresh_from_db()
    assert (row.state, row.credential) == (ConnectionState.DISCONNECTED, "")
    assert "Connect Microsoft Bookings" in _said(browser.client)
    browser.client.post(f"{HOME}/disconnect")
    assert JournalEntry.objects.filter(action="connection.disconnected").count() == 1


def test_the_page_may_lead_to_microsoft_and_no_other_page_may(
    browser: Browser, settings: Any
) -> None:
    policy = browser.client.get(HOME)["Content-Security-Policy"]
    assert f"form-action 'self' {settings.SANDBOX_URL}" in policy
    assert settings.SANDBOX_URL not in browser.client.get("/patients")["Content-Security-Policy"]


def test_a_receptionist_may_not(client: Client, bob: User) -> None:
    client.force_login(bob)
    for path in (HOME, f"{HOME}/choose", CALLBACK, f"{HOME}/disconnect"):
        assert client.get(path).status_code == 403
    assert client.post(f"{HOME}/connect").status_code == 403


def test_an_installation_without_registration_says_so(
    alices: Client, practice: Practice, settings: Any
) -> None:
    settings.LIVE, settings.MICROSOFT_CLIENT_ID = True, ""
    Practice.objects.filter(pk=practice.pk).update(mode="live")
    assert "not registered with Microsoft" in alices.get(HOME).content.decode()
    assert alices.post(f"{HOME}/connect")["Location"] == HOME


def test_a_live_practice_is_sent_to_the_real_microsoft(
    alices: Client, practice: Practice, settings: Any
) -> None:
    settings.LIVE, settings.MICROSOFT_CLIENT_ID = True, "11111111-aaaa"
    settings.MICROSOFT_CLIENT_SECRET = "a-real-secret"
    settings.PUBLIC_BASE_URL = "https://app.example.org"
    Practice.objects.filter(pk=practice.pk).update(mode="live")
    away = alices.post(f"{HOME}/connect")["Location"]
    parts = urlsplit(away)
    assert f"{parts.scheme}://{parts.netloc}" == "https://login.microsoftonline.com"
    assert parse_qs(parts.query)["redirect_uri"] == [f"https://app.example.org{CALLBACK}"]
    assert "a-real-secret" not in away
