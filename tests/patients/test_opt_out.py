"""Opt-outs: at once, for everyone who shares the number, in the suppression list, and back
again.
"""

from collections.abc import Callable
from typing import Any

import pytest

from patients import opt_out, records, suppressions
from patients.models import Patient, Suppression
from practices.journal import Actor
from practices.models import JournalEntry, Practice
from sightsync.lib import clock
from sightsync.lib.errors import AppError

ACTOR = Actor.system("test")
PHONE = "+447700900001"


def patient(practice: Practice, **data: Any) -> Patient:
    data = {"first_name": "Jane", "phone_number": "07700900001", "email": "a@example.org"} | data
    return records.upsert(practice=practice, data=data, source="api", actor=ACTOR).patient


def recorded() -> list[JournalEntry]:
    return list(JournalEntry.objects.filter(action="optout.recorded").order_by("id"))


def blocked(practice: Practice, channel: str, phone: str = PHONE, email: str = "") -> bool:
    return suppressions.is_suppressed(
        practice_id=practice.pk, channel=channel, phone=phone, email=email
    )


def test_a_total_opt_out_blocks_every_channel_and_leaves_its_hashes(practice: Practice) -> None:
    jane = patient(practice)
    outcome = opt_out.record(patient=jane, source="phone_call", actor=Actor.patient(jane.pk))
    jane.refresh_from_db()
    assert outcome.changed
    assert jane.opted_out_at == clock.now()
    assert jane.opted_out_source == "phone_call"
    assert all(opt_out.is_opted_out(jane, channel) for channel in suppressions.CHANNELS)
    assert {(row.kind, row.channel) for row in Suppression.objects.all()} == {
        ("phone", "all"),
        ("email", "all"),
    }
    assert all(blocked(practice, channel) for channel in suppressions.CHANNELS)
    (entry,) = recorded()
    assert entry.facts == {"channel": "all", "source": "phone_call"}


def test_a_repeat_changes_nothing(practice: Practice, at: Callable[[str], None]) -> None:
    jane = patient(practice)
    opt_out.record(patient=jane, source="phone_call", actor=ACTOR)
    first = Patient.objects.get()
    at("2026-11-19T10:00:00Z")
    assert not opt_out.record(patient=jane, source="sms_reply", actor=ACTOR).changed
    again = Patient.objects.get()
    assert (again.opted_out_at, again.updated_at) == (first.opted_out_at, first.updated_at)
    assert len(recorded()) == 1


def test_it_holds_for_everyone_of_the_practice_who_shares_the_number(
    practice: Practice, other_practice: Practice
) -> None:
    mother = patient(practice, external_id="1")
    child = patient(practice, external_id="2", first_name="Tom", email="")
    elsewhere = patient(other_practice)
    outcome = opt_out.record(patient=mother, source="sms_reply", actor=ACTOR)
    assert set(outcome.patients) == {mother.pk, child.pk}
    child.refresh_from_db()
    elsewhere.refresh_from_db()
    assert child.opted_out
    assert not elsewhere.opted_out
    assert not blocked(other_practice, "sms")
    assert len(recorded()) == 2


@pytest.mark.parametrize("channel", suppressions.CHANNELS)
def test_one_channel_leaves_the_others(practice: Practice, channel: str) -> None:
    jane = patient(practice)
    opt_out.record(patient=jane, source="staff", actor=ACTOR, channel=channel)
    jane.refresh_from_db()
    for other in suppressions.CHANNELS:
        assert opt_out.is_opted_out(jane, other) == (other == channel)
        assert blocked(practice, other, email="a@example.org") == (other == channel)


def test_a_number_that_no_patient_has_is_remembered(practice: Practice) -> None:
    outcome = opt_out.record_number(practice=practice, phone=PHONE, source="sms_reply", actor=ACTOR)
    assert (outcome.changed, outcome.patients) == (True, ())
    assert blocked(practice, "voice")
    (entry,) = recorded()
    assert entry.patient_id is None
    opt_out.record_number(practice=practice, phone=PHONE, source="sms_reply", actor=ACTOR)
    assert len(recorded()) == 1


def test_the_word_outlives_the_record(practice: Practice) -> None:
    jane = patient(practice)
    opt_out.record(patient=jane, source="staff", actor=ACTOR)
    Patient.objects.all().delete()
    assert patient(practice, email="").opted_out
    assert patient(practice, phone_number="07700900002", email="A@EXAMPLE.ORG").opted_out


def test_staff_can_allow_contact_again_with_a_reason(practice: Practice) -> None:
    mother = patient(practice, external_id="1")
    child = patient(practice, external_id="2", first_name="Tom")
    opt_out.record(patient=child, source="staff", actor=ACTOR)
    opt_out.record(patient=child, source="staff", actor=ACTOR, channel="voice")
    outcome = opt_out.withdraw(
        patient=mother, reason=opt_out.Reason.CONSENT_BY_PHONE, source="staff", actor=ACTOR
    )
    assert outcome.changed
    for person in (mother, child):
        person.refresh_from_db()
        assert not any(opt_out.is_opted_out(person, c) for c in suppressions.CHANNELS)
    assert not blocked(practice, "voice")
    facts = JournalEntry.objects.filter(action="optout.withdrawn").first()
    assert facts is not None
    assert facts.facts == {"channel": "all", "source": "staff", "reason": "consent_by_phone"}
    assert not opt_out.withdraw(
        patient=mother, reason=opt_out.Reason.CONSENT_BY_PHONE, source="staff", actor=ACTOR
    ).changed


def test_a_lifted_suppression_can_be_recorded_again(practice: Practice) -> None:
    for _ in range(2):
        assert opt_out.record_number(
            practice=practice, phone=PHONE, source="sms_reply", actor=ACTOR
        ).changed
        assert blocked(practice, "sms")
        assert opt_out.withdraw_number(
            practice=practice,
            phone=PHONE,
            reason=opt_out.Reason.CONSENT_BY_MESSAGE,
            source="sms_reply",
            actor=ACTOR,
        ).changed
        assert not blocked(practice, "sms")
    assert Suppression.objects.count() == 1


def test_withdrawing_one_channel_leaves_the_others_blocked(practice: Practice) -> None:
    jane = patient(practice)
    for channel in ("voice", "sms"):
        opt_out.record(patient=jane, source="staff", actor=ACTOR, channel=channel)
    opt_out.withdraw(
        patient=jane,
        reason=opt_out.Reason.RECORDED_BY_MISTAKE,
        source="staff",
        actor=ACTOR,
        channel="voice",
    )
    jane.refresh_from_db()
    assert jane.opted_out_channels == ["sms"]
    assert not blocked(practice, "voice")
    assert blocked(practice, "sms")


def test_an_unknown_channel_is_refused(practice: Practice) -> None:
    with pytest.raises(AppError) as refusal:
        opt_out.record(patient=patient(practice), source="staff", actor=ACTOR, channel="fax")
    assert refusal.value.status == 400
    assert not Suppression.objects.exists()


def test_many_numbers_are_checked_in_one_query(
    practice: Practice, django_assert_num_queries: Any
) -> None:
    opt_out.record_number(practice=practice, phone=PHONE, source="staff", actor=ACTOR)
    hashes = [h for n in range(500) for h in suppressions.of(phone=f"+447700900{n:03d}")]
    with django_assert_num_queries(1):
        found = suppressions.find(practice_id=practice.pk, hashes=hashes)
    assert len(found.channels) == 1
