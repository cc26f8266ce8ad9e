"""The rows that cannot be imported as they are, as a sheet whose bad cells can be edited."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from patients.csv_import import runs
from patients.csv_import.runs import BadRow
from patients.import_pages.forms import cell_name, edited
from patients.models import ImportRun
from practices.journal import Actor

PAGE_SIZE = 50
_NAME = ("full_name", "first_name", "last_name")
_CONTACT = ("phone_number", "email")
_KNOWN = {"external_id": "Patient number ", "date_of_birth": "Born ", "phone_number": ""}


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that can be edited: the name of its input, and what is wrong with it, if it is."""

    label: str
    name: str
    value: str
    problem: str


@dataclass(frozen=True, slots=True)
class Line:
    """A row: its number in the file, who it is and what else says so, the cells to be corrected,
    and what is wrong with the row as a whole.
    """

    number: int
    name: str
    known: list[str]
    cells: list[Cell]
    problems: list[str]


class Sheet:
    """One page of the bad rows. Row numbers are those a spreadsheet shows."""

    def __init__(self, run: ImportRun, start: str) -> None:
        self._run = run
        self.start = _place(start)
        found = runs.bad_rows(run, start=self.start, size=PAGE_SIZE)
        if not found.rows and self.start:  # the last page has been put right
            self.start = 0
            found = runs.bad_rows(run, start=0, size=PAGE_SIZE)
        self.total = found.total
        self._rows = found.rows
        self._labels = {field.name: field.label for field in runs.fields()}
        self.said = ""

    @property
    def end(self) -> int:
        return self.start + len(self._rows)

    @property
    def previous(self) -> int | None:
        return max(0, self.start - PAGE_SIZE) if self.start else None

    @property
    def next(self) -> int | None:
        return self.end if self.end < self.total else None

    @property
    def is_paged(self) -> bool:
        return self.total > len(self._rows)

    def lines(self) -> Iterator[Line]:
        for row in self._rows:
            editable = self._editable(row)
            yield Line(
                row.number,
                " ".join(filter(None, (row.cells.get(field, "") for field in _NAME))),
                [
                    f"{said}{row.cells[field]}"
                    for field, said in _KNOWN.items()
                    if row.cells.get(field) and field not in editable
                ],
                [self._cell(row, field) for field in editable],
                [text for field, text in row.problems.items() if field not in self._labels],
            )

    def _cell(self, row: BadRow, field: str) -> Cell:
        return Cell(
            self._labels[field],
            cell_name(row.number, field),
            row.cells.get(field, ""),
            row.problems.get(field, ""),
        )

    def _editable(self, row: BadRow) -> list[str]:
        """The fields with a problem. A missing number can be made up for by an address, so that
        with one of the two the other is offered as well, if the file has it.
        """
        wrong = [field for field in row.problems if field in self._labels]
        if set(wrong) & set(_CONTACT):
            wrong += [field for field in _CONTACT if field in row.cells and field not in wrong]
        return wrong

    def tasks(self) -> list[tuple[str, str]]:
        """What is to be done on this page, with the id of the first place it is about."""
        counts: Counter[str] = Counter()
        first: dict[str, str] = {}
        for row in self._rows:
            for field in row.problems:
                what = self._labels.get(field, "")
                counts[what] += 1
                first.setdefault(
                    what, cell_name(row.number, field) if what else f"row-{row.number}"
                )
        return [(_task(what, count), first[what]) for what, count in counts.items()]

    def save(self, data: Mapping[str, str], actor: Actor) -> int:
        """Hand over what was changed in the inputs of this page; how many rows that was."""
        changed = 0
        for row in self._rows:
            shown = {field: row.cells.get(field, "") for field in self._editable(row)}
            cells = edited(data, row.number, shown)
            if cells:
                runs.fix(run=self._run, row_number=row.number, cells=cells, actor=actor)
                changed += 1
        return changed

    def say(self, changed: int, before: int) -> None:
        """What saving did, for the top of the page."""
        right = before - self.total
        if not changed:
            self.said = "Nothing was changed. Correct a cell, or leave the rows out."
        elif right > 0:
            done = "1 row is" if right == 1 else f"{right} rows are"
            self.said = f"{done} right now, {self.total} to go"
        else:
            self.said = "Saved, and still not right"


def _task(what: str, count: int) -> str:
    rows = "1 row" if count == 1 else f"{count} rows"
    if not what:
        return f"Look at {rows} that contradict{'s' if count == 1 else ''} another"
    return f"Correct “{what}” in {rows}"


def _place(text: str) -> int:
    """The start of a page as the address has it; 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0
