"""Two at once: each guard holds, and each has a twin here that shows what happens without it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections

from integrations.twilio import payloads
from practices import quota
from practices.models import JournalEntry, MonthlyUsage
from recall import tasks
from recall.attempts import callbacks, claim, moves, submit
from recall.eligibility import gather
from recall.models import (
    Attempt,
    AttemptState,
    Outcome,
)
from sightsync.lib import clock
from tests import engine
from tests.engine import ACTOR
from tests.invariants import assert_invariants

pytestmark = pytest.mark.django_db(transaction=True)

SID = "CA" + "1" * 32


def at_once(*jobs: Callable[[], Any]) -> list[Any]:
    """Run the jobs on threads of their own, each with its own connection to the database."""

    def run(job: Callable[[], Any]) -> Any:
        try:
            return job()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result(30) for future in [pool.submit(run, job) for job in jobs]]


def meet(monkeypatch: pytest.MonkeyPatch, module: object, name: str, parties: int = 2) -> None:
    """Let the threads wait for each other before that function. Where a guard keeps one of them
    from getting there, the other goes on alone after a moment.
    """
    barrier, function = threading.Barrier(parties), getattr(module, name)

    def meeting(*args: Any, **kwargs: Any) -> Any:
        try:
            barrier.wait(0.7)
        except threading.BrokenBarrierError:
            barrier.abort()
        return function(*args, **kwargs)

    monkeypatch.setattr(module, name, meeting)


def without_state_check(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(attempt_id, *, to, sources=(), only_if=None, **changes):
        return Attempt.objects.filter(pk=attempt_id).update(state=to, **changes) == 1

    monkeypatch.setattr(moves, "move", careless)


def without_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(attempt_id):
        rows = Attempt.objects.select_related("practice", "patient", "episode", "campaign")
        return rows.filter(pk=attempt_id).first()

    monkeypatch.setattr(moves, "lock", careless)


@pytest.fixture
def number_constraint_off(transactional_db):
    """The database lets one number be rung twice at a time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [ONE_LIVE_CALL])
        (definition,) = cursor.fetchone()
        cursor.execute(f"DROP INDEX {ONE_LIVE_CALL}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE recall_attempt CASCADE")
        cursor.execute(definition)


ONE_LIVE_CALL = "one_live_call_per_number"


def dial(attempt: Attempt) -> Callable[[], None]:
    return lambda: tasks.dial(str(attempt.pk))


# --- the same attempt, two workers --------------------------------------------------------------


def test_two_workers_with_one_attempt_make_one_call(jane, carrier, monkeypatch):
    attempt = engine.planned(jane)
    meet(monkeypatch, claim, "claim")
    at_once(dial(attempt), dial(attempt))
    carrier.wait_idle()
    assert len(carrier.calls_to(jane.phone_number)) == 1


def test_without_lock_and_state_check_two_workers_make_two_calls(jane, reckless, monkeypatch):
    without_lock(monkeypatch)
    without_state_check(monkeypatch)
    attempt = engine.planned(jane)
    meet(monkeypatch, gather, "verdict")
    at_once(dial(attempt), dial(attempt))
    assert len(reckless.calls_to(jane.phone_number)) == 2
    with pytest.raises(AssertionError, match="I6"):
        assert_invariants(reckless.log())


def test_the_state_check_alone_is_enough(jane, carrier, monkeypatch):
    without_lock(monkeypatch)
    attempt = engine.planned(jane)
    meet(monkeypatch, gather, "verdict")
    at_once(dial(attempt), dial(attempt))
    carrier.wait_idle()
    assert len(carrier.calls_to(jane.phone_number)) == 1


def test_a_claim_given_to_another_worker_meanwhile_sends_nothing(jane, carrier):
    """A worker that slept through its lease wakes up when somebody else has the claim."""
    attempt = engine.planned(jane)
    sleeper = claim.claim(attempt.pk, actor=ACTOR)
    claim.unclaim(sleeper, due_at=clock.now())
    clock_was = clock.now()
    clock.use(lambda: clock_was.replace(second=30))
    other = claim.claim(attempt.pk, actor=ACTOR)

    submit.submit(sleeper, compose=None, actor=ACTOR)
    assert not carrier.calls_to(jane.phone_number)
    submit.submit(other, compose=None, actor=ACTOR)
    carrier.wait_idle()
    assert len(carrier.calls_to(jane.phone_number)) == 1


# --- one patient, two attempts ------------------------------------------------------------------


def two_attempts(jane) -> tuple[Attempt, Attempt]:
    return engine.planned(jane), engine.planned(jane, episode=None)


def test_two_attempts_for_one_patient_at_once_make_one_call(jane, carrier, monkeypatch):
    first, second = two_attempts(jane)
    meet(monkeypatch, gather, "verdict")
    at_once(dial(first), dial(second))
    carrier.wait_idle()
    assert len(carrier.calls_to(jane.phone_number)) == 1


def test_without_the_patients_lock_the_constraint_still_makes_it_one(jane, carrier, monkeypatch):
    without_lock(monkeypatch)
    first, second = two_attempts(jane)
    meet(monkeypatch, gather, "verdict")
    at_once(dial(first), dial(second))
    carrier.wait_idle()
    assert len(carrier.calls_to(jane.phone_number)) == 1
    assert Attempt.objects.filter(state=AttemptState.PLANNED, reason="call_under_way").exists()


def test_without_the_constraint_the_patients_lock_still_makes_it_one(
    number_constraint_off, jane, carrier, monkeypatch
):
    first, second = two_attempts(jane)
    meet(monkeypatch, gather, "verdict")
    at_once(dial(first), dial(second))
    carrier.wait_idle()
    assert len(carrier.calls_to(jane.phone_number)) == 1


