"""The claim: every rule from fresh rows, quota, a line, the number; or where else it goes."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from practices import quota
from practices.models import JournalEntry, MonthlyUsage
from recall.attempts import claim, moves
from recall.models import Appointment, Attempt, AttemptState, Campaign, Channel
from sightsync.lib import clock
from tests import engine
from tests.engine import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def jane(practice):
    engine.register()
    return engine.patient(practice, email="jane@example.org")


def claimed(attempt) -> Attempt | None:
    return claim.claim(attempt.pk, actor=ACTOR)


def used(practice) -> int:
    return quota.used(practice_id=practice.pk, month=quota.month_of(clock.now()))


def test_a_claim_fixes_the_number_counts_the_call_and_keeps_why_it_was_allowed(jane):
    attempt = claimed(engine.planned(jane))
    assert attempt is not None
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.CLAIMED
    assert attempt.destination == jane.phone_number
    assert used(jane.practice) == 1
    assert attempt.receipt["register_date"] == "2026-11-10"
    assert attempt.receipt["local_time"] == "2026-11-18T10:04:00+00:00"
    assert attempt.receipt["rules"]["tps_listed"] is True
    assert JournalEntry.objects.filter(action="attempt.claimed", subject_id=attempt.pk).exists()


@pytest.mark.parametrize(
    ("channel", "destination"),
    [(Channel.EMAIL, "jane@example.org"), (Channel.WHATSAPP, engine.JANE)],
)
def test_a_message_takes_no_call_from_the_quota(jane, channel, destination):
    attempt = claimed(engine.planned(jane, channel))
    assert attempt is not None
    assert attempt.destination == destination
    assert used(jane.practice) == 0


def test_out_of_hours_it_waits_for_the_morning(jane, at):
    at("2026-11-20T18:00:00Z")  # a Friday, and six o'clock is too late
    attempt = engine.planned(jane)
    assert claimed(attempt) is None
    attempt.refresh_from_db()
    assert (attempt.state, attempt.reason) == (AttemptState.PLANNED, "calling_hours")
    assert attempt.due_at == datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_a_second_before_the_end_of_the_day_it_goes(jane, at):
    at("2026-11-20T17:59:59Z")
    assert claimed(engine.planned(jane)) is not None


def test_a_lasting_reason_for_the_call_passes_on_to_the_next_channel(practice):
    engine.register()
    listed = engine.patient(practice, tps_listing=1)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO tps_number (n) VALUES (447700900001)")
    attempt = engine.planned(listed)
    assert claimed(attempt) is None
    attempt.refresh_from_db()
    assert (attempt.state, attempt.reason) == (AttemptState.CANCELLED, "tps_listed")
    following = Attempt.objects.get(patient=listed, state=AttemptState.PLANNED)
    assert following.channel == Channel.WHATSAPP


def test_what_the_practice_has_to_mend_is_looked_at_again_later(practice):
    patient = engine.patient(practice)  # and no register is loaded
    attempt = engine.planned(patient)
    assert claimed(attempt) is None
    attempt.refresh_from_db()
    assert (attempt.state, attempt.reason) == (AttemptState.PLANNED, "tps_register_missing")
    assert attempt.due_at == clock.now() + claim.HELD_RECHECK


def test_an_appointment_ahead_ends_the_recall(jane):
    Appointment.objects.create(
        practice=jane.practice,
        patient=jane,
        starts_at=clock.now() + timedelta(days=2),
        ends_at=clock.now() + timedelta(days=2, minutes=30),
        source="staff",
        created_at=clock.now(),
    )
    attempt = engine.planned(jane)
    assert claimed(attempt) is None
    attempt.refresh_from_db()
    assert (attempt.state, attempt.reason) == (AttemptState.CANCELLED, "future_appointment")
    attempt.episode.refresh_from_db()
    assert attempt.episode.state == "booked"


def test_a_used_up_quota_waits_for_the_new_month(jane):
    month = quota.month_of(clock.now())
    MonthlyUsage.objects.create(practice=jane.practice, month=month, calls_used=750)
    attempt = engine.planned(jane)
    assert claimed(attempt) is None
    attempt.refresh_from_db()
    assert attempt.reason == "quota_used_up"
    assert attempt.due_at >= datetime(2026, 12, 1, tzinfo=UTC)
    assert used(jane.practice) == 750


def test_with_all_lines_busy_it_stays_due_and_counts_for_nothing(practice, jane):
    practice.max_live_calls = 1
    practice.save(update_fields=["max_live_calls"])
    engine.under_way(engine.patient(practice, "+447700900002"))
    attempt = engine.planned(jane)
    assert claimed(attempt) is None
    attempt.refresh_from_db()
    assert (attempt.state, attempt.due_at) == (AttemptState.PLANNED, clock.now())
    assert used(practice) == 0


def test_a_call_nobody_knows_of_frees_its_line_after_half_an_hour(practice, jane):
    practice.max_live_calls = 1
    practice.save(update_fields=["max_live_calls"])
    engine.under_way(
        engine.patient(practice, "+447700900002"),
        state=AttemptState.UNKNOWN,
        submitted_at=clock.now() - timedelta(minutes=31),
    )
    assert claimed(engine.planned(jane)) is not None


@pytest.mark.parametrize(("state", "left_in"), [("paused", "planned"), ("stopped", "cancelled")])
def test_a_campaign_that_does_not_run_claims_nothing(jane, state, left_in):
    campaign = Campaign.objects.create(
        practice=jane.practice, name="November", state=state, started_at=clock.now()
    )
    attempt = engine.planned(jane, campaign=campaign)
    assert claimed(attempt) is None
    attempt.refresh_from_db()
    assert attempt.state == left_in


def test_what_is_left_of_a_closed_recall_is_cancelled(jane):
    """It was claimed when the recall closed, and its claim was given up since."""
    attempt = engine.planned(jane)
    episode = attempt.episode
    episode.state, episode.closed_at = "ended", clock.now()
    episode.save(update_fields=["state", "closed_at"])
    assert claimed(attempt) is None
    attempt.refresh_from_db()
    assert (attempt.state, attempt.reason) == (AttemptState.CANCELLED, "recall_closed")


def test_what_is_not_due_yet_is_not_claimed(jane):
    assert claimed(engine.planned(jane, due_at=clock.now() + timedelta(seconds=1))) is None


def test_a_claim_given_up_leaves_nothing_behind(jane):
    attempt = claimed(engine.planned(jane))
    assert claim.unclaim(attempt, due_at=clock.now())
    assert not claim.unclaim(attempt, due_at=clock.now())
    assert used(jane.practice) == 0
    attempt.refresh_from_db()
    assert (attempt.state, attempt.destination, attempt.receipt) == ("planned", "", {})


def test_a_move_that_the_table_does_not_know_is_a_bug(jane):
    attempt = engine.planned(jane)
    with pytest.raises(ValueError, match="no move"):
        moves.move(attempt.pk, to=AttemptState.DONE, sources=(AttemptState.PLANNED,))


def test_a_claim_takes_few_queries(jane):
    attempt = engine.planned(jane)
    with CaptureQueriesContext(connection) as queries:
        claimed(attempt)
    assert len(queries) <= 20
