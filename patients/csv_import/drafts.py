"""Owns an import before its first row is written: the upload, the matching of columns, and the
mending of rows. What it would do is the forecast's.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db import transaction

from patients.csv_import import bulk, files, mapping, reader
from patients.csv_import import columns as header_of
from patients.csv_import.check import DATES, Judge
from patients.csv_import.dates import Evidence
from patients.csv_import.mapping import Column
from patients.csv_import.reader import Row
from patients.csv_import.survey import Rejected, Survey
from patients.models import ImportMapping, ImportReject, ImportRun, ImportState
from practices.journal import Actor
from practices.models import Practice, User
from sightsync.lib import clock, copying, spreadsheet
from sightsync.lib.errors import AppError

_IMPORTED = (ImportState.QUEUED, ImportState.RUNNING, ImportState.DONE, ImportState.UNDOING)
_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be imported as it is: its number as a spreadsheet shows it, its cells and
    what is wrong, by field ("" for the row as a whole).
    """

    number: int
    cells: dict[str, str]
    problems: dict[str, str]


@dataclass(frozen=True, slots=True)
class BadRows:
    """A page of the rows that cannot be imported as they are; those left out are not among them."""

    total: int
    rows: list[BadRow] = field(default_factory=list)


def upload(
    *, practice: Practice, file_name: str, content: bytes, user: User | None, actor: Actor
) -> ImportRun:
    """A draft of an import. Raises reader.Unreadable, whose words say what to do, and AppError 409
    `same_file` with `import_id` where the same bytes were imported and not undone.
    """
    digest = hashlib.sha256(content).hexdigest()
    _refuse_same(practice, digest)
    run, frames = read(practice, header_of.locate(reader.readings(content)))
    run.file_sha256, run.file_bytes = digest, len(content)
    run.file_name = file_name.replace("\\", "/").rpartition("/")[2][:120]
    run.asked_by = user
    with transaction.atomic():
        run.save(force_insert=True)
        files.store(run, frames)
    return run


@bulk.undisturbed()
def read(
    practice: Practice, found: header_of.Found, *, remembered: bool = True
) -> tuple[ImportRun, list[bytes]]:
    """An unsaved draft of all rows below a header, and the rows in frames. ``remembered``: matched
    as the practice has said before.
    """
    header = found.header.cells
    earlier = ImportMapping.objects.filter(
        practice=practice, header_sha256=mapping.header_digest(header)
    ).first()
    known = earlier.mapping if earlier and remembered else {}
    matched = mapping.automatic(header, known.get("columns", {}))
    watched = _date_columns(matched["columns"])
    frames, total = files.pack(found.below(), looking=lambda rows: _look(rows, watched))
    if not total:
        raise reader.Unreadable("The file has a header but no rows below it. Export it again.")
    run = ImportRun(
        practice=practice,
        state=ImportState.DRAFT,
        created_at=clock.now(),
        rows_total=total,
        mapping={
            "header": header,
            **matched,
            **mapping.judge_dates({n: e for n, (_, e) in watched.items()}, known.get("dates", {})),
        },
    )
    return run, frames


def _date_columns(columns: Mapping[str, str]) -> dict[str, tuple[int, Evidence]]:
    return {name: (int(place), Evidence()) for place, name in columns.items() if name in DATES}


def _look(rows: Sequence[Row], watched: Mapping[str, tuple[int, Evidence]]) -> None:
    """Gather what the dates of whole columns say of their order."""
    for place, evidence in watched.values():
        add = evidence.add
        for row in rows:
            if place < len(row.cells):
                add(row.cells[place])


def _refuse_same(practice: Practice, digest: str) -> None:
    earlier = (
        ImportRun.objects.filter(practice=practice, file_sha256=digest, state__in=_IMPORTED)
        .order_by("-created_at")
        .first()
    )
    if earlier is not None:
        when = earlier.finished_at or earlier.created_at or clock.now()
        raise AppError(
            "same_file",
            f"This file was already imported on {clock.london(when):%-d %B %Y}. Undo that import "
            "first, or export the list again.",
            409,
            import_id=earlier.public_id,
        )


# --- columns ------------------------------------------------------------------------------------