def test_without_both_the_patient_is_rung_twice(number_constraint_off, jane, reckless, monkeypatch):
    without_lock(monkeypatch)
    first, second = two_attempts(jane)
    meet(monkeypatch, gather, "verdict")
    at_once(dial(first), dial(second))
    assert len(reckless.calls_to(jane.phone_number)) == 2
    with pytest.raises(AssertionError, match="I1"):
        assert_invariants(reckless.log())


def test_a_household_on_one_number_is_rung_once_at_a_time(practice, carrier, jane, monkeypatch):
    """Two patients have two locks: here the constraint is the guard."""
    child = engine.patient(practice, jane.phone_number, first_name="Tim")
    first, second = engine.planned(jane), engine.planned(child)
    meet(monkeypatch, gather, "verdict")
    at_once(dial(first), dial(second))
    carrier.wait_idle()
    assert len(carrier.calls_to(jane.phone_number)) == 1


def test_without_the_constraint_a_household_is_rung_twice(
    number_constraint_off, practice, jane, reckless, monkeypatch
):
    child = engine.patient(practice, jane.phone_number, first_name="Tim")
    first, second = engine.planned(jane), engine.planned(child)
    meet(monkeypatch, gather, "verdict")
    at_once(dial(first), dial(second))
    assert len(reckless.calls_to(jane.phone_number)) == 2


# --- quota and lines ----------------------------------------------------------------------------


def test_the_last_call_of_the_month_is_given_away_once(practice):
    month = quota.month_of(clock.now())
    MonthlyUsage.objects.create(practice=practice, month=month, calls_used=749)
    takes = at_once(*[lambda: quota.take(practice=practice, month=month)] * 6)
    assert takes.count(True) == 1
    assert quota.used(practice_id=practice.pk, month=month) == 750


def test_without_the_condition_the_plan_would_be_overrun(practice, monkeypatch):
    month = quota.month_of(clock.now())
    MonthlyUsage.objects.create(practice=practice, month=month, calls_used=749)
    barrier = threading.Barrier(2)

    def careless() -> bool:
        row = MonthlyUsage.objects.get(practice=practice, month=month)
        barrier.wait(5)
        if row.calls_used >= 750:
            return False
        MonthlyUsage.objects.filter(pk=row.pk).update(calls_used=row.calls_used + 1)
        return True

    assert at_once(careless, careless) == [True, True]


def test_no_more_calls_at_a_time_than_the_practice_has_lines(practice, carrier, monkeypatch):
    engine.register()
    practice.max_live_calls = 2
    practice.save(update_fields=["max_live_calls"])
    people = [engine.patient(practice, f"+4477009001{n}") for n in (17, 27, 37, 47)]
    attempts = [engine.planned(who) for who in people]
    meet(monkeypatch, gather, "verdict", parties=4)
    at_once(*[lambda key=row.pk: claim.claim(key, actor=ACTOR) for row in attempts])
    assert Attempt.objects.filter(state=AttemptState.CLAIMED).count() == 2
    assert quota.used(practice_id=practice.pk, month=quota.month_of(clock.now())) == 2


def test_without_the_locked_count_all_lines_would_be_overrun(practice, monkeypatch):
    """The guard off: the usage row is not locked, so every claim counts the same lines."""
    engine.register()
    practice.max_live_calls = 2
    practice.save(update_fields=["max_live_calls"])
    people = [engine.patient(practice, f"+4477009001{n}") for n in (17, 27, 37, 47)]
    attempts = [engine.planned(who) for who in people]
    monkeypatch.setattr(quota, "take", lambda *, practice, month: True)
    barrier, count = threading.Barrier(4), claim._lines_in_use

    def counting(attempt, now):
        found = count(attempt, now)
        barrier.wait(5)
        return found

    monkeypatch.setattr(claim, "_lines_in_use", counting)
    at_once(*[lambda key=row.pk: claim.claim(key, actor=ACTOR) for row in attempts])
    assert Attempt.objects.filter(state=AttemptState.CLAIMED).count() == 4


# --- callbacks ----------------------------------------------------------------------------------


def completed() -> payloads.CallEvent:
    return payloads.call_event({"CallSid": SID, "CallStatus": "completed"})


def ends(attempt: Attempt) -> int:
    return (
        JournalEntry.objects.filter(
            subject_id=str(attempt.pk), action__startswith="call.", action__endswith="ed"
        )
        .exclude(action="call.started")
        .count()
    )


def test_the_same_report_on_two_lines_at_once_is_applied_once(jane, carrier, monkeypatch):
    attempt = engine.under_way(jane, provider_ref=SID)
    at_once(*[lambda: callbacks.call_status(attempt.pk, completed())] * 4)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.outcome) == (AttemptState.DONE, Outcome.HUNG_UP)
    assert ends(attempt) == 1
    assert attempt.events.count() == 1


def test_without_lock_and_state_check_a_call_would_end_twice(jane, reckless, monkeypatch):
    without_lock(monkeypatch)
    without_state_check(monkeypatch)
    attempt = engine.under_way(jane, provider_ref=SID)
    # Different words, so that the constraint on events is not what saves us.
    meet(monkeypatch, callbacks, "_forward")
    at_once(
        lambda: callbacks.call_status(attempt.pk, completed()),
        lambda: callbacks.call_status(
            attempt.pk, payloads.call_event({"CallSid": SID, "CallStatus": "busy"})
        ),
    )
    assert ends(attempt) == 2
    with pytest.raises(AssertionError, match="I8"):
        assert_invariants(reckless.log())
