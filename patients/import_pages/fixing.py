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
_WHO = ("external_id", "full_name", "first_name", "last_name")
_CONTACT = ("phone_number", "email")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a bad row. ``name`` is that of its input, "" where it is only shown."""

    label: str
    value: str
    problem: str
    name: str


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    cells: list[Cell]
    problems: list[str]
    """What is wrong with the row as a whole."""


class Sheet:
    """One page of the bad rows. Row numbers are those a spreadsheet shows."""

    def __init__(self, run: ImportRun, start: str) -> None:
        self._run = run
        self.start = _place(start)
        found = runs.bad_rows(run, start=self.start, size=PAGE_SIZE)
        if not found.rows and self.start:  # the last page has been put right
            self.start = 0
            found = runs.bad_rows(run, start=0, size=PAGE_SIZE)
        self.total, self._bad = found.total, found.rows
        self._labels = {field.name: field.label for field in runs.fields()}
        self.said = ""

    @property
    def rows(self) -> list[BadRow]:
        return list(self._bad)

    @property
    def end(self) -> int:
        return self.start + len(self._bad)

    @property
    def previous(self) -> int | None:
        return max(0, self.start - PAGE_SIZE) if self.start else None

    @property
    def next(self) -> int | None:
        return self.end if self.end < self.total else None

    @property
    def fields(self) -> list[str]:
        """The columns of the sheet: who it is, then whatever is wrong in any of its rows."""
        wrong = {field for row in self._bad for field in _editable(row)}
        known = {field for row in self._bad for field in row.cells}
        order = [*_WHO, *_CONTACT, *self._labels]
        shown = [field for field in _WHO if field in known] + [f for f in order if f in wrong]
        return list(dict.fromkeys(shown))

    @property
    def headings(self) -> list[str]:
        return [self._labels.get(field, field) for field in self.fields]

    def lines(self) -> Iterator[Line]:
        fields = self.fields
        for row in self._bad:
            yield Line(
                row.number,
                [self._cell(row, field) for field in fields],
                [text for field, text in row.problems.items() if field not in self._labels],
            )

    def _cell(self, row: BadRow, field: str) -> Cell:
        can_edit = field in _editable(row)
        return Cell(
            self._labels.get(field, field),
            row.cells.get(field, ""),
            row.problems.get(field, ""),
            cell_name(row.number, field) if can_edit else "",
        )

    def tasks(self) -> list[tuple[str, str]]:
        """What is to be done on this page, with the id of the first cell it is about."""
        counts: Counter[str] = Counter()
        first: dict[str, str] = {}
        for row in self._bad:
            for field in row.problems:
                known = field in self._labels
                counts[field if known else ""] += 1
                place = cell_name(row.number, field) if known else f"row-{row.number}"
                first.setdefault(field if known else "", place)
        return [(self._task(field, count), first[field]) for field, count in counts.items()]

    def _task(self, field: str, count: int) -> str:
        rows = "1 row" if count == 1 else f"{count} rows"
        if not field:
            return f"Look at {rows} that contradict another"
        label = self._labels[field]
        return f"Correct the {label if label.startswith('NHS') else label.lower()} in {rows}"

    def save(self, data: Mapping[str, str], actor: Actor) -> int:
        """Hand over what was changed in the inputs of this page; how many rows that was."""
        changed = 0
        for row in self._bad:
            shown = {field: row.cells.get(field, "") for field in _editable(row)}
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
        elif right:
            self.said = f"{_rows(right)} right now, {self.total} to go."
        else:
            self.said = "Saved, and still not right. The messages say what is missing."


def _rows(count: int) -> str:
    return "1 row is" if count == 1 else f"{count} rows are"


def _editable(row: BadRow) -> list[str]:
    """The cells with a problem. A missing number can be made up for by an address, so that with
    one of the two the other is offered as well.
    """
    wrong = [field for field in row.problems if field]
    if set(wrong) & set(_CONTACT):
        wrong += [field for field in _CONTACT if field not in wrong]
    return wrong


def _place(text: str) -> int:
    """The start of a page as the address has it; 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0