def columns(run: ImportRun) -> Sequence[Column]:
    """The columns of the file with what is known of each."""
    rows = files.unpack(files.frames(run)[0])
    said = mapping.said(run)
    chosen, sure = said["columns"], set(said["sure"])
    found = []
    for place, name in enumerate(said["header"]):
        given = chosen.get(str(place), "")
        question = mapping.question(given, said, today=clock.today())
        samples = _samples(rows, place)
        found.append(Column(place, name, samples, given, place in sure, question))
    return found


def _samples(rows: Sequence[Row], place: int) -> list[str]:
    found: list[str] = []
    for row in rows:
        cell = row.cells[place] if place < len(row.cells) else ""
        if cell and cell not in found:
            found.append(cell)
            if len(found) == _SAMPLES:
                break
    return found


def is_matched(run: ImportRun) -> bool:
    """Whether every column is certain and the order of every date is, so that nobody has to be
    asked.
    """
    said = mapping.said(run)
    return (
        not mapping.errors_of(said["columns"])
        and len(said["sure"]) == len(said["header"])
        and not (said["questions"].keys() - said["dates"].keys())
    )


def match(
    *,
    run: ImportRun,
    mapping: Mapping[int, str],
    date_orders: Mapping[str, str] | None,
    actor: Actor,
) -> None:
    """Say which column is which field, and how its dates are written; remembered for this header.

    Raises AppError 409 once the import has started, 400 with `errors` by field where a name or a
    way of contact is missing, a field is given to two columns, or the order of dates is not said.
    """
    with transaction.atomic():
        locked = open_draft(run)
        _match(locked, mapping, date_orders or {})
    run.refresh_from_db()


def _match(run: ImportRun, wanted: Mapping[int, str], orders: Mapping[str, str]) -> None:
    said: dict[str, Any] = run.mapping
    chosen = mapping.chosen(wanted, len(said["header"]))
    if errors := mapping.errors_of(chosen):
        raise AppError("not_matched", next(iter(errors.values()))[0], 400, errors=errors)
    watched = _date_columns(chosen)
    for frame in files.frames(run):
        _look(files.unpack(frame), watched)
    found = mapping.judge_dates({name: one for name, (_, one) in watched.items()}, orders)
    if errors := mapping.unanswered(found):
        raise AppError("not_matched", next(iter(errors.values()))[0], 400, errors=errors)
    found["dates"] = {**mapping.presumed(found), **found["dates"]}
    run.mapping = {
        "header": said["header"],
        "columns": chosen,
        "sure": list(range(len(said["header"]))),
        **found,
    }
    run.forecast = {}
    run.save(update_fields=["mapping", "forecast"])
    ImportMapping.objects.update_or_create(
        practice_id=run.practice_id,
        header_sha256=mapping.header_digest(said["header"]),
        defaults={"mapping": mapping.to_remember(run.mapping), "updated_at": clock.now()},
    )


def open_draft(run: ImportRun) -> ImportRun:
    """The run's row, locked, if it is still a draft. Raises AppError 409."""
    locked = ImportRun.objects.select_for_update().get(pk=run.pk)
    if locked.state != ImportState.DRAFT:
        raise AppError("import_started", "This import has already started. Go to its result.", 409)
    return locked


# --- rows ---------------------------------------------------------------------------------------


def judge(run: ImportRun) -> Judge:
    """Judges the run's rows by what was matched and mended."""
    said = mapping.said(run)
    header = Row(0, said["header"])
    chosen = {int(place): name for place, name in said["columns"].items()}
    return Judge(
        header_of.mapped(header, chosen),
        today=clock.today(),
        orders={**mapping.presumed(said), **said["dates"]},
        fixes=run.fixes,
    )


def survey(run: ImportRun, frames: Sequence[bytes] | None = None) -> Survey:
    """All rows of the run, to be judged."""
    return Survey(judge(run), files.frames(run) if frames is None else frames)


def keep_bad_rows(run: ImportRun, found: Survey) -> None:
    """Keep the rows with problems, in the caller's transaction, so that pages of them can be
    shown.
    """
    ImportReject.objects.filter(run=run).delete()
    for place in range(len(found.packed)):
        keep_rejected(run, found.rejected(place, found.frame(place)))


def keep_rejected(run: ImportRun, rows: Iterable[Rejected]) -> None:
    """Keep rows that are not imported, in the caller's transaction."""
    copying.into(
        ImportReject._meta.db_table,
        ("practice_id", "run_id", "row_number", "cells", "reasons"),
        (
            (
                run.practice_id,
                run.pk,
                row.number,
                orjson.dumps(row.cells).decode(),
                orjson.dumps(row.reasons).decode(),
            )
            for row in rows
        ),
    )


