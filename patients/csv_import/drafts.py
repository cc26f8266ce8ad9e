"""Owns an import before its first row is written: the upload, the matching of columns, the
mending of rows and the forecast.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from patients.csv_import import check as judging
from patients.csv_import import columns as header_of
from patients.csv_import import files, mapping, reader
from patients.csv_import.mapping import Column
from patients.csv_import.reader import Row
from patients.models import ImportMapping, ImportReject, ImportRun, ImportState
from practices.journal import Actor
from practices.models import Practice, User
from sightsync.lib import clock, spreadsheet
from sightsync.lib.errors import AppError

_IMPORTED = (ImportState.QUEUED, ImportState.RUNNING, ImportState.DONE, ImportState.UNDOING)


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
    header, rows = header_of.locate(reader.read(content))
    if not rows:
        raise reader.Unreadable("The file has a header but no rows below it. Export it again.")
    with transaction.atomic():
        remembered = ImportMapping.objects.filter(
            practice=practice, header_sha256=mapping.header_digest(header.cells)
        ).first()
        run = ImportRun(
            practice=practice,
            file_sha256=digest,
            file_name=file_name.replace("\\", "/").rpartition("/")[2][:120],
            file_bytes=len(content),
            asked_by=user,
            state=ImportState.DRAFT,
            created_at=clock.now(),
            rows_total=len(rows),
            mapping={
                "header": header.cells,
                **mapping.automatic(header.cells, remembered.mapping if remembered else {}),
            },
        )
        run.save(force_insert=True)
        files.store(run, content)
    return run


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


def columns(run: ImportRun) -> Sequence[Column]:
    """The columns of the file with what is known of each."""
    header, rows = _read(run)
    chosen, sure = run.mapping.get("columns", {}), set(run.mapping.get("sure", []))
    return [
        Column(place, name, _samples(rows, place), chosen.get(str(place), ""), place in sure)
        for place, name in enumerate(header.cells)
    ]


def _samples(rows: Sequence[Row], place: int) -> list[str]:
    found = []
    for row in rows:
        if place < len(row.cells) and row.cells[place] and row.cells[place] not in found:
            found.append(row.cells[place])
        if len(found) == 3:
            break
    return found


def is_matched(run: ImportRun) -> bool:
    """Whether every column is certain, so that nobody has to be asked."""
    return not mapping.errors_of(run.mapping.get("columns", {})) and len(
        run.mapping.get("sure", [])
    ) == len(run.mapping.get("header", []))


def match(
    *,
    run: ImportRun,
    mapping: Mapping[int, str],
    date_orders: Mapping[str, str] | None,
    actor: Actor,
) -> None:
    """Say which column is which field, and how its dates are written; remembered for this header.

    Raises AppError 409 once the import has started, 400 with `errors` by field where a name or a
    way of contact is missing or a field is given to two columns.
    """
    with transaction.atomic():
        locked = _open(run)
        _match(locked, mapping, date_orders or {})
    run.refresh_from_db()


def _match(run: ImportRun, wanted: Mapping[int, str], orders: Mapping[str, str]) -> None:
    header: list[str] = run.mapping["header"]
    known = mapping.labels()
    chosen = {
        str(place): name
        for place, name in sorted(wanted.items())
        if name in known and 0 <= place < len(header)
    }
    if errors := mapping.errors_of(chosen):
        raise AppError("not_matched", next(iter(errors.values()))[0], 400, errors=errors)
    run.mapping = {
        **run.mapping,
        "columns": chosen,
        "sure": list(range(len(header))),
        "dates": dict(orders),
    }
    run.forecast = {}
    run.save(update_fields=["mapping", "forecast"])
    ImportMapping.objects.update_or_create(
        practice_id=run.practice_id,
        header_sha256=mapping.header_digest(header),
        defaults={
            "mapping": {
                mapping.key(name): chosen.get(str(place), "") for place, name in enumerate(header)
            },
            "updated_at": clock.now(),
        },
    )


def _open(run: ImportRun) -> ImportRun:
    """The run's row, locked, if it is still a draft. Raises AppError 409."""
    locked = ImportRun.objects.select_for_update().get(pk=run.pk)
    if locked.state != ImportState.DRAFT:
        raise AppError("import_started", "This import has already started. Go to its result.", 409)
    return locked


def _read(run: ImportRun) -> tuple[Row, list[Row]]:
    return header_of.locate(reader.read(files.content(run)))


def judged(run: ImportRun) -> judging.File:
    """The rows of the file, judged with the columns and the mended cells of the draft."""
    header, rows = _read(run)
    chosen = {int(place): name for place, name in run.mapping["columns"].items()}
    found = header_of.mapped(header, chosen)
    rows = [_mended(row, found, run.fixes) for row in rows]
    file = judging.judge(found, rows, today=clock.today(), orders=run.mapping.get("dates"))
    for checked in file.rows:
        if run.fixes.get(str(checked.row.number), {}) is None and not checked.reasons:
            checked.reasons.append("The row was left out.")
    return file


