"""Settings, Integrations: WhatsApp, email and SMS."""

import pytest
from django.test import Client

from practices.models import JournalEntry, Practice
from recall.models import MessageText, TestMessage, Text

pytestmark = pytest.mark.django_db

WHATSAPP = {
    "whatsapp_enabled": "on",
    "whatsapp_number": "0118 496 0002",
    "whatsapp_recall_template": "HX" + "ab" * 16,
    "whatsapp_delay_minutes": "60",
    "text": "{practice} here. Book: {booking_link} Stop: {opt_out_link}",
}
EMAIL = {
    "email_enabled": "on",
    "email": "front@acuity.example",
    "email_delay_minutes": "2880",
    "subject": "{practice} would like to see you",
    "text": "Hello {first_name}\n\n{booking_link}",
}


def test_whatsapp_is_set_up(owner: Client, practice: Practice) -> None:
    assert owner.post("/settings/integrations/whatsapp", WHATSAPP).status_code == 302
    practice.refresh_from_db()
    assert practice.whatsapp_number == "+441184960002"
    assert practice.whatsapp_recall_template == "HX" + "ab" * 16
    assert practice.whatsapp_delay_minutes == 60
    assert MessageText.objects.get().text == WHATSAPP["text"]
    entry = JournalEntry.objects.get(action="practice.changed")
    assert "whatsapp_number" in entry.facts["changed"]
    assert "+44" not in str(entry.facts)


def test_saving_the_same_again_writes_nothing(owner: Client, practice: Practice) -> None:
    for _ in range(2):
        owner.post("/settings/integrations/whatsapp", WHATSAPP)
    assert JournalEntry.objects.filter(action="practice.changed").count() == 1
    assert JournalEntry.objects.filter(action="wording.approved").count() == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"whatsapp_number": ""}, "Enter the WhatsApp number"),
        ({"whatsapp_number": "12"}, "digits"),
        ({"whatsapp_recall_template": "hello"}, "Enter HX and 32"),
        ({"whatsapp_delay_minutes": "7"}, "not one of the available choices"),
        ({"text": "Book: {booking_link}"}, "Put {practice} in"),
        ({"text": WHATSAPP["text"] + " Half-price frames!"}, "take out “Half-price”"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_changes(
    owner: Client, practice: Practice, wrong: dict[str, str], said: str
) -> None:
    answer = owner.post("/settings/integrations/whatsapp", {**WHATSAPP, **wrong})
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert "There is a problem" in answer.content.decode()
    fresh = Practice.objects.get(pk=practice.pk)
    assert fresh.whatsapp_number == practice.whatsapp_number
    assert not MessageText.objects.exists()


def test_email_is_set_up(owner: Client, practice: Practice) -> None:
    assert owner.post("/settings/integrations/email", EMAIL).status_code == 302
    practice.refresh_from_db()
    assert (practice.email, practice.email_delay_minutes) == ("front@acuity.example", 2880)
    assert set(MessageText.objects.values_list("name", flat=True)) == {
        Text.EMAIL_RECALL_SUBJECT,
        Text.EMAIL_RECALL_BODY,
    }


@pytest.mark.parametrize("channel", ["whatsapp", "email"])
def test_the_page_shows_the_words_that_are_used(
    owner: Client, practice: Practice, channel: str
) -> None:
    page = owner.get(f"/settings/integrations/{channel}").content.decode()
    assert "{examination} is due. Choose a" in page


def test_email_can_be_switched_off(owner: Client, practice: Practice) -> None:
    wish = {name: value for name, value in EMAIL.items() if name != "email_enabled"}
    assert owner.post("/settings/integrations/email", wish).status_code == 302
    practice.refresh_from_db()
    assert not practice.email_enabled


def test_the_reminder_is_moved(owner: Client, practice: Practice) -> None:
    wish = {"reminder_hours_before": "48"}
    assert owner.post("/settings/integrations/sms", wish).status_code == 302
    practice.refresh_from_db()
    assert practice.reminder_hours_before == 48


@pytest.mark.parametrize("channel", ["whatsapp", "email"])
def test_a_preview_shows_the_words_and_marks_promotion(
    owner: Client, practice: Practice, channel: str
) -> None:
    words = {"text": "Great offer for {first_name} {booking_link}", "subject": "{practice}"}
    answer = owner.post(f"/settings/integrations/{channel}/preview", words)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<mark" in page
    assert "offer</mark>" in page
    assert not MessageText.objects.exists()


def test_a_preview_works_without_scripts(owner: Client, practice: Practice) -> None:
    answer = owner.post("/settings/integrations/email", {**EMAIL, "do": "preview"})
    assert answer.status_code == 200
    assert "Acuity Opticians would like to see you" in answer.content.decode()
    assert not MessageText.objects.exists()


def test_a_test_goes_to_oneself_only(owner: Client, practice: Practice, alice) -> None:
    owner.post("/settings/integrations/email/test", {"number": "07700900001", "do": "send"})
    assert TestMessage.objects.get().destination == alice.email


def test_a_form_that_nobody_pressed_sends_nothing(owner: Client, practice: Practice) -> None:
    assert owner.post("/settings/integrations/email/test").status_code == 400
    assert not TestMessage.objects.exists()


@pytest.mark.parametrize("number", ["", "0118 496 0000", "hello"])
def test_a_test_needs_a_mobile(owner: Client, practice: Practice, number: str) -> None:
    answer = owner.post("/settings/integrations/whatsapp/test", {"number": number, "do": "send"})
    assert answer.status_code == 400
    assert not TestMessage.objects.exists()


@pytest.mark.parametrize("channel", ["whatsapp", "email", "sms"])
def test_the_reception_may_not_change_it(reception: Client, practice: Practice, channel) -> None:
    assert reception.get(f"/settings/integrations/{channel}").status_code == 403
