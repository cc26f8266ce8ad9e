"""Every five minutes each system is asked; who cannot be reached holds up nobody."""

from datetime import timedelta

import pytest
from django_q.models import OrmQ

from integrations import connections
from integrations.models import Connection, ConnectionState
from recall import tasks
from recall.booking import poll
from recall.models import Appointment, BusyTime
from recall.tick import Tick
from sightsync.lib import clock
from tests import threads
from tests.engine import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def ready(connection) -> Connection:
    poll.begin_new(clock.now())
    connection.refresh_from_db()
    return connection


def test_asks_every_five_minutes_and_remembers_how_far(ready, optix) -> None:
    assert poll.due(clock.now(), 10) == [ready.pk]
    tasks.poll(str(ready.pk))
    ready.refresh_from_db()
    assert ready.next_poll_at == clock.now() + timedelta(minutes=5)
    assert (ready.polled_at, ready.poll_lease_until) == (clock.now(), None)
    assert ready.changes_since is not None
    assert BusyTime.objects.filter(connection=ready).exists()
    assert poll.due(clock.now(), 10) == []


def test_the_second_time_only_what_has_changed(ready, optix, at) -> None:
    tasks.poll(str(ready.pk))
    at(clock.now() + timedelta(minutes=5))
    tasks.poll(str(ready.pk))
    asked = [
        row["params"]
        for row in optix.requests()
        if row["path"].endswith("appointments") and row["method"] == "GET"
    ]
    assert len([params for params in asked if any("since" in name.lower() for name in params)]) >= 1


@pytest.mark.parametrize("mode", ["500", "429", "html", "broken_json", "drop_after_accept"])
def test_a_system_that_does_not_answer_is_asked_later(ready, optix, sandbox, at, mode) -> None:
    sandbox.fault("optix", mode, times=1, retry_after=900)
    assert poll.run(ready.pk, actor=ACTOR) is False
    ready.refresh_from_db()
    assert ready.error_code
    assert ready.poll_lease_until is None
    wait = timedelta(seconds=900) if mode == "429" else timedelta(minutes=5)
    assert ready.next_poll_at == clock.now() + wait
    at(ready.next_poll_at)
    assert poll.run(ready.pk, actor=ACTOR)
    ready.refresh_from_db()
    assert ready.error_code == ""


def test_a_refused_key_is_not_tried_again(practice, optix, connect) -> None:
    refused = connect(practice, key="wrong-key")
    poll.begin_new(clock.now())
    assert poll.run(refused.pk, actor=ACTOR) is False
    refused.refresh_from_db()
    assert refused.state == ConnectionState.NEEDS_ATTENTION
    assert poll.due(clock.now() + timedelta(days=1), 10) == []


def test_a_poll_that_died_is_done_again_by_the_next_turn(ready, at) -> None:
    Connection.objects.update(
        poll_lease_until=clock.real_now() + timedelta(seconds=60), next_poll_at=clock.now()
    )
    assert poll.due(clock.now(), 10) == []
    Connection.objects.update(poll_lease_until=clock.real_now() - timedelta(seconds=1))
    assert poll.due(clock.now(), 10) == [ready.pk]


def test_when_the_clock_is_set_back_it_goes_on(ready, optix, at) -> None:
    tasks.poll(str(ready.pk))
    at(clock.now() - timedelta(days=3))
    assert poll.due(clock.now(), 10) == [ready.pk]


def test_a_disconnected_system_is_left_alone(ready, optix) -> None:
    connections.disconnect(connection=ready, actor=ACTOR)
    assert poll.run(ready.pk, actor=ACTOR) is False
    assert optix.requests() == []


@pytest.mark.django_db(transaction=True)
def test_polls_at_once_ask_once(ready, optix) -> None:
    answers = threads.at_once([lambda: poll.run(ready.pk, actor=ACTOR) for _ in range(4)])
    assert answers.count(True) == 1
    assert Appointment.objects.filter(source="pms").count() == 0, "no patients were read yet"


@pytest.mark.django_db(transaction=True)
def test_the_tick_plans_the_night_and_gives_everybody_a_turn(connection, optix, at) -> None:
    at("2026-11-19T02:31:00Z")
    tick = Tick()
    tick._syncs()
    tick._polls()
    jobs = sorted(row.task["func"] for row in OrmQ.objects.all())
    assert jobs == ["recall.tasks.poll", "recall.tasks.sync"]
