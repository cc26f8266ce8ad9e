"""The way to a consent, and what others may try on it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from practices.models import User
from sightsync.lib import clock
from tests.integrations.microsoft.names import OTHER_TENANT, TENANT
from tests.integrations.microsoft.way import CALLBACK, HOME, Browser, local, said
from tests.sandbox import Sandbox


def test_another_organisation_in_the_address_connects_nothing(
    browser: Browser, box: Sandbox
) -> None:
    """It consented long ago, so our application could read it: the sign-in is what stops it."""
    box.post("/microsoft/consent", {"domain": "bellweather.example"})
    back = browser.decide(browser.ask_for_consent())
    forged = back.replace(TENANT, OTHER_TENANT)
    away = browser.client.get(local(forged))
    answer = browser.outside.get(away["Location"])
    assert answer.status_code == 400
    assert "AADSTS50020" in answer.text
    assert browser.client.get(f"{HOME}/choose")["Location"] == HOME


def test_a_sign_in_at_another_organisation_proves_nothing(browser: Browser, box: Sandbox) -> None:
    """The code comes from one's own organisation, the address says somebody else's."""
    box.post("/microsoft/consent", {"domain": "bellweather.example"})
    back = browser.decide(browser.ask_for_consent())
    away = browser.client.get(local(back.replace(TENANT, OTHER_TENANT)))
    own = away["Location"].replace(OTHER_TENANT, TENANT)
    home = browser.outside.get(own).headers["Location"]
    assert browser.client.get(local(home))["Location"] == HOME
    assert "did not match the organisation" in said(browser.client)
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
    assert "not started here" in said(browser.client)


@pytest.mark.parametrize("tenant", ["", "../../evil", "acuity.example", "common"])
def test_what_is_no_organisation_is_not_signed_in_at(browser: Browser, tenant: str) -> None:
    back = browser.decide(browser.ask_for_consent())
    query = {key: values[0] for key, values in parse_qs(urlsplit(back).query).items()}
    answer = browser.client.get(f"{CALLBACK}?{urlencode({**query, 'tenant': tenant})}")
    assert answer["Location"] == HOME
    assert "which organisation" in said(browser.client)


def test_an_answer_counts_once(browser: Browser) -> None:
    back = browser.decide(browser.ask_for_consent())
    browser.client.get(local(back))
    browser.client.get(local(back))
    assert "not started here" in said(browser.client)


def test_too_late_is_too_late(browser: Browser, at: Callable[[Any], None]) -> None:
    back = browser.decide(browser.ask_for_consent())
    at(clock.now() + timedelta(minutes=21))
    assert browser.client.get(local(back))["Location"] == HOME
    assert "took too long" in said(browser.client)


def test_another_person_in_the_same_browser_cannot_go_on(browser: Browser, charlie: User) -> None:
    back = browser.decide(browser.ask_for_consent())
    session = dict(browser.client.session.items())
    browser.client.force_login(charlie)
    stolen = browser.client.session
    stolen["microsoft_consent"] = session["microsoft_consent"]
    stolen.save()
    assert browser.client.get(local(back))["Location"] == HOME
    assert browser.client.get(f"{HOME}/choose")["Location"] == HOME


@pytest.mark.parametrize("mode", ["500", "429", "html", "broken_json", "drop_before_accept"])
def test_microsoft_out_of_order_is_said_and_connects_nothing(
    browser: Browser, box: Sandbox, mode: str
) -> None:
    back = browser.decide(browser.ask_for_consent())
    box.fault("graph", mode, times=None, match="/login/")
    assert browser.client.get(local(back))["Location"] == HOME
    page = said(browser.client)
    assert "Connect again in a minute" in page
    assert "tried again by itself" not in page


def test_reading_the_choice_may_fail_too(browser: Browser, box: Sandbox) -> None:
    browser.prove()
    box.fault("graph", "500", match="bookingBusinesses")
    assert browser.client.get(f"{HOME}/choose")["Location"] == HOME
    assert "fault of its own" in said(browser.client)
    assert browser.client.get(f"{HOME}/choose").status_code == 200
