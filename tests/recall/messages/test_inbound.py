"""What patients write back: signed, kept once, acted on once."""

import itertools
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client

from integrations.twilio import signature
from patients import suppressions
from patients.models import Suppression
from practices.models import JournalEntry
from recall import episodes
from recall.booking import book
from recall.messages import inbound
from recall.models import Appointment, Attempt, Episode, InboundMessage, StaffTask
from sightsync.lib import clock
from tests.database import fingerprint
from tests.recall.booking.conftest import STAFF

PATH = "/hooks/twilio/inbound/message"
TUESDAY = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
CASES = json.loads((Path(__file__).parents[2] / "data" / "inbound_messages.json").read_text())
_sids = itertools.count()


@pytest.fixture
def carrier(settings, db):
    """Writes to us as Twilio does."""

    def send(sender: str, body: str, *, to="+441184960001", token=None, **more):
        fields = {
            "MessageSid": f"SM{next(_sids):032x}",
            "AccountSid": settings.TWILIO_ACCOUNT_SID,
            "From": sender,
            "To": to,
            "Body": body,
            "NumMedia": "0",
            **more,
        }
        signed = signature.sign(
            url=settings.PUBLIC_BASE_URL + PATH,
            params=fields,
            token=token or settings.TWILIO_AUTH_TOKEN,
        )
        return Client(enforce_csrf_checks=True).post(
            PATH, fields, headers={"X-Twilio-Signature": signed}
        )

    return send


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


def planned(practice, patient, **fields) -> Attempt:
    values = {"channel": "whatsapp", "due_at": clock.now(), "created_at": clock.now(), **fields}
    return Attempt.objects.create(practice=practice, patient=patient, **values)


# --- who may speak ------------------------------------------------------------------------------


def test_without_a_signature_nothing_is_read_or_written(carrier, jane):
    before = fingerprint()
    fields = {"MessageSid": "SM1", "From": jane.phone_number, "To": "+441184960001", "Body": "STOP"}
    assert Client().post(PATH, fields).status_code == 403
    assert carrier(jane.phone_number, "STOP", token="another's").status_code == 403
    assert fingerprint() == before


def test_another_account_is_not_ours(carrier, jane):
    answer = carrier(jane.phone_number, "STOP", AccountSid="AC" + "0" * 32)
    assert answer.status_code == 403
    assert not InboundMessage.objects.exists()


def test_a_form_without_its_fields_is_refused(carrier):
    assert carrier("", "STOP").status_code == 400


def test_the_answer_is_always_the_same_and_says_nothing(carrier, jane):
    answers = [carrier(jane.phone_number, body) for body in ("STOP", "hello", "YES")]
    answers.append(carrier("+447700900999", "STOP", to="+440000000000"))
    assert {answer.status_code for answer in answers} == {200}
    (content,) = {answer.content for answer in answers}
    assert content.endswith(b"<Response></Response>")


# --- stop ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "whatsapp:"])
def test_stop_opts_out_everybody_on_the_number_and_cancels_all_that_was_queued(
    carrier, practice, jane, row, make_patient, prefix
):
    child = make_patient(phone_number=jane.phone_number, first_name="Tim")
    bystander = make_patient()
    (episode,) = episodes.ensure_open(
        practice=practice, patients=[child], campaign=None, actor=STAFF
    )
    mine = planned(practice, child, episode=episode)
    theirs = planned(practice, bystander)
    carrier(prefix + jane.phone_number, "STOP", to=prefix + "+441184960001")
    for patient in (jane, child):
        patient.refresh_from_db()
        assert patient.opted_out
    bystander.refresh_from_db()
    assert not bystander.opted_out
    states = dict(Attempt.objects.values_list("pk", "state"))
    assert states.pop(theirs.pk) == "planned"
    assert set(states.values()) == {"cancelled"}
    assert mine.pk in states
    episode.refresh_from_db()
    assert episode.state == "opted_out"
    assert jane.opted_out_source == ("whatsapp_reply" if prefix else "sms_reply")


