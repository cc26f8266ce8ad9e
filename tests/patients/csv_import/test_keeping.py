"""What an import leaves behind is kept for thirty days, a draft for seven."""

from datetime import timedelta

import pytest

from patients import tasks
from patients.csv_import import keeping, runs
from patients.csv_import.undo import DAYS
from patients.models import (
    ImportChange,
    ImportChunk,
    ImportFile,
    ImportReject,
    ImportRun,
    ImportState,
    Patient,
)
from practices.journal import Actor
from practices.models import Practice
from sightsync.lib import clock
from tests import engine, imports

pytestmark = pytest.mark.django_db
ACTOR = Actor.system("import")


def draft(practice: Practice) -> ImportRun:
    run = runs.upload(
        practice=practice,
        file_name="a.csv",
        content=imports.WITH_BAD,
        user=None,
        actor=ACTOR,
    )
    runs.check(run=run, actor=ACTOR)
    return run


def kept() -> list[int]:
    return [table._default_manager.count() for table in (ImportReject, ImportChunk, ImportChange)]


def test_after_thirty_days_what_undoing_needs_is_forgotten(practice: Practice, at) -> None:
    engine.patient(practice, "+447700900301", last_name="Osei")
    run = draft(practice)
    runs.start(run=run, user=None, actor=ACTOR)
    imports.run_jobs()
    before, done_at = kept(), clock.now()
    assert all(before)
    at(done_at + timedelta(days=DAYS))
    assert keeping.forget_old() == 0
    assert kept() == before
    at(done_at + timedelta(days=DAYS, seconds=1))
    tasks.forget_old_imports()
    assert kept() == [0, 0, 0]
    run.refresh_from_db()
    assert (run.state, run.created) == (ImportState.DONE, Patient.objects.count() - 1)


def test_a_draft_that_nobody_went_on_with_is_discarded_with_its_file(
    practice: Practice, at
) -> None:
    run = draft(practice)
    at(clock.now() + timedelta(days=keeping.DRAFT_DAYS))
    keeping.forget_old()
    assert ImportFile.objects.filter(run=run).exists()
    at(clock.now() + timedelta(seconds=1))
    keeping.forget_old()
    run.refresh_from_db()
    assert (run.state, run.forecast) == (ImportState.DISCARDED, {})
    assert not ImportFile.objects.exists() and not ImportReject.objects.exists()
