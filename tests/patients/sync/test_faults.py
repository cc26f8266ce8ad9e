"""A system that is down, slow, busy or talks nonsense: its night waits or fails, others go on."""

from datetime import timedelta

import pytest
from django_q.models import OrmQ

from integrations import connections, registry
from integrations.models import Connection, ConnectionState, Kind
from integrations.pms.connector import Page
from patients.models import Patient, SyncRun, SyncState
from patients.sync import claim, plan, run
from practices.models import JournalEntry
from recall.booking.from_pms import FromPms
from sightsync.lib import clock
from tests.engine import ACTOR

pytestmark = pytest.mark.django_db


def carry_on(asked: SyncRun) -> SyncRun:
    run.carry_on(asked.pk, appointments=FromPms())
    asked.refresh_from_db()
    return asked


FAULTS = [
    {"mode": "500"},
    {"mode": "broken_json"},
    {"mode": "html"},
    {"mode": "drop_before_accept"},
    {"mode": "drop_after_accept"},
    {"mode": "429", "retry_after": 90},
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault["mode"])
def test_is_asked_again_and_reads_on_where_it_was(connection, optix, sandbox, fault, at) -> None:
    asked = plan.ask(connection)
    sandbox.fault("optix", times=1, **fault)
    waiting = carry_on(asked)
    assert (waiting.state, waiting.read) == (SyncState.RUNNING, 0)
    assert waiting.error_code
    assert not claim.due(clock.now(), 10)
    connection.refresh_from_db()
    assert connection.failing_since is not None

    at(waiting.due_at)
    assert claim.due(clock.now(), 10) == [asked.pk]
    assert carry_on(asked).state == SyncState.DONE
    connection.refresh_from_db()
    assert (connection.failing_since, connection.error_code) == (None, "")


def test_waits_as_long_as_it_is_told_to(connection, optix, sandbox) -> None:
    sandbox.fault("optix", "429", times=1, retry_after=400)
    waiting = carry_on(plan.ask(connection))
    assert waiting.due_at == clock.now() + timedelta(seconds=400)


def test_gives_the_night_up_after_six_tries(connection, optix, sandbox, at) -> None:
    sandbox.fault("optix", "500", times=99)
    asked = plan.ask(connection)
    for _ in range(claim.MAX_TRIES):
        at(asked.due_at)
        carry_on(asked)
    assert asked.state == SyncState.FAILED
    [entry] = JournalEntry.objects.filter(action="sync.failed")
    assert entry.facts["code"] == asked.error_code
    assert not Patient.objects.exists()


def test_a_refused_key_ends_the_night_at_once(practice, optix, connect) -> None:
    refused = connect(practice, key="wrong-key")
    asked = carry_on(plan.ask(refused))
    assert (asked.state, asked.error_code) == (SyncState.FAILED, "auth")
    refused.refresh_from_db()
    assert refused.state == ConnectionState.NEEDS_ATTENTION
    asked_so_far = len(optix.requests())
    assert carry_on(plan.ask(refused)).state == SyncState.FAILED
    assert len(optix.requests()) == asked_so_far, "a key that was refused is not tried again"


def test_disconnected_meanwhile_it_ends(connection, optix) -> None:
    asked = plan.ask(connection)
    connections.disconnect(connection=connection, actor=ACTOR)
    assert carry_on(asked).error_code == "disconnected"


def test_the_rest_of_the_night_goes_on(practice, other_practice, sandbox, connect, at) -> None:
    """One system is down and one talks nonsense; the third practice has its night."""
    third = type(practice).objects.create(
        name="Third", plan="growth", subscription_status="active", created_at=clock.now()
    )
    for kind in ("optix", "acuitas", "optisoft"):
        sandbox.post(f"/pms/{kind}/size", {"patients": 10})
    sandbox.fault("optix", "drop_before_accept", times=99)
    sandbox.fault("acuitas", "html", times=99)
    connect(practice, Kind.OPTIX)
    connect(other_practice, Kind.ACUITAS)
    good = connect(third, Kind.OPTISOFT)
    at("2026-11-19T02:30:00Z")
    plan.plan_night(clock.now())
    for key in claim.due(clock.now(), 10):
        run.carry_on(key, appointments=FromPms())
    assert SyncRun.objects.filter(state=SyncState.RUNNING).count() == 2
    assert SyncRun.objects.get(connection=good).state == SyncState.DONE


class Nonsense:
    """A system without end: page after page with the same cursor, or ever new ones."""

    def __init__(self, real, same: bool) -> None:
        self.capabilities, self.same, self.asked = real.capabilities, same, 0

    def patients(self, *, since, cursor=""):
        self.asked += 1
        return Page(items=[], next_cursor="again" if self.same else f"page {self.asked}")


@pytest.mark.parametrize(("same", "code"), [(True, "same_page"), (False, "no_end")])
def test_a_list_without_end_is_left(connection, monkeypatch, same, code) -> None:
    endless = Nonsense(registry.connector(connection), same)
    monkeypatch.setattr(registry, "connector", lambda connection: endless)
    monkeypatch.setattr(run, "MOST_PAGES", 20)
    asked = carry_on(plan.ask(connection))
    assert (asked.state, asked.error_code) == (SyncState.FAILED, code)
    assert endless.asked < 30


def test_when_the_time_of_a_job_is_up_another_goes_on(connection, optix, read) -> None:
    asked = plan.ask(connection)
    run.carry_on(asked.pk, appointments=FromPms(), seconds=0)
    asked.refresh_from_db()
    assert (asked.state, asked.lease_until, asked.tries) == (SyncState.RUNNING, None, 0)
    assert OrmQ.objects.count() == 1


def test_connection_is_left_alone_by_a_worker_that_lost_it(connection, optix) -> None:
    asked = plan.ask(connection)
    first = claim.claim(asked.pk)
    SyncRun.objects.update(lease_until=clock.real_now() - timedelta(seconds=1))
    second = claim.claim(asked.pk)
    assert first is not None
    assert second is not None
    with pytest.raises(claim.Lost), claim.writing(first):
        pass
    claim.fail(first, code="late", actor=ACTOR)
    asked.refresh_from_db()
    assert (asked.state, asked.error_code) == (SyncState.RUNNING, "")
    assert Connection.objects.get().error_code == ""
