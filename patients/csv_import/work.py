"""Owns an import from its start to its end: queued, written chunk by chunk, finished. The position
moves in the transaction that writes the rows, and only from where this worker left it: whoever
dies is followed by another who goes on there, and no row is written or counted twice.
"""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from patients.csv_import import apply, bulk, drafts, files
from patients.csv_import.check import Checked
from patients.csv_import.survey import Survey
from patients.models import ImportChunk, ImportReject, ImportRun, ImportState
from practices import journal
from practices.journal import Actor
from practices.models import User
from sightsync.lib import clock, copying, failpoints, jobs
from sightsync.lib.errors import AppError

JOB = "patients.tasks.import_file"
UNDO_JOB = "patients.tasks.undo_import"
CHECK_JOB = "patients.tasks.check_import"
SOURCE = "csv"
LEASE = timedelta(seconds=90)
"""Longer than the queue lets a job run."""
SLICE_S = 40.0
"""A job hands over to the next before the queue's time limit of 60 seconds."""
_SURVEY_SHARE = 15
_OPEN = (ImportState.QUEUED, ImportState.RUNNING)


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


class _Overtaken(Exception):
    """Another worker has the import."""


def start(*, run: ImportRun, user: User | None, actor: Actor) -> None:
    """Queue the import. Raises AppError 409 when it was started or discarded before, 400 when its
    columns are not matched.
    """
    if not drafts.is_matched(run):
        raise AppError("not_matched", "Match the columns first.", 400)
    with transaction.atomic():
        locked = drafts.open_draft(run)
        locked.state, locked.started_at = ImportState.QUEUED, clock.now()
        locked.asked_by = user or locked.asked_by
        locked.lease_until = clock.real_now() + LEASE
        locked.surveyed = locked.position = 0
        locked.save(
            update_fields=[
                "state",
                "started_at",
                "asked_by",
                "lease_until",
                "surveyed",
                "position",
            ]
        )
        ImportReject.objects.filter(run=locked).delete()
        jobs.enqueue(JOB, str(locked.pk))
    run.refresh_from_db()


def progress(run: ImportRun) -> Progress:
    """How far the import is, as committed."""
    run.refresh_from_db()
    total = max(run.rows_total, 1)
    percent = (run.surveyed * _SURVEY_SHARE + run.position * (100 - _SURVEY_SHARE)) // total
    if run.state in (ImportState.DONE, ImportState.UNDOING, ImportState.UNDONE):
        percent = 100
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
    """The job: take the import, write as many chunks as its time allows, and hand over or end."""
    run = _take(key)
    if run is None:
        return
    actor = Actor("user", str(run.asked_by_id)) if run.asked_by_id else Actor.system("import")
    try:
        if write(run, actor, until=time.monotonic() + SLICE_S):
            finish(run, actor)
        else:
            _hand_over(run)
    except _Overtaken:
        return


def _take(key: UUID) -> ImportRun | None:
    """The import, if it is nobody's: queued, or left behind by a worker that died."""
    now = clock.real_now()
    taken = (
        ImportRun.objects.filter(pk=key, state=ImportState.QUEUED)
        | ImportRun.objects.filter(pk=key, state=ImportState.RUNNING, lease_until__lt=now)
    ).update(state=ImportState.RUNNING, lease_until=now + LEASE)
    return ImportRun.objects.select_related("practice").get(pk=key) if taken else None


def _hand_over(run: ImportRun) -> None:
    with transaction.atomic():
        _move(run, state=ImportState.QUEUED)
        jobs.enqueue(JOB, str(run.pk))


def _hold(run: ImportRun) -> None:
    """Lock the run, if it is still where this worker has left it. Raises _Overtaken."""
    mine = ImportRun.objects.select_for_update().filter(
        pk=run.pk, state=ImportState.RUNNING, lease_until=run.lease_until, position=run.position
    )
    if not list(mine.values_list("pk")):
        raise _Overtaken


def _move(run: ImportRun, **values: object) -> None:
    """Change the run, if it is still where this worker has left it. Raises _Overtaken."""
    mine = ImportRun.objects.filter(
        pk=run.pk, state=ImportState.RUNNING, lease_until=run.lease_until, position=run.position
    )
    values.setdefault("lease_until", clock.real_now() + LEASE)
    if not mine.update(**values):
        raise _Overtaken
    run.lease_until = values["lease_until"]  # type: ignore[assignment]


