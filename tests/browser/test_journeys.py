"""The main jobs by hand: keyboard alone, no JavaScript, a narrow screen, in a hurry."""

import re

import pytest
from allauth.account.models import EmailAddress
from playwright.sync_api import Page, expect

from practices.models import Practice, User
from recall.booking import links
from recall.models import Appointment, Campaign, Episode
from recall.models.appointments import LinkKind
from tests import engine
from tests.browser.addresses import path
from tests.browser.conftest import Visit
from tests.working_day import WorkingDay

TABS = 120


def tab_to(page: Page, words: str) -> None:
    """Press Tab until the thing with these words has the focus."""
    for _ in range(TABS):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "(document.activeElement.innerText || document.activeElement.ariaLabel || '').trim()"
        )
        if re.search(words, focused):
            return
    raise AssertionError(f"{words!r} cannot be reached by Tab")


def test_signing_in_and_out(visit: Visit, alice: User) -> None:
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    page = visit()
    page.goto("/patients")
    page.get_by_label("Email address").fill(alice.email)
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("There is a problem")
    assert page.title().startswith("Error:")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Patients")).to_be_visible()
    page.locator(".account summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.goto("/patients")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_patient_books_with_the_keyboard_alone(
    visit: Visit, practice: Practice, day: WorkingDay
) -> None:
    address = path(links.issue(practice=practice, patient=day.due, kind=LinkKind.BOOKING))
    page = visit(width=390)
    page.goto(address)
    for words in (r"^Monday 23 November", r"^10:00am", r"^Book Monday at 10:00am"):
        tab_to(page, words)
        with page.expect_navigation():
            page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("You are booked")
    assert Appointment.objects.filter(patient=day.due, source="link").count() == 1


def test_a_recall_is_started_with_the_keyboard_alone(
    visit: Visit, alice: User, practice: Practice
) -> None:
    engine.register()
    engine.patient(practice)
    page = visit(alice)
    page.goto("/recall")
    for words in (r"^Recall patients", r"^Call 1 patient"):
        tab_to(page, words)
        with page.expect_navigation():
            page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Progress")).to_be_visible()
    assert Campaign.objects.count() == 1


def test_a_double_click_on_start_starts_once(visit: Visit, alice: User, practice: Practice) -> None:
    engine.register()
    engine.patient(practice)
    page = visit(alice)
    page.goto("/recall/new")
    page.get_by_role("button", name="Call 1 patient").dblclick()
    expect(page.get_by_role("heading", name="Progress")).to_be_visible()
    assert Campaign.objects.count() == 1
    assert Episode.objects.count() == 1


def test_everything_works_without_javascript(
    visit: Visit, alice: User, practice: Practice, day: WorkingDay
) -> None:
    page = visit(alice, java_script_enabled=False)
    page.goto(f"/recall/{day.campaign.public_id}")
    page.get_by_role("link", name="Stop", exact=True).click()
    page.get_by_role("button", name="Stop recall").click()
    expect(page.get_by_role("status")).to_contain_text("Stopped")
    page.get_by_role("link", name="Stop all contact").click()
    page.get_by_role("button", name="Stop all contact").click()
    expect(page.get_by_role("heading", name="All contact is stopped")).to_be_visible()
    page.goto(f"/appointments/book?patient={day.due.public_id}")
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Book appointment").click()
    expect(page.get_by_role("status")).to_contain_text("is booked for")


def test_a_patient_opts_out_without_javascript(
    visit: Visit, practice: Practice, day: WorkingDay
) -> None:
    address = path(links.issue(practice=practice, patient=day.due, kind=LinkKind.OPT_OUT))
    page = visit(java_script_enabled=False)
    page.goto(address)
    day.due.refresh_from_db()
    assert not day.due.opted_out
    page.get_by_role("button", name="Stop all calls and messages").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("We will not contact you again")
    day.due.refresh_from_db()
    assert day.due.opted_out


def test_a_campaign_is_stopped_in_its_dialog(visit: Visit, alice: User, day: WorkingDay) -> None:
    page = visit(alice)
    page.goto(f"/recall/{day.campaign.public_id}")
    page.get_by_role("link", name="Stop", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Keep going").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("link", name="Stop", exact=True).click()
    dialog.get_by_role("button", name="Stop recall").click()
    expect(page.get_by_role("status")).to_contain_text("Stopped")


def test_the_rooms_are_a_menu_on_a_narrow_screen(
    visit: Visit, alice: User, day: WorkingDay
) -> None:
    page = visit(alice, 390)
    page.goto("/")
    rooms = page.get_by_role("navigation", name="Rooms")
    expect(rooms).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(rooms).to_be_visible()
    page.keyboard.press("Escape")
    expect(rooms).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    rooms.get_by_role("link", name="Calls").click()
    expect(page.get_by_role("heading", name="Calls", exact=True)).to_be_visible()


def test_today_fetches_what_is_new_by_itself(visit: Visit, alice: User, day: WorkingDay) -> None:
    page = visit(alice)
    page.goto("/")
    expect(page.get_by_text("mentioned symptoms")).to_be_visible()
    with page.expect_response("**/today/live"):
        day.symptoms.delete()
    with page.expect_response("**/today/live"):
        pass
    expect(page.get_by_text("mentioned symptoms")).to_be_hidden()


@pytest.mark.parametrize("key", ["Control+k", "Meta+k"])
def test_the_search_has_a_key(visit: Visit, alice: User, key: str) -> None:
    page = visit(alice)
    page.goto("/")
    page.keyboard.press(key)
    expect(page.get_by_role("searchbox", name="Find a patient")).to_be_focused()
