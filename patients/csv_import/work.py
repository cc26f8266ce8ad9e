"""Owns an import from its start to its end: queued, written chunk by chunk, finished."""

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from patients.csv_import import apply, drafts, files
from patients.models import ImportReject, ImportRun, ImportState
from practices import journal
from practices.journal import Actor
from practices.models import User
from sightsync.lib import clock, jobs
from sightsync.lib.errors import AppError

JOB = "patients.tasks.import_file"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is; `percent` is 0 to 100."""

    state: str
    position: int
    total: int
    percent: int
    created: int
    updated: int
    unchanged: int
    rejected: int


def start(*, run: ImportRun, user: User | None, actor: Actor) -> None:
    """Queue the import. Raises AppError 409 when it was started or discarded before, 400 when its
    columns are not matched.
    """
    with transaction.atomic():
        started = ImportRun.objects.filter(pk=run.pk, state=ImportState.DRAFT).update(
            state=ImportState.QUEUED, asked_by=user or run.asked_by, started_at=clock.now()
        )
        if not started:
            raise AppError(
                "import_started", "This import has already started. Go to its result.", 409
            )
        jobs.enqueue(JOB, str(run.pk))
    run.refresh_from_db()


def progress(run: ImportRun) -> Progress:
    """How far the import is, as committed."""
    run.refresh_from_db()
    total = max(run.rows_total, 1)
    percent = 100 if run.state == ImportState.DONE else run.position * 100 // total
    return Progress(
        run.state,
        run.position,
        run.rows_total,
        percent,
        run.created,
        run.updated,
        run.unchanged,
        run.rejected,
    )


def import_file(key: UUID) -> None:
    """Write the rows of a queued import."""
    run = ImportRun.objects.filter(pk=key, state__in=["queued", "running"]).first()
    if run is None:
        return
    actor = Actor("user", str(run.asked_by_id)) if run.asked_by_id else Actor.system("import")
    file = drafts.judged(run)
    result = apply.Result()
    apply.apply_all(run.practice, file.rows, actor, result)
    counts = {name: result.counts[name] for name in ("created", "updated", "unchanged", "rejected")}
    with transaction.atomic():
        for name, count in counts.items():
            setattr(run, name, count)
        run.state, run.position = ImportState.DONE, run.rows_total
        run.rows_read, run.suppressed = result.rows_read, result.suppressed
        run.finished_at = clock.now()
        run.save()
        ImportReject.objects.bulk_create(
            ImportReject(
                practice_id=run.practice_id,
                run=run,
                row_number=row.row.number,
                cells=row.row.cells,
                reasons=row.reasons,
            )
            for row in result.rejected
        )
        files.forget(run)
        journal.record(
            practice=run.practice_id,
            action="import.completed",
            actor=actor,
            subject=run,
            facts={"rows": result.rows_read, **counts},
        )
