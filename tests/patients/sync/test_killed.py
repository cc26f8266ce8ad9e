"""A worker is killed with -9 at every named place, or two work at once: all is counted once."""

import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from patients.models import Patient, PmsRecord, SyncRun, SyncState
from patients.sync import claim, plan, run
from practices.models import JournalEntry
from recall.booking.from_pms import FromPms
from sightsync.lib import clock
from tests import engine, threads

pytestmark = pytest.mark.django_db(transaction=True)

FAILPOINTS = ["sync.page_read", "sync.before_commit", "sync.after_commit", "sync.before_done"]


@pytest.fixture
def worker(settings):
    """Runs the job in a process of its own; its exit status."""

    def job(key: object, failpoint: str) -> int:
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "sightsync.settings",
            "SANDBOX_URL": settings.SANDBOX_URL,
            "FAILPOINT": failpoint,
            "DATABASE_URL": engine.database_url(),
            "TEST_NOW": clock.now().isoformat(),
        }
        command = [sys.executable, "-m", "tests.faults.worker_once", "recall.tasks.sync", str(key)]
        return subprocess.run(command, env=environment, timeout=60, check=False).returncode

    return job


def add_up(asked: SyncRun) -> None:
    """The counts, the records and the journal say the same."""
    assert asked.state == SyncState.DONE
    assert asked.read == asked.created + asked.updated + asked.unchanged + asked.rejected == 40
    assert asked.created == Patient.objects.count()
    assert PmsRecord.objects.count() == 40
    assert JournalEntry.objects.filter(action="patient.created").count() == asked.created
    assert JournalEntry.objects.filter(action="sync.completed").count() == 1


@pytest.mark.parametrize("failpoint", FAILPOINTS)
def test_killed_there_the_run_is_finished_by_the_next(connection, optix, worker, failpoint) -> None:
    asked = plan.ask(connection)
    assert worker(asked.pk, failpoint) == -signal.SIGKILL
    asked.refresh_from_db()
    assert asked.state == SyncState.RUNNING
    assert not claim.due(clock.now(), 10), "the lease of the dead worker holds"

    SyncRun.objects.update(lease_until=clock.real_now() - timedelta(seconds=1))
    assert claim.due(clock.now(), 10) == [asked.pk]
    run.carry_on(asked.pk, appointments=FromPms())
    asked.refresh_from_db()
    add_up(asked)


def test_one_that_kills_every_worker_is_given_up(connection, optix, worker) -> None:
    asked = plan.ask(connection)
    SyncRun.objects.update(tries=claim.MAX_TRIES)
    run.carry_on(asked.pk, appointments=FromPms())
    asked.refresh_from_db()
    assert (asked.state, asked.error_code) == (SyncState.FAILED, "gave_up")


def both_at_once(asked: SyncRun) -> None:
    def work() -> None:
        run.carry_on(asked.pk, appointments=FromPms(), seconds=60)

    for answer in threads.at_once([work, work, work]):
        assert not isinstance(answer, Exception), answer


def test_three_workers_at_once_read_it_once(connection, optix) -> None:
    asked = plan.ask(connection)
    both_at_once(asked)
    asked.refresh_from_db()
    add_up(asked)
    pages = [row for row in optix.requests() if "patients" in row["path"]]
    assert len(pages) == 1


@pytest.fixture
def two_with_the_run(connection, optix, monkeypatch):
    """Two workers hold the run: the first was thought dead. Each writes the first page."""

    def both() -> SyncRun:
        asked = plan.ask(connection)
        first = claim.claim(asked.pk)
        SyncRun.objects.update(lease_until=clock.real_now() - timedelta(seconds=1))
        second = claim.claim(asked.pk)
        for held in (second, first):
            assert held is not None
            monkeypatch.setattr(claim, "claim", lambda key, held=held, **_: held)
            run.carry_on(asked.pk, appointments=FromPms(), seconds=60)
        asked.refresh_from_db()
        return asked

    return both


def test_a_worker_that_was_thought_dead_writes_nothing(two_with_the_run) -> None:
    add_up(two_with_the_run())


def test_twin_without_the_look_at_the_lease_it_counts_twice(two_with_the_run, monkeypatch) -> None:
    monkeypatch.setattr(claim, "check_ours", lambda row, run: None)
    assert two_with_the_run().read == 80
