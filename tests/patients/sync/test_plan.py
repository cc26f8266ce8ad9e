"""When systems are read: nights in London, both changes of the clocks, jumps of the clock."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from integrations import connections
from integrations.models import Connection
from patients.models import SyncRun, SyncScope, SyncState
from patients.sync import claim, plan
from practices.models import Practice
from sightsync.lib import clock
from tests import threads
from tests.engine import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def long_connected(connection: Connection) -> None:
    Connection.objects.update(connected_at=datetime(2026, 1, 1, tzinfo=UTC))
    connection.refresh_from_db()


def due_times() -> list[datetime]:
    return list(SyncRun.objects.order_by("due_at").values_list("due_at", flat=True))


def ended(run: SyncRun, state: str = SyncState.DONE) -> None:
    now = clock.now()
    SyncRun.objects.filter(pk=run.pk).update(
        state=state, started_at=now, finished_at=now, as_of=now
    )


# Nights, and two o'clock in London on each in UTC.
NIGHTS = [
    ("2026-11-18", "2026-11-18T02:00:00Z"),
    ("2026-06-18", "2026-06-18T01:00:00Z"),
    ("2027-03-28", "2027-03-28T01:00:00Z"),  # the clocks go from one o'clock to two
    ("2026-10-25", "2026-10-25T02:00:00Z"),  # one o'clock comes twice
    ("2027-10-31", "2027-10-31T02:00:00Z"),
]


@pytest.mark.parametrize(("night", "two"), NIGHTS)
def test_begins_within_half_an_hour_of_two_in_london(at, night, two) -> None:
    two_o_clock = datetime.fromisoformat(two)
    at(two_o_clock - timedelta(seconds=1))
    assert plan.night_of(clock.now()) == date.fromisoformat(night) - timedelta(days=1)
    at(two_o_clock)
    assert plan.night_of(clock.now()) == date.fromisoformat(night)
    plan.plan_night(clock.now())
    [due_at] = due_times()
    assert two_o_clock <= due_at < two_o_clock + timedelta(minutes=30)
    assert clock.london(due_at).hour == 2


@pytest.mark.parametrize("night", ["2027-03-28", "2026-10-25", "2027-10-31"])
def test_every_night_once_even_when_the_clocks_change(at, night) -> None:
    """Every ten minutes of three days, each run read at once."""
    moment = datetime.fromisoformat(f"{night}T00:00:00Z") - timedelta(days=1)
    for _ in range(3 * 24 * 6):
        at(moment)
        plan.plan_night(moment)
        for key in claim.due(moment, 10):
            ended(SyncRun.objects.get(pk=key))
        moment += timedelta(minutes=10)
    nights = list(SyncRun.objects.order_by("night").values_list("night", flat=True))
    first = date.fromisoformat(night) - timedelta(days=2)
    assert nights == [first + timedelta(days=number) for number in range(4)]


def test_spread_over_the_half_hour_and_always_the_same() -> None:
    night = date(2026, 11, 18)
    keys = [UUID(int=number) for number in range(400)]
    minutes = [plan.begins_at(night, key).minute for key in keys]
    assert set(minutes) == set(range(30))
    assert plan.begins_at(night, keys[0]) - plan.begins_at(
        night - timedelta(days=1), keys[0]
    ) == timedelta(days=1)


def test_a_missed_night_is_made_up_for_and_only_the_last(at) -> None:
    at("2026-11-16T09:00:00Z")
    plan.plan_night(clock.now())
    at("2026-11-19T09:00:00Z")
    assert plan.plan_night(clock.now()) == 0, "one is still open"
    ended(SyncRun.objects.get())
    assert plan.plan_night(clock.now()) == 1
    assert {run.night for run in SyncRun.objects.all()} == {date(2026, 11, 16), date(2026, 11, 19)}
    assert claim.due(clock.now(), 10)


def test_what_somebody_had_read_since_needs_no_night(at, connection) -> None:
    at("2026-11-18T09:00:00Z")
    ended(claim.claim(plan.ask(connection).pk))
    assert plan.plan_night(clock.now()) == 0
    at("2026-11-19T02:00:00Z")
    assert plan.plan_night(clock.now()) == 1


def test_when_the_clock_is_set_back_nothing_waits_for_the_future(at) -> None:
    at("2026-11-19T02:00:00Z")
    plan.plan_night(clock.now())
    at("2026-11-18T02:40:00Z")
    assert len(claim.due(clock.now(), 10)) == 1


def test_a_disconnected_system_is_not_read(connection) -> None:
    connections.disconnect(connection=connection, actor=ACTOR)
    assert plan.plan_night(clock.now()) == 0


def test_everything_once_a_week_and_what_changed_in_between(at) -> None:
    scopes = []
    for day in range(16):
        at(datetime(2026, 11, 2, 3, tzinfo=UTC) + timedelta(days=day))
        plan.plan_night(clock.now())
        run = SyncRun.objects.get(night=clock.today())
        scopes.append(run.scope)
        ended(run)
    full = [day for day, scope in enumerate(scopes) if scope == SyncScope.FULL]
    assert full == [0, 7, 14]


def test_after_connecting_again_everything_is_compared(at, connection) -> None:
    ended(plan.ask(connection))
    assert plan.ask(connection).scope == SyncScope.CHANGES
    ended(SyncRun.objects.get(state=SyncState.PLANNED))
    at("2026-11-18T12:00:00Z")
    connection.connected_at = clock.now()
    assert plan.ask(connection).scope == SyncScope.FULL


def test_asks_from_where_the_last_good_reading_began(at, connection) -> None:
    ended(plan.ask(connection))
    good = clock.now()
    at("2026-11-19T10:00:00Z")
    ended(plan.ask(connection), SyncState.FAILED)
    at("2026-11-20T10:00:00Z")
    assert plan.ask(connection).since == good - plan.OVERLAP


def test_asked_for_twice_it_is_one_reading(connection) -> None:
    assert plan.ask(connection).pk == plan.ask(connection).pk


@pytest.mark.django_db(transaction=True)
def test_ticks_at_once_plan_one_run_each(practice: Practice, connection) -> None:
    now = clock.now()
    threads.at_once([lambda: plan.plan_night(now) for _ in range(6)])
    assert SyncRun.objects.count() == 1
