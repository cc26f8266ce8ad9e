"""The jobs about patients: load by id, call a change. A job run twice does nothing twice."""

from uuid import UUID

from django.db import transaction

from patients.csv_import import forecast, keeping, undo, work
from patients.import_pages import stopped
from patients.sync import notices
from practices import job_tries
from sightsync.lib import jobs


def import_file(key: str) -> None:
    """Write the rows of one import, as far as the time of a job allows. A chunk that five workers
    have not survived stops it.
    """
    tried = f"import_file:{key}:{work.position(UUID(key))}"
    verdict = job_tries.begin(tried)
    if verdict is job_tries.Verdict.RUN:
        work.import_file(UUID(key))
        job_tries.finish(tried)
    else:
        with transaction.atomic():
            if work.give_up(UUID(key)):
                jobs.enqueue(stopped.JOB, key)


def check_import(key: str) -> None:
    """Reckon what an import would do."""
    verdict = job_tries.begin(f"check_import:{key}")
    if verdict is job_tries.Verdict.RUN:
        forecast.work_out(UUID(key))
        job_tries.finish(f"check_import:{key}")
    else:
        forecast.give_up(UUID(key))


def undo_import(key: str) -> None:
    """Take an import back."""
    if job_tries.begin(f"undo_import:{key}") is job_tries.Verdict.RUN:
        undo.undo_import(UUID(key))
        job_tries.finish(f"undo_import:{key}")


def forget_old_imports() -> None:
    """What undoing would have needed, past its thirty days; drafts that nobody went on with."""
    keeping.forget_old()


def tell_of_stopped_import(key: str) -> None:
    """Write to whoever started an import that it has stopped."""
    stopped.tell(UUID(key))


def tell_of_failed_sync(key: str) -> None:
    """Write to the owners that their system could not be read."""
    notices.tell(UUID(key))
