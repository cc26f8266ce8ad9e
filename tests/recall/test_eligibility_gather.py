"""What the database gives the rules is what the rows say: for one patient and for many, in a fixed
number of queries, whatever the mix.
"""

from datetime import date, datetime, timedelta

import pytest
from django.db import connection

from patients import suppressions
from patients.models import Suppression, TpsRegister
from recall.eligibility import gather
from recall.models import (
    AppointmentStatus,
    AttemptState,
    Channel,
    Closure,
)
from recall.models.attempts import LIVE_STATES
from sightsync.lib import clock
from tests.recall.eligibility_rows import appointment, call, codes, patient

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 18)


def test_a_patient_whom_nothing_keeps_from_is_allowed(practice, register):
    assert codes(practice, patient(practice)) == ()


def test_an_attempt_does_not_stand_in_its_own_way(practice, register):
    who = patient(practice)
    attempt = call(who, state=AttemptState.CLAIMED)
    assert codes(practice, who) == ("call_under_way",)
    assert codes(practice, who, leaving_out=attempt.pk) == ()


@pytest.mark.parametrize("state", [*LIVE_STATES, AttemptState.DONE, AttemptState.FAILED])
def test_a_submitted_call_counts_whatever_became_of_it(practice, register, state):
    who = patient(practice)
    call(who, timedelta(hours=23, minutes=59), state=state)
    assert "called_in_24_hours" in codes(practice, who)


def test_a_call_never_submitted_does_not_count(practice, register):
    who = patient(practice)
    call(who, state=AttemptState.CANCELLED)
    call(who, state=AttemptState.PLANNED)
    assert codes(practice, who) == ()


def test_spacing_and_cap_hold_for_a_number_that_a_household_shares(practice, register):
    mother = patient(practice)
    child = patient(practice, first_name="Jo")
    for days in (2, 10, 29):
        call(mother, timedelta(days=days))
    assert codes(practice, child) == ("called_3_times_in_30_days",)
    call(mother, timedelta(hours=1))
    assert codes(practice, child) == ("called_3_times_in_30_days", "called_in_24_hours")


def test_they_hold_for_the_patient_when_the_number_has_changed(practice, register):
    who = patient(practice)
    call(who, timedelta(hours=1), destination="+447700900999")
    assert codes(practice, who) == ("called_in_24_hours",)


def test_calls_of_another_practice_to_the_same_number_do_not_count(
    practice, other_practice, register
):
    call(patient(other_practice), timedelta(hours=1))
    assert codes(practice, patient(practice)) == ()


def test_the_cap_ends_thirty_days_after_the_third_last_call(practice, register, now):
    who = patient(practice)
    for days in (3, 5, 8, 20):
        call(who, timedelta(days=days))
    facts = gather.facts_of_patient(who, now)
    assert facts.third_last_call_at == now - timedelta(days=8)
    assert facts.last_call_at == now - timedelta(days=3)


def test_messages_are_no_calls(practice, register):
    who = patient(practice)
    call(who, timedelta(hours=1), channel=Channel.WHATSAPP)
    assert codes(practice, who) == ()


def test_the_register_is_looked_up_live_for_one_patient(practice, register):
    who = patient(practice, tps_listing=0)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO tps_number (n) VALUES (447700900001)")
    assert codes(practice, who) == ("tps_listed",)


def test_no_register_holds_calls_but_not_messages(practice):
    who = patient(practice)
    assert codes(practice, who) == ("tps_register_missing",)
    assert codes(practice, who, Channel.WHATSAPP) == ()


@pytest.mark.parametrize(("age", "stale"), [(28, False), (29, True)])
def test_a_register_is_stale_after_28_days(practice, register, age, stale):
    TpsRegister.objects.update(register_date=TODAY - timedelta(days=age))
    assert ("tps_register_stale" in codes(practice, patient(practice))) is stale


def test_a_suppressed_number_blocks_a_new_record_with_it(practice, register, now):
    Suppression.objects.create(
        practice=practice,
        kind="phone",
        hash=suppressions.phone_hash("+447700900001"),
        source="gdpr",
        created_at=now,
    )
    who = patient(practice, email="jane@example.org")
    for channel in Channel:
        assert "suppressed" in codes(practice, who, channel)
    Suppression.objects.update(lifted_at=now)
    assert codes(practice, who) == ()


def test_a_suppression_of_one_channel_blocks_that_one(practice, register, now):
    Suppression.objects.create(
        practice=practice,
        kind="phone",
        hash=suppressions.phone_hash("+447700900001"),
        channel="voice",
        source="staff",
        created_at=now,
    )
    who = patient(practice)
    assert codes(practice, who) == ("suppressed",)
    assert codes(practice, who, Channel.WHATSAPP) == ()


def test_only_a_live_appointment_ahead_counts(practice, register, now):
    who = patient(practice)
    appointment(who, now + timedelta(days=2), AppointmentStatus.CANCELLED)
    appointment(who, now - timedelta(days=2))
    assert codes(practice, who) == ()
    appointment(who, now + timedelta(days=3), AppointmentStatus.CONFIRMED)
    assert codes(practice, who) == ("future_appointment",)


def test_closures_of_the_practice_stop_calls(practice, register):
    Closure.objects.create(practice=practice, first_day=TODAY, last_day=TODAY + timedelta(days=1))
    verdict = gather.verdict(
        practice=practice, patient=patient(practice), channel=Channel.VOICE, now=clock.now()
    )
    assert verdict.codes == ("calling_hours",)
    assert verdict.next_allowed_at == datetime.fromisoformat("2026-11-20T09:00:00Z")


def test_another_practices_patient_is_not_answered(practice, other_practice, register, now):
    stranger = patient(other_practice)
    found = gather.verdicts(
        practice=practice, channel=Channel.VOICE, now=now, patients=[stranger.pk]
    )
    assert list(found) == []


# --- one patient, a few, a whole practice, a summary: always the same answer --------------------
