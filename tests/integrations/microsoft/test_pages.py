"""Settings, Calendar & PMS, Microsoft Bookings: connect, choose, try, disconnect."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.test import Client

from integrations import connections
from integrations.models import Connection, ConnectionState, Kind, SeenAppointment
from practices.journal import Actor
from practices.models import JournalEntry, Practice, User
from recall.models import Diary
from tests.integrations.microsoft.names import BUSINESS, OKAFOR, SERVICE, SHAH, TENANT
from tests.integrations.microsoft.way import CALLBACK, HOME, Browser, connect, form_of, local, said
from tests.sandbox import Sandbox

HEARING = "AcuityHearing@acuity.example"


# --- the way there ------------------------------------------------------------------------------


def test_the_whole_way(browser: Browser, diaries: list[Diary], alice: User) -> None:
    assert "An administrator agrees" in said(browser.client)
    address = browser.ask_for_consent()
    asked = parse_qs(urlsplit(address).query)
    assert asked["scope"] == ["https://graph.microsoft.com/.default"]
    assert "/organizations/v2.0/adminconsent" in address
    answer = browser.client.get(local(browser.sign_in(browser.decide(address))))
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
    browser.client.post(f"{HOME}/choose?business={BUSINESS}", form_of(diaries))
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
    page = said(browser.client)
    for words in ("Connected", "Acuity Opticians", "Eye examination", TENANT[-4:], "Alice Example"):
        assert words in page
    assert TENANT not in page


def test_the_consent_is_good_for_one_choice(browser: Browser, diaries: list[Diary]) -> None:
    row = connect(browser, diaries)
    connections.disconnect(connection=row, actor=Actor.system("test"))
    assert browser.client.get(f"{HOME}/choose")["Location"] == HOME


def test_an_administrator_who_does_not_agree_connects_nothing(browser: Browser) -> None:
    back = browser.decide(browser.ask_for_consent(), "no")
    assert browser.client.get(local(back))["Location"] == HOME
    assert "did not agree" in said(browser.client)
    assert not Connection.objects.exists()


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
        answer = browser.client.post(path, form_of(diaries, **change))
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
        f"{HOME}/choose?business=Reception@bellweather.example", form_of(diaries)
    )
    assert "Choose a Bookings calendar" in answer.content.decode()
    assert not Connection.objects.exists()


def test_changing_the_choice_needs_no_administrator(browser: Browser, diaries: list[Diary]) -> None:
    row = connect(browser, diaries)
    swapped = {
        f"diary-{diaries[0].public_id}": OKAFOR,
        f"diary-{diaries[1].public_id}": SHAH,
    }
    browser.client.post(f"{HOME}/choose?business={BUSINESS}", form_of(diaries, **swapped))
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

    row = connect(browser, diaries)
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
    row = connect(browser, diaries)
    box.post("/microsoft/consent", {"roles": []})
    browser.client.post(f"{HOME}/test")
    row.refresh_from_db()
    assert (row.state, row.error_code) == (ConnectionState.NEEDS_ATTENTION, "auth")
    page = said(browser.client)
    assert "took the consent back" in page
    assert "Connect again" in page
    box.post("/microsoft/consent", {})
    browser.client.post(f"{HOME}/test")
    row.refresh_from_db()
    assert (row.state, row.error_code) == (ConnectionState.CONNECTED, "")
    assert "all that you chose is there" in said(browser.client)


def test_a_missing_permission_is_named(browser: Browser, diaries: list[Diary]) -> None:
    row = connect(browser, diaries)
    connections.failed(
        connection=row, code="no_write_permission", actor=Actor.system("test"), refused=True
    )
    assert "BookingsAppointment.ReadWrite.All is missing" in said(browser.client)


def test_connecting_again_keeps_what_was_chosen(
    browser: Browser, box: Sandbox, diaries: list[Diary]
) -> None:
    row = connect(browser, diaries)
    connections.failed(connection=row, code="auth", actor=Actor.system("test"), refused=True)
    browser.prove()
    page = browser.client.get(f"{HOME}/choose?business={BUSINESS}").content.decode()
    assert f'value="{OKAFOR}" selected' in page
    browser.client.post(f"{HOME}/choose?business={BUSINESS}", form_of(diaries))
    row.refresh_from_db()
    assert (row.state, row.error_code) == (ConnectionState.CONNECTED, "")


def test_disconnecting_forgets_the_organisation(browser: Browser, diaries: list[Diary]) -> None:
    row = connect(browser, diaries)
    assert (
        "Appointments stay in Bookings" in browser.client.get(f"{HOME}/disconnect").content.decode()
    )
    browser.client.post(f"{HOME}/disconnect")
    row.refresh_from_db()
    assert (row.state, row.credential) == (ConnectionState.DISCONNECTED, "")
    assert "Connect Microsoft Bookings" in said(browser.client)
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