@pytest.mark.parametrize("body", CASES["stop"])
def test_every_way_of_saying_stop_stops(carrier, jane, body):
    carrier(jane.phone_number, body)
    jane.refresh_from_db()
    assert jane.opted_out


def test_the_carriers_own_word_counts_whatever_the_text_says(carrier, jane):
    carrier(jane.phone_number, "arrêt", OptOutType="STOP")
    jane.refresh_from_db()
    assert jane.opted_out


def test_a_number_that_nobody_has_is_remembered_by_its_hash(carrier, practice):
    carrier("+447700900777", "STOP")
    assert suppressions.is_suppressed(practice_id=practice.pk, channel="sms", phone="+447700900777")
    assert "447700900777" not in str(list(Suppression.objects.values()))


def test_stop_holds_for_every_practice_that_writes_from_that_number(
    carrier, practice, other_practice, jane
):
    other_practice.caller_number = practice.caller_number
    other_practice.save(update_fields=["caller_number"])
    carrier(jane.phone_number, "STOP")
    for one in (practice, other_practice):
        assert suppressions.is_suppressed(
            practice_id=one.pk, channel="voice", phone=jane.phone_number
        )


def test_stop_to_one_practice_is_not_stop_to_another(carrier, other_practice, jane):
    carrier(jane.phone_number, "STOP")
    assert not Suppression.objects.filter(practice=other_practice).exists()


def test_a_bare_cancel_from_somebody_with_an_appointment_goes_to_a_person_too(carrier, jane, row):
    carrier(jane.phone_number, "CANCEL")
    jane.refresh_from_db()
    row.refresh_from_db()
    assert jane.opted_out
    assert row.status == "booked"
    assert StaffTask.objects.get().kind == "reply"


def test_start_opts_nobody_in_and_goes_to_a_person(carrier, jane):
    carrier(jane.phone_number, "STOP")
    carrier(jane.phone_number, "START")
    jane.refresh_from_db()
    assert jane.opted_out
    assert StaffTask.objects.get().kind == "reply"


# --- confirm ------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", CASES["confirm"])
def test_every_way_of_saying_yes_confirms(carrier, jane, row, body):
    carrier(jane.phone_number, body)
    row.refresh_from_db()
    assert row.status == "confirmed"
    assert not StaffTask.objects.exists()
    assert InboundMessage.objects.get().meaning == "confirm"


def test_yes_without_an_appointment_goes_to_a_person(carrier, jane):
    carrier(jane.phone_number, "YES")
    assert InboundMessage.objects.get().meaning == "other"
    assert StaffTask.objects.get().patient_id == jane.pk


def test_yes_to_an_appointment_that_is_over_goes_to_a_person(carrier, jane, row, at):
    at(TUESDAY + timedelta(hours=1))
    carrier(jane.phone_number, "YES")
    row.refresh_from_db()
    assert row.status == "booked"
    assert StaffTask.objects.exists()


def test_of_a_household_the_one_last_written_to_is_confirmed(
    carrier, practice, jane, row, make_patient
):
    child = make_patient(phone_number=jane.phone_number, first_name="Tim")
    other = book.book(
        practice=practice,
        patient=child,
        diary_id=None,
        starts_at=TUESDAY + timedelta(hours=1),
        source="call",
        actor=STAFF,
    )
    sent = Attempt.objects.get(appointment=other)
    Attempt.objects.filter(pk=sent.pk).update(
        destination=child.phone_number, submitted_at=clock.now(), state="accepted"
    )
    carrier(jane.phone_number, "YES")
    row.refresh_from_db()
    other.refresh_from_db()
    assert (row.status, other.status) == ("booked", "confirmed")


def test_of_a_household_with_two_appointments_and_no_message_a_person_asks(
    carrier, practice, jane, row, make_patient
):
    child = make_patient(phone_number=jane.phone_number, first_name="Tim")
    book.book(
        practice=practice,
        patient=child,
        diary_id=None,
        starts_at=TUESDAY + timedelta(hours=1),
        source="call",
        actor=STAFF,
    )
    carrier(jane.phone_number, "YES")
    assert not Appointment.objects.filter(status="confirmed").exists()
    assert StaffTask.objects.filter(kind="reply").exists()


