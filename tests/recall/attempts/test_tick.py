"""One tick: every part runs whatever becomes of the others, and wakes work without doing it."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django_q.models import OrmQ

from practices.models import Heartbeat, JournalEntry
from recall import tick
from recall.attempts import reconcile
from recall.models import Attempt, AttemptState, StaffTask
from recall.tick import Tick
from sightsync.lib import clock
from tests import engine
from tests.engine import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def woken(monkeypatch):
    found: list[tuple] = []
    monkeypatch.setattr(tick.jobs, "enqueue", lambda *words: found.append(words))
    return found


def test_a_tick_beats_wakes_what_is_due_and_seals_the_journal(practice, woken):
    engine.register()
    attempt = engine.planned(engine.patient(practice))
    Tick().run()
    assert Heartbeat.objects.filter(name="tick").exists()
    assert ("recall.tasks.dial", str(attempt.pk)) in woken
    assert ("recall.tasks.beat",) in woken
    assert not JournalEntry.objects.filter(sequence=None).exists()


def test_a_recall_whose_wait_is_over_is_woken_once(practice, woken):
    episode = engine.planned(engine.patient(practice)).episode
    episode.next_step_at = clock.now() - timedelta(seconds=1)
    episode.save(update_fields=["next_step_at"])
    one = Tick()
    one.run()
    one.run()
    assert woken.count(("recall.tasks.advance", str(episode.pk))) == 1


def test_a_part_that_fails_keeps_no_other_from_running(practice, woken, monkeypatch):
    def fails(now, *, actor):
        raise ZeroDivisionError

    monkeypatch.setattr(tick.reconcile, "run", fails)
    attempt = engine.planned(engine.patient(practice))
    Tick().run()
    assert ("recall.tasks.dial", str(attempt.pk)) in woken


def test_the_command_ticks_once_when_asked(practice):
    call_command("tick", "--once")
    assert Heartbeat.objects.filter(name="tick").exists()
    assert OrmQ.objects.exists()


# --- what a dead worker left ---------------------------------------------------------------------


def later(at, minutes: int) -> None:
    at(clock.now() + timedelta(minutes=minutes))


def test_a_claim_of_a_dead_worker_is_planned_again(practice, at):
    attempt = engine.under_way(
        engine.patient(practice), state=AttemptState.CLAIMED, submitted_at=None, provider_ref=""
    )
    later(at, 2)
    reconcile.run(clock.now(), actor=ACTOR)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.reason) == (AttemptState.PLANNED, "worker_lost")


def test_what_a_dead_worker_may_have_sent_is_unknown_and_asked_about(practice, at):
    attempt = engine.under_way(
        engine.patient(practice), state=AttemptState.SUBMITTING, provider_ref=""
    )
    reconcile.run(clock.now(), actor=ACTOR)
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.SUBMITTING  # its worker may be at it

    later(at, 2)
    reconcile.run(clock.now(), actor=ACTOR)
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.UNKNOWN
    assert list(reconcile.to_look_up(clock.now())) == [attempt.pk]


def test_a_call_of_which_nothing_is_heard_is_asked_about_and_then_shown(practice, at):
    attempt = engine.under_way(engine.patient(practice))
    assert not list(reconcile.to_look_up(clock.now()))
    later(at, 16)
    assert list(reconcile.to_look_up(clock.now())) == [attempt.pk]
    later(at, 25 * 60)
    reconcile.run(clock.now(), actor=ACTOR)
    reconcile.run(clock.now(), actor=ACTOR)
    assert StaffTask.objects.get().attempt == attempt
    assert JournalEntry.objects.filter(action="attempt.shown_to_staff").count() == 1


def test_a_text_that_nobody_reports_on_is_done_after_three_days(practice, at):
    attempt = engine.under_way(engine.patient(practice), "sms", provider_ref="SM" + "0" * 32)
    later(at, 73 * 60)
    reconcile.run(clock.now(), actor=ACTOR)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.outcome) == (AttemptState.DONE, "sent")


def test_two_doubts_about_one_patient_are_shown_one_after_the_other(practice, at):
    jane = engine.patient(practice)
    for channel in ("voice", "sms"):
        engine.under_way(jane, channel, state=AttemptState.UNKNOWN, provider_ref="")
    later(at, 31)
    for _ in range(3):
        reconcile.run(clock.now(), actor=ACTOR)
    assert StaffTask.objects.count() == 1
    assert JournalEntry.objects.filter(action="attempt.shown_to_staff").count() == 1
    assert Attempt.objects.filter(state=AttemptState.UNKNOWN).count() == 2
