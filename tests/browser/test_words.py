"""Where people type sentences: a recall in plain English, and a practice's own wording."""

from playwright.sync_api import expect

from practices.models import Practice, User
from recall.models import Campaign, MessageText
from tests import engine
from tests.browser.conftest import Visit


def test_a_recall_said_in_plain_english(visit: Visit, alice: User, practice: Practice) -> None:
    engine.register()
    engine.patient(practice, risk_category="diabetic")
    engine.patient(practice, "+447700900002", first_name="Tom")
    page = visit(alice)
    page.goto("/recall/new")
    box = page.get_by_label("Say who", exact=False).first
    box.fill("diabetics who are purple")
    page.get_by_role("button", name="Find these patients").click()
    expect(page.get_by_role("alert")).to_contain_text("purple")
    page.locator("textarea").first.fill("diabetics overdue by more than 3 months")
    page.get_by_role("button", name="Find these patients").click()
    expect(page.locator(".understood")).to_contain_text("diabetic")
    page.get_by_role("button", name="Call 1 patient").click()
    expect(page.get_by_role("heading", name="Progress")).to_be_visible()
    assert Campaign.objects.get().filters["risks"] == ["diabetic"]


def test_a_preview_follows_the_typing_and_marks_promotion(
    visit: Visit, alice: User, practice: Practice
) -> None:
    page = visit(alice)
    page.goto("/settings/integrations/email")
    text = page.get_by_label("What it says")
    text.fill("Hello {first_name}, half-price frames await.\n\n{booking_link}")
    expect(page.locator("#preview mark").first).to_have_text("half-price")
    text.fill("Hello {first_name}, it is time.\n\n{booking_link}")
    expect(page.locator("#preview")).to_contain_text("Hello Jane, it is time.")
    expect(page.locator("#preview mark")).to_have_count(0)
    page.get_by_role("button", name="Save email").click()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    assert "it is time" in MessageText.objects.get().text
