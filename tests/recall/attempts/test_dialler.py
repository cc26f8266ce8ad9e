"""Which attempts are woken, in what order, how many; and planning one call by hand."""

from datetime import timedelta

import pytest
from django_q.models import OrmQ

from recall.attempts import dialler
from recall.attempts.dialler import Dialler
from recall.models import Attempt, Campaign, Channel
from sightsync.lib import clock
from sightsync.lib.errors import AppError
from tests import engine
from tests.engine import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def woken(monkeypatch):
    """The keys that were put on the queue, in order."""
    keys: list[str] = []
    monkeypatch.setattr(dialler.jobs, "enqueue", lambda job, key: keys.append(key))
    return keys


def people(practice, count: int, prefix: str = "+4477009001") -> list:
    return [engine.patient(practice, f"{prefix}{n:02}") for n in range(count)]


def test_the_riskiest_and_then_the_longest_waiting_go_first(practice, woken):
    first, second, third = people(practice, 3)
    low, high = engine.planned(first, priority=1), engine.planned(second, priority=9)
    old = engine.planned(third, priority=1)
    Attempt.objects.filter(pk=old.pk).update(due_at=clock.now() - timedelta(hours=1))
    Dialler().run(clock.now())
    assert woken == [str(high.pk), str(old.pk), str(low.pk)]


def test_only_as_many_calls_are_woken_as_the_carrier_takes(practice, woken):
    for who in people(practice, 9):
        engine.planned(who)
    assert Dialler().run(clock.now()) == dialler.calls_a_tick() == 3


def test_lines_in_use_leave_room_for_fewer(practice, woken):
    practice.max_live_calls = 2
    practice.save(update_fields=["max_live_calls"])
    first, *others = people(practice, 4)
    engine.under_way(first)
    for who in others:
        engine.planned(who)
    assert Dialler().run(clock.now()) == 1


def test_a_large_practice_keeps_no_other_waiting(practice, other_practice, woken):
    for who in people(practice, 9):
        engine.planned(who, priority=9)
    small = engine.planned(engine.patient(other_practice, "+447700900900"))
    Dialler().run(clock.now())
    assert str(small.pk) in woken[:2]


def test_what_was_woken_is_not_woken_again_at_once(practice, woken):
    engine.planned(engine.patient(practice))
    one = Dialler()
    assert one.run(clock.now()) == 1
    assert one.run(clock.now()) == 0
    one.woken.clear()  # as after its time, or in another process
    assert one.run(clock.now()) == 1


def test_a_paused_campaign_wakes_nothing(practice, woken):
    campaign = Campaign.objects.create(
        practice=practice, name="November", state="paused", started_at=clock.now()
    )
    engine.planned(engine.patient(practice), campaign=campaign)
    assert Dialler().run(clock.now()) == 0


def test_a_stopped_practice_wakes_nothing(practice, woken):
    practice.contact_stopped_at = clock.now()
    practice.save(update_fields=["contact_stopped_at"])
    engine.planned(engine.patient(practice), Channel.SMS)
    assert Dialler().run(clock.now()) == 0


def test_a_long_queue_is_not_made_longer(practice, monkeypatch):
    engine.planned(engine.patient(practice))
    monkeypatch.setattr(dialler.jobs, "waiting", lambda: dialler.LONGEST_QUEUE + 1)
    assert Dialler().run(clock.now()) == 0
    assert not OrmQ.objects.exists()


# --- one call by hand ----------------------------------------------------------------------------


def plan(who) -> Attempt:
    return dialler.plan_call(practice=who.practice, patient=who, actor=ACTOR)


def test_a_call_by_hand_is_due_at_once_and_ahead_of_all(practice):
    engine.register()
    attempt = plan(engine.patient(practice))
    assert (attempt.channel, attempt.due_at) == (Channel.VOICE, clock.now())
    assert attempt.priority == dialler.BY_HAND_PRIORITY
    attempt.episode.refresh_from_db()
    assert attempt.episode.reason == "voice_planned"


def test_pressing_twice_plans_once(practice):
    engine.register()
    jane = engine.patient(practice)
    assert plan(jane) == plan(jane)
    assert Attempt.objects.count() == 1


def test_a_call_that_waits_for_its_turn_is_brought_forward(practice):
    engine.register()
    jane = engine.patient(practice)
    waiting = engine.planned(jane, due_at=clock.now() + timedelta(days=3))
    assert plan(jane) == waiting
    waiting.refresh_from_db()
    assert waiting.due_at == clock.now()


def test_one_that_is_not_allowed_is_refused_with_the_reason_and_plans_nothing(practice, at):
    engine.register()
    jane = engine.patient(practice)
    at("2026-11-22T12:00:00Z")  # a Sunday
    with pytest.raises(AppError) as refusal:
        plan(jane)
    assert (refusal.value.code, refusal.value.status) == ("calling_hours", 425)
    assert refusal.value.extra["next_allowed_at"].isoformat() == "2026-11-23T09:00:00+00:00"
    assert not Attempt.objects.exists()
