"""The worker of an import is killed with -9; the next one goes on, and every row counts once."""

import signal

import pytest
from django.db.models import F

from patients.csv_import import runs
from patients.models import ImportRun, ImportState, Patient
from practices.models import JournalEntry
from sightsync.lib import clock
from tests.engine import ACTOR

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 4500
LIST = "Forename,Mobile\n" + "".join(f"P{n},0774{n:07d}\n" for n in range(ROWS)) + "Bad,12\n"


@pytest.mark.parametrize("place", ["import.before_commit", "import.after_commit"])
def test_killed_there_the_next_worker_ends_it(practice, worker, place):
    run = runs.upload(
        practice=practice, file_name="a.csv", content=LIST.encode(), user=None, actor=ACTOR
    )
    runs.start(run=run, user=None, actor=ACTOR)
    assert worker("patients.tasks.import_file", run.pk, place) == -signal.SIGKILL
    run.refresh_from_db()
    assert run.state == ImportState.RUNNING
    assert run.position == (0 if place == "import.before_commit" else 2000)
    assert run.lease_until > clock.real_now()
    ImportRun.objects.update(lease_until=F("created_at"))
    assert worker("patients.tasks.import_file", run.pk) == 0
    run.refresh_from_db()
    assert run.state == ImportState.DONE
    assert (run.created, run.rejected, run.rows_read) == (ROWS, 1, ROWS + 1)
    assert Patient.objects.count() == ROWS
    assert JournalEntry.objects.filter(action="patient.created").count() == ROWS
