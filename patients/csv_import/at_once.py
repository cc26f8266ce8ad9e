"""Owns an import from beginning to end in one process, for the command: no draft, no queue."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from patients.csv_import import columns, drafts, files, forecast, reader, work
from patients.csv_import.survey import Rejected
from patients.models import ImportReject, ImportRun, ImportState
from practices.journal import Actor
from practices.models import Practice
from sightsync.lib import clock


@dataclass(frozen=True, slots=True)
class Done:
    """The import, which a dry run has not saved; its rejected rows; the columns it did not use."""

    run: ImportRun
    rejected: list[Rejected]
    unused: list[str]


def run(
    *, practice: Practice, file_name: str, content: bytes, actor: Actor, dry_run: bool = False
) -> Done:
    """Import a file whose columns are recognised; a dry run writes nothing. Raises
    reader.Unreadable.
    """
    found = columns.find(reader.readings(content))
    this, frames = drafts.read(practice, found, remembered=False)
    this.file_sha256, this.file_bytes = hashlib.sha256(content).hexdigest(), len(content)
    this.file_name = file_name[:120]
    unused = columns.columns_of(found.header).unused
    if dry_run:
        return Done(this, _foresee(this, frames), unused)
    this.state, this.started_at = ImportState.RUNNING, clock.now()
    this.lease_until = clock.real_now() + work.LEASE
    with transaction.atomic():
        this.save(force_insert=True)
        files.store(this, frames)
    work.write(this, actor, until=time.monotonic() + 24 * 3600)
    work.finish(this, actor)
    rejects = ImportReject.objects.filter(run=this).order_by("row_number")
    return Done(
        this,
        [Rejected(one.row_number, one.cells, one.reasons) for one in rejects],
        unused,
    )


def _foresee(this: ImportRun, frames: Sequence[bytes]) -> list[Rejected]:
    found = drafts.survey(this, frames)
    found.run()
    rejected: list[Rejected] = []
    for place, (rows, foreseen) in enumerate(forecast.frames(this.practice, found)):
        counts = foreseen.applied.counts()
        for name in ("created", "updated", "unchanged", "rejected"):
            setattr(this, name, getattr(this, name) + counts[name])
        this.rows_read += len(rows)
        this.suppressed += foreseen.applied.suppressed
        rejected.extend(found.rejected(place, rows))
    this.unknown_risks = found.unknown_risks
    return rejected