def bad_rows(run: ImportRun, *, start: int = 0, size: int = 50) -> BadRows:
    """The rows with problems, in the order of the file, from `start` (0). They are known when
    `check` has run.
    """
    left_out = [int(number) for number, fix in run.fixes.items() if fix is None]
    rejects = ImportReject.objects.filter(run=run).exclude(row_number__in=left_out)
    judging = judge(run)
    page = rejects.order_by("row_number")[start : start + size]
    return BadRows(rejects.count(), [_bad_row(reject, run, judging) for reject in page])


def _bad_row(reject: ImportReject, run: ImportRun, judging: Judge) -> BadRow:
    problems: dict[str, str] = {}
    for reason in reject.reasons:
        name, colon, words = reason.partition(": ")
        if not colon or name not in mapping.labels():
            name, words = "", reason
        problems.setdefault(name, words)
    fix = run.fixes.get(str(reject.row_number)) or {}
    cells = {}
    for name in mapping.labels():
        place = judging.place_of(name)
        if place is not None:
            cells[name] = fix.get(name, reject.cells[place] if place < len(reject.cells) else "")
    return BadRow(reject.row_number, cells, problems)


def fix(*, run: ImportRun, row_number: int, cells: Mapping[str, str] | None, actor: Actor) -> None:
    """Put new cells, by field, in a row's place; None leaves the row out. Raises AppError 409 once
    the import has started.
    """
    known = mapping.labels()
    with transaction.atomic():
        locked = open_draft(run)
        earlier = locked.fixes.get(str(row_number)) or {}
        new = None
        if cells is not None:
            given = {name: text[: reader.MAX_CELL] for name, text in cells.items() if name in known}
            new = {**earlier, **given}
        locked.fixes = {**locked.fixes, str(row_number): new}
        locked.forecast = {}
        locked.save(update_fields=["fixes", "forecast"])
        _judge_again(locked, row_number)
    run.refresh_from_db()


def _judge_again(run: ImportRun, row_number: int) -> None:
    """Whether the mended row is a bad one now, as far as that shows without the others."""
    kept = ImportReject.objects.filter(run=run, row_number=row_number).first()
    if kept is None:
        return
    checked = judge(run).judge(Row(row_number, kept.cells))
    if checked.reasons:
        kept.reasons = checked.reasons
        kept.save(update_fields=["reasons"])
    else:
        kept.delete()


def leave_out_all(run: ImportRun, actor: Actor) -> None:
    """Leave out every row that has problems."""
    with transaction.atomic():
        locked = open_draft(run)
        numbers = ImportReject.objects.filter(run=run).values_list("row_number", flat=True)
        locked.fixes = {**locked.fixes, **{str(number): None for number in numbers}}
        locked.forecast = {}
        locked.save(update_fields=["fixes", "forecast"])
    run.refresh_from_db()


def discard(*, run: ImportRun, actor: Actor) -> None:
    """Throw a draft away, its rows with it. Raises AppError 409 once it has started."""
    with transaction.atomic():
        locked = open_draft(run)
        locked.state = ImportState.DISCARDED
        locked.fixes, locked.forecast = {}, {}
        locked.save(update_fields=["state", "fixes", "forecast"])
        ImportReject.objects.filter(run=locked).delete()
        files.forget(locked)
    run.refresh_from_db()


def rejected_csv(run: ImportRun) -> Iterator[str]:
    """The rejected rows as they were, each with its row number and the reason, line by line."""
    rejects = ImportReject.objects.filter(run=run).order_by("row_number")
    return rejected_lines(
        run,
        (
            Rejected(one.row_number, one.cells, one.reasons)
            for one in rejects.iterator(chunk_size=500)
        ),
    )


def rejected_lines(run: ImportRun, rows: Iterable[Rejected]) -> Iterator[str]:
    """The lines of the file of rejected rows, for Excel."""
    header: list[str] = run.mapping.get("header", [])
    yield "\ufeff" + spreadsheet.line([*header, "row", "reason"])
    for row in rows:
        cells = row.cells + [""] * (len(header) - len(row.cells))
        yield spreadsheet.line([*cells, row.number, " ".join(row.reasons)])
