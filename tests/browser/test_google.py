"""Connecting a Google calendar by hand, through the pretend Google's own pages."""

import re
from collections.abc import Iterator

from django.test.utils import override_settings
from playwright.sync_api import Page, expect
from pytest import fixture

from integrations.models import Connection
from practices.models import User
from tests.browser.conftest import Visit
from tests.browser.test_access import faults_shown, walk
from tests.sandbox import Sandbox
from tests.working_day import WorkingDay

HOME = "/settings/integrations/google"


@fixture(autouse=True)
def _comes_back_here(live_server: object) -> Iterator[None]:
    """The address that Google sends people back to is configured, never taken from a request."""
    with override_settings(PUBLIC_BASE_URL=str(live_server)):
        yield


def _sign_in(page: Page, words: str) -> None:
    page.goto(HOME)
    page.get_by_role("button", name=words).click()
    page.get_by_role("link", name="Acuity Opticians").click()


def test_a_manager_connects_chooses_and_disconnects(
    visit: Visit, alice: User, day: WorkingDay, sandbox: Sandbox
) -> None:
    page = visit(alice)
    _sign_in(page, "Connect Google Account")
    expect(page.get_by_role("checkbox")).to_have_count(3)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Choose a calendar")).to_be_visible()
    page.get_by_label("Calendar", exact=True).select_option(label="Testing room 1")
    page.get_by_label("Whose diary it is").select_option(label="Mrs Shah")
    page.get_by_label("Initials only").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Bookings are written to Testing room 1, those")).to_be_visible()
    page.get_by_role("button", name="Add a test event").click()
    expect(page.get_by_text("Test from SightSync")).to_be_visible()
    page.get_by_role("link", name="The pretend calendar").click()
    expect(page.get_by_text("Bookings reach this calendar.")).to_be_visible()
    page.get_by_role("button", name="Take back SightSync’s permission").click()
    page.goto(HOME)
    page.get_by_role("button", name="Add a test event").click()
    expect(page.get_by_text(re.compile("the permission was taken back"))).to_have_count(1)
    expect(page.get_by_text("The test event was not written.")).to_be_visible()
    _sign_in(page, "Connect again")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Connected again.")).to_be_visible()
    page.get_by_role("link", name="Disconnect").click()
    page.get_by_role("button", name="Disconnect").click()
    expect(page.get_by_text("Its events stay.")).to_be_visible()
    assert Connection.objects.get().credential == ""


def test_saying_no_leads_back_with_nothing_connected(
    visit: Visit, alice: User, day: WorkingDay, sandbox: Sandbox
) -> None:
    page = visit(alice)
    _sign_in(page, "Connect Google Account")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("You did not allow it")).to_be_visible()
    assert not Connection.objects.exists()


def test_the_pages_are_for_everybody(
    visit: Visit, alice: User, day: WorkingDay, sandbox: Sandbox
) -> None:
    page = visit(alice, bypass_csp=True)
    assert not walk(page, ["/settings/integrations", HOME])
    _sign_in(page, "Connect Google Account")
    assert not list(faults_shown(page, "consent"))
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Save").click()
    assert page.evaluate("document.activeElement.className") == "error-summary"
    assert not list(faults_shown(page, "calendar sent back"))
    page.get_by_label("Calendar", exact=True).select_option(index=1)
    page.get_by_role("button", name="Save").click()
    pages = ["", "/calendar", "/risk", "/disconnect"]
    assert not walk(page, [*(HOME + each for each in pages), f"{sandbox.url}/sandbox/google"])