def test_nobody_confirms_from_another_number(carrier, row, make_patient):
    carrier(make_patient().phone_number, "YES")
    row.refresh_from_db()
    assert row.status == "booked"


# --- the rest -----------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [body for body in CASES["other"] if "\x00" not in body])
def test_anything_else_is_a_task_and_changes_nothing(carrier, jane, row, body):
    carrier(jane.phone_number, body)
    jane.refresh_from_db()
    row.refresh_from_db()
    assert not jane.opted_out
    assert row.status == "booked"
    assert StaffTask.objects.get().kind == "reply"


def test_the_words_are_kept_encrypted_and_the_journal_has_none(carrier, jane):
    carrier(jane.phone_number, "I have a secret")
    kept = InboundMessage.objects.get()
    assert kept.body == "I have a secret"
    assert kept.patient_id == jane.pk
    raw = InboundMessage.objects.extra(select={"raw": "body"}).values_list("raw", flat=True)
    assert "secret" not in str(list(raw))
    entry = JournalEntry.objects.get(action="message.received")
    assert entry.facts == {"channel": "sms", "meaning": "other"}


@pytest.mark.parametrize("body", ["STOP", "YES", "hello"])
def test_a_repeat_of_the_carrier_changes_nothing(carrier, jane, row, body):
    carrier(jane.phone_number, body, MessageSid="SM" + "7" * 32)
    before = fingerprint()
    assert carrier(jane.phone_number, body, MessageSid="SM" + "7" * 32).status_code == 200
    assert fingerprint() == before


def test_a_reply_belongs_to_the_practice_that_wrote_last(
    carrier, practice, other_practice, jane, make_patient
):
    other_practice.caller_number = practice.caller_number
    other_practice.save(update_fields=["caller_number"])
    theirs = make_patient(
        practice=other_practice,
        phone_number=jane.phone_number,
        next_clinical_due_date=date(2026, 1, 1),
    )
    for patient, hours in ((jane, 5), (theirs, 1)):
        planned(
            patient.practice,
            patient,
            state="accepted",
            destination=patient.phone_number,
            submitted_at=clock.now() - timedelta(hours=hours),
        )
    carrier(jane.phone_number, "hello")
    kept = InboundMessage.objects.get()
    assert (kept.practice_id, kept.patient_id) == (other_practice.pk, theirs.pk)


def test_what_was_kept_but_not_acted_on_is_taken_up_later(practice, jane, at):
    InboundMessage.objects.create(
        practice=practice,
        channel="sms",
        provider_ref="SM9",
        sender=jane.phone_number,
        body="STOP",
        received_at=clock.now(),
    )
    assert inbound.finish_left_over() == 0
    at(clock.now() + timedelta(minutes=1))
    assert inbound.finish_left_over() == 1
    assert inbound.finish_left_over() == 0
    jane.refresh_from_db()
    assert jane.opted_out


def test_a_stop_that_fails_half_way_is_kept_and_changes_nothing_else(
    carrier, practice, jane, monkeypatch, at
):
    def fail(**_):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(inbound.contact_stop, "opt_out", fail)
    with pytest.raises(RuntimeError):
        carrier(jane.phone_number, "STOP")
    assert InboundMessage.objects.get().meaning == ""
    monkeypatch.undo()
    at(clock.now() + timedelta(minutes=1))
    inbound.finish_left_over()
    jane.refresh_from_db()
    assert jane.opted_out


def test_an_open_recall_ends_when_the_patient_says_stop(carrier, practice, jane):
    episodes.ensure_open(practice=practice, patients=[jane], campaign=None, actor=STAFF)
    carrier(jane.phone_number, "please stop calling me")
    assert Episode.objects.get().state == "opted_out"