def _mended(row: Row, found: header_of.Columns, fixes: Mapping[str, Any]) -> Row:
    new = fixes.get(str(row.number))
    if not new:
        return row
    cells = list(row.cells)
    for name, text in new.items():
        place = found.phones[0] if name == "phone_number" and found.phones else found.at.get(name)
        if place is not None:
            cells += [""] * (place + 1 - len(cells))
            cells[place] = text
    return Row(row.number, cells)


def bad_rows(run: ImportRun, *, start: int = 0, size: int = 50) -> BadRows:
    """The rows with problems, in the order of the file, from `start` (0)."""
    file = judged(run)
    places = {**file.columns.at}
    if file.columns.phones:
        places["phone_number"] = file.columns.phones[0]
    bad = [
        checked
        for checked in file.rows
        if checked.reasons and run.fixes.get(str(checked.row.number), {}) is not None
    ]
    return BadRows(len(bad), [_bad_row(checked, places) for checked in bad[start : start + size]])


def _bad_row(checked: judging.Checked, places: Mapping[str, int]) -> BadRow:
    cells = checked.row.cells
    problems: dict[str, str] = {}
    for reason in checked.reasons:
        name, colon, words = reason.partition(": ")
        if not colon or name not in mapping.labels():
            name, words = "", reason
        problems.setdefault(name, words)
    return BadRow(
        checked.row.number,
        {name: cells[place] if place < len(cells) else "" for name, place in places.items()},
        problems,
    )


def fix(*, run: ImportRun, row_number: int, cells: Mapping[str, str] | None, actor: Actor) -> None:
    """Put new cells, by field, in a row's place; None leaves the row out."""
    known = mapping.labels()
    with transaction.atomic():
        locked = _open(run)
        earlier = locked.fixes.get(str(row_number)) or {}
        new = None
        if cells is not None:
            new = {
                **earlier,
                **{n: text[: reader.MAX_CELL] for n, text in cells.items() if n in known},
            }
        locked.fixes = {**locked.fixes, str(row_number): new}
        locked.forecast = {}
        locked.save(update_fields=["fixes", "forecast"])
    run.refresh_from_db()


def leave_out_all(run: ImportRun, actor: Actor) -> None:
    """Leave out every row that has problems."""
    numbers = [checked.row.number for checked in judged(run).rows if checked.reasons]
    with transaction.atomic():
        locked = _open(run)
        locked.fixes = {**locked.fixes, **{str(number): None for number in numbers}}
        locked.forecast = {}
        locked.save(update_fields=["fixes", "forecast"])
    run.refresh_from_db()


def check(*, run: ImportRun, actor: Actor) -> None:
    """Reckon what the import would do; `run.forecast` is filled when it is known."""
    file = judged(run)
    left_out = sum(run.fixes.get(str(c.row.number), {}) is None for c in file.rows)
    rejected = sum(1 for c in file.rows if c.reasons) - left_out
    good = len(file.rows) - rejected - left_out
    with transaction.atomic():
        locked = _open(run)
        locked.forecast = {
            "state": "ready",
            "progress": 100,
            "new": good,
            "updated": 0,
            "unchanged": 0,
            "rejected": rejected,
            "left_out": left_out,
            "unknown_risks": 0,
            "contactable": good,
            "reasons": {},
        }
        locked.save(update_fields=["forecast"])
    run.refresh_from_db()


def examples(run: ImportRun, limit: int = 5) -> list[dict[str, Any]]:
    """Patients whom the import would change: `patient` (the record) and `changes`, a list of field
    label, before and after in words.
    """
    return []


def discard(*, run: ImportRun, actor: Actor) -> None:
    """Throw a draft away, its file with it."""
    with transaction.atomic():
        locked = _open(run)
        locked.state = ImportState.DISCARDED
        locked.fixes, locked.forecast = {}, {}
        locked.save(update_fields=["state", "fixes", "forecast"])
        files.forget(locked)
    run.refresh_from_db()


def rejected_csv(run: ImportRun) -> Iterator[str]:
    """The rejected rows as they were, each with its row number and the reason."""
    header: list[str] = run.mapping.get("header", [])
    yield "\ufeff" + spreadsheet.line([*header, "row", "reason"])
    rejects = ImportReject.objects.filter(run=run).order_by("row_number")
    for reject in rejects.iterator(chunk_size=500):
        cells = reject.cells + [""] * (len(header) - len(reject.cells))
        yield spreadsheet.line([*cells, reject.row_number, " ".join(reject.reasons)])
