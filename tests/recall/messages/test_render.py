"""What a message says when it is sent: true of the appointment as it then is, or nothing."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from recall.attempts.carriers import NothingToSendError
from recall.booking import book, links
from recall.messages import linter, render
from recall.models import Appointment, InboundMessage, PatientLink
from recall.models.appointments import LinkKind
from sightsync.lib import clock
from tests.recall.booking.conftest import STAFF

TUESDAY = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
SECRETS = ("glaucoma", "suspect", "risk", "diabet", "IOP 24", "9434765919", "Roe", "1961")


@pytest.fixture
def jane(make_patient):
    """With everything on record that no message may show."""
    return make_patient(
        email="jane@example.org",
        risk_category="glaucoma_suspect",
        clinical_notes="IOP 24, suspect discs",
        nhs_number="9434765919",
        date_of_birth="1961-03-02",
    )


@pytest.fixture
def row(practice, diary_row, jane) -> Appointment:
    return book.book(
        practice=practice,
        patient=jane,
        diary_id=None,
        starts_at=TUESDAY,
        source="call",
        actor=STAFF,
    )


def about(row: Appointment, version: int | None = None) -> dict[str, object]:
    Appointment.objects.get(pk=row.pk).messages.all().delete()
    return {"appointment": row, "appointment_version": version or row.version}


def token_in(text: str, letter: str) -> str:
    return re.search(rf"/{letter}/([\w-]{{43}})", text)[1]


def every_word(content) -> str:
    return "\n".join([content.subject, content.body, content.html, *content.variables.values()])


def test_a_whatsapp_recall_starts_with_the_approved_template(practice, jane, claimed):
    practice.whatsapp_recall_template = "HX" + "1" * 32
    practice.save(update_fields=["whatsapp_recall_template"])
    content = render.message(claimed(jane, "whatsapp"))
    assert content.template == "HX" + "1" * 32
    assert content.body == ""
    assert content.variables["1"] == "Jane"
    assert links.find(token_in(content.variables["4"], "b"), LinkKind.BOOKING).patient == jane
    assert links.find(token_in(content.variables["5"], "o"), LinkKind.OPT_OUT).patient == jane


@pytest.mark.parametrize(("hours", "free"), [(1, True), (23, True), (24, False), (48, False)])
def test_whatsapp_is_free_text_within_a_day_of_the_patients_last_message(
    practice, jane, claimed, hours, free
):
    InboundMessage.objects.create(
        practice=practice,
        patient=jane,
        channel="whatsapp",
        provider_ref="SM1",
        sender=jane.phone_number,
        body="hello",
        received_at=clock.now() - timedelta(hours=hours),
    )
    content = render.message(claimed(jane, "whatsapp"))
    assert bool(content.body) is free
    assert bool(content.template) is not free


def test_an_sms_from_the_patient_opens_no_whatsapp_window(practice, jane, claimed):
    InboundMessage.objects.create(
        practice=practice,
        patient=jane,
        channel="sms",
        provider_ref="SM1",
        sender=jane.phone_number,
        received_at=clock.now(),
    )
    assert render.message(claimed(jane, "whatsapp")).template


def test_a_live_practice_without_a_template_sends_no_whatsapp(practice, jane, claimed):
    practice.mode = "live"
    practice.save(update_fields=["mode"])
    with pytest.raises(NothingToSendError) as nothing:
        render.message(claimed(jane, "whatsapp"))
    assert nothing.value.code == "no_whatsapp_template"
    assert not PatientLink.objects.exists()


def test_a_recall_email_has_both_forms_the_links_and_the_mail_programs_button(jane, claimed):
    attempt = claimed(jane, "email")
    content = render.message(attempt)
    assert content.subject == "Acuity Opticians: your next eye examination"
    for text in (content.body, content.html):
        assert "Hello Jane," in text
        assert "0118 496 0000" in text
        assert links.find(token_in(text, "b"), LinkKind.BOOKING).attempt == attempt
        assert links.find(token_in(text, "o"), LinkKind.OPT_OUT).patient == jane
    url = content.headers["List-Unsubscribe"]
    assert re.fullmatch(r"<https?://[^>]+/o/[\w-]{43}/one-click>", url)
    assert content.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "<script" not in content.html
    assert not content.attachments


def test_a_name_cannot_write_into_an_email(make_patient, claimed, practice):
    practice.name = "Acuity\r\nBcc: all@example.org <b>"
    practice.save(update_fields=["name"])
    sly = make_patient(first_name="<img src=x>", email="sly@example.org")
    content = render.message(claimed(sly, "email"))
    assert "<img" not in content.html
    assert "<b>Bcc" not in content.html
    assert "\n" not in content.subject
    assert "\r" not in content.subject
    assert "Hello <img src=x>," in content.body


def test_an_sms_confirmation_leads_to_the_calendar_file_of_the_appointment(row, jane, claimed):
    content = render.message(claimed(jane, "sms", "confirmation", **about(row)))
    assert "Tuesday 24 November at 2:30pm" in content.body
    link = links.find(token_in(content.body, "c"), LinkKind.CALENDAR)
    assert link.appointment == row
    assert links.find(token_in(content.body, "o"), LinkKind.OPT_OUT)


def test_an_email_confirmation_carries_the_calendar_file(row, jane, claimed):
    content = render.message(claimed(jane, "email", "confirmation", **about(row)))
    (file,) = content.attachments
    assert file.name == "appointment.ics"
    assert b"DTSTART:20261124T143000Z" in file.content
    assert "Tuesday 24 November at 2:30pm" in content.subject


@pytest.mark.parametrize("channel", ["sms", "email"])
@pytest.mark.parametrize("purpose", ["confirmation", "reminder"])
def test_nothing_is_said_of_an_appointment_that_is_no_longer_so(
    row, jane, claimed, at, channel, purpose
):
    attempt = claimed(jane, channel, purpose, **about(row))
    later = TUESDAY + timedelta(days=1)
    book.move(appointment=row, diary_id=None, starts_at=later, actor=STAFF, source="staff")
    assert refusal(attempt) == "appointment_moved"
    attempt.appointment_version = 2
    assert "Wednesday 25 November" in every_word(render.message(attempt))
    at(later)
    assert refusal(attempt) == "appointment_over"
    at(later - timedelta(hours=1))
    book.cancel(appointment=row, actor=STAFF, source="staff")
    assert refusal(attempt) == "appointment_cancelled"


def refusal(attempt) -> str:
    with pytest.raises(NothingToSendError) as nothing:
        render.message(attempt)
    return nothing.value.code


@pytest.mark.parametrize("channel", ["sms", "email"])
def test_a_cancellation_is_said_of_a_cancelled_appointment_only(row, jane, claimed, channel):
    attempt = claimed(jane, channel, "cancellation", **about(row))
    assert refusal(attempt) == "appointment_stands"
    book.cancel(appointment=row, actor=STAFF, source="link")
    text = every_word(render.message(attempt))
    assert "cancelled" in text
    assert links.find(token_in(text, "b"), LinkKind.BOOKING)


def test_there_are_no_words_for_what_is_never_sent(row, jane, claimed):
    attempt = claimed(jane, "whatsapp", "reminder", **about(row))
    assert refusal(attempt) == "no_wording"


@pytest.mark.parametrize(
    ("channel", "purpose"),
    [
        ("sms", "recall"),
        ("whatsapp", "recall"),
        ("email", "recall"),
        ("sms", "confirmation"),
        ("email", "confirmation"),
        ("sms", "reminder"),
        ("email", "reminder"),
        ("sms", "cancellation"),
        ("email", "cancellation"),
    ],
)
def test_no_message_tells_of_health_or_promotes_anything(row, jane, claimed, channel, purpose):
    if purpose == "cancellation":
        book.cancel(appointment=row, actor=STAFF, source="link")
    fields = {} if purpose == "recall" else about(row)
    content = render.message(claimed(jane, channel, purpose, **fields))
    text = every_word(content)
    assert text.strip()
    shown = re.sub(r"<[^>]+>", " ", text)
    assert linter.marked(shown) == []
    assert not any(secret.lower() in text.lower() for secret in SECRETS)
    assert "Acuity Opticians" in text