@bulk.undisturbed()
def write(run: ImportRun, actor: Actor, *, until: float) -> bool:
    """Write the frames that are left; whether that was all of them before the time was up."""
    found = drafts.survey(run)
    told = time.monotonic()

    def tell(rows: int) -> None:
        nonlocal told
        if time.monotonic() - told > 1 and rows > run.surveyed:
            _move(run, surveyed=rows)
            run.surveyed, told = rows, time.monotonic()

    found.run(tell)
    failpoints.hit("import.surveyed")
    if run.surveyed < found.rows:
        _move(run, surveyed=found.rows, unknown_risks=found.unknown_risks)
        run.surveyed = found.rows
    places = range(-(-run.position // files.FRAME_ROWS), len(found.packed))
    for place, rows in _ahead(found, places):
        if time.monotonic() > until:
            return False
        write_frame(run, found, place, rows, actor)
    return True


def _ahead(found: Survey, places: range) -> Iterator[tuple[int, list[Checked]]]:
    """The frames at the places; while the database is busy with one, the next is unpacked."""
    with ThreadPoolExecutor(1) as pool:
        coming = {place: pool.submit(found.frame, place) for place in places[:1]}
        for place in places:
            rows = coming.pop(place).result()
            if place + 1 in places:
                coming[place + 1] = pool.submit(found.frame, place + 1)
            yield place, rows


def write_frame(
    run: ImportRun, found: Survey, place: int, rows: list[Checked], actor: Actor
) -> None:
    """One frame in one transaction: records, journal, images, rejected rows, counts, position."""
    with transaction.atomic():
        _commit_soon()
        _hold(run)
        applied = apply.apply(practice=run.practice, rows=rows, source=SOURCE, actor=actor, run=run)
        failpoints.hit("import.chunk_written")
        drafts.keep_rejected(run, found.rejected(place, rows))
        _keep_chunk(run, applied.created)
        counts = applied.counts()
        position = run.position + len(rows)
        _move(
            run,
            position=position,
            rows_read=F("rows_read") + len(rows),
            suppressed=F("suppressed") + applied.suppressed,
            **{
                name: F(name) + counts[name]
                for name in ("created", "updated", "unchanged", "rejected")
            },
        )
        failpoints.hit("import.before_commit")
    run.position = position
    failpoints.hit("import.after_commit")


def _commit_soon() -> None:
    """This transaction does not wait for the disk. Should the server itself go down, a frame that
    was not written out is lost whole, with its position, and is written again; the commit of the
    end, or of anything that another does about these rows, waits for the disk, and for them too.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit TO off")


def _keep_chunk(run: ImportRun, created: Iterable[UUID]) -> None:
    keys = [key.hex for key in created]
    copying.into(
        ImportChunk._meta.db_table,
        ("practice_id", "run_id", "position", "created", "at"),
        [(run.practice_id, run.pk, run.position, keys, clock.now())],
    )


def finish(run: ImportRun, actor: Actor) -> None:
    """Every row is dealt with: the counts stand, the file goes, the journal says so."""
    failpoints.hit("import.before_finish")
    with transaction.atomic():
        _move(run, state=ImportState.DONE, finished_at=clock.now(), lease_until=None)
        run.refresh_from_db()
        files.forget(run)
        run.fixes, run.forecast = {}, {}
        run.mapping = {**run.mapping, "questions": {}}
        run.save(update_fields=["fixes", "forecast", "mapping"])
        if run.created or run.updated:
            journal.record(
                practice=run.practice_id,
                action="import.completed",
                actor=actor,
                subject=run,
                facts={
                    "rows": run.rows_read,
                    "created": run.created,
                    "updated": run.updated,
                    "unchanged": run.unchanged,
                    "rejected": run.rejected,
                    **({"suppressed": run.suppressed} if run.suppressed else {}),
                },
            )


def position(key: UUID) -> int:
    """How many rows of an import are dealt with."""
    return ImportRun.objects.filter(pk=key).values_list("position", flat=True).first() or 0


def give_up(key: UUID) -> bool:
    """No worker survives the next rows: the import stops, what is written stays and can be
    undone. Whether this did it.
    """
    rows = ImportRun.objects.filter(pk=key, state__in=_OPEN, lease_until__lt=clock.real_now())
    stopped = rows.update(
        state=ImportState.FAILED,
        error_code="stopped",
        finished_at=clock.now(),
        lease_until=None,
    )
    return stopped == 1


def left_behind() -> Iterator[tuple[str, UUID]]:
    """The imports whose worker is gone, with the job that goes on with each."""
    rows = ImportRun.objects.filter(lease_until__lt=clock.real_now())
    for key, state in rows.values_list("pk", "state"):
        if state in _OPEN:
            yield JOB, key
        elif state == ImportState.UNDOING:
            yield UNDO_JOB, key
        elif state == ImportState.DRAFT:
            yield CHECK_JOB, key
