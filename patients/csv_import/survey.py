"""Owns what can only be seen from the whole file: families on one number, and rows that name one
patient twice. It judges every row once and keeps the answers packed, in a small part of the memory
that the rows themselves would take. Pure: it reads no database.
"""

import marshal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from patients import names
from patients.csv_import import files, mapping
from patients.csv_import.check import DATES, LEFT_OUT, Checked, Judge
from patients.csv_import.reader import Row

_MARSHAL_VERSION = 4
_SEVERAL = 0
"""Stands for the names of a number that has more than one."""


class _Keys(dict[str, str]):
    """The keys of names, each worked out once for a frame."""

    def __missing__(self, name: str) -> str:
        self[name] = found = names.key(name)
        return found


class Rejected(NamedTuple):
    """A row that is not imported: its number, its cells as they came, and why."""

    number: int
    cells: list[str]
    reasons: list[str]


@dataclass(slots=True)
class Survey:
    """The judged rows of a file, in its frames."""

    judge: Judge
    frames: Sequence[bytes]
    packed: list[bytes] = field(default_factory=list)
    rows: int = 0
    unknown_risks: int = 0
    _names_at: dict[int, int] = field(default_factory=dict)
    _met: set[int] = field(default_factory=set)
    _met_again: set[int] = field(default_factory=set)
    _contradictions: dict[int, str] = field(default_factory=dict)

    def run(self, told: Callable[[int], None] = lambda _: None) -> None:
        """Judge every row; ``told`` hears after each frame how many were judged."""
        judge = self.judge.judge
        for frame in self.frames:
            rows = files.unpack(frame)
            judged = [judge(row) for row in rows]
            self.rows += len(judged)
            self._look(judged)
            self.packed.append(_pack(judged, rows))
            told(self.rows)
        if self._met_again:
            self._settle()

    def _look(self, judged: Sequence[Checked]) -> None:
        names_at, met, keys = self._names_at, self._met, _Keys()
        for checked in judged:
            self.unknown_risks += checked.unknown_risk
            if checked.reasons:
                continue
            values = checked.values
            name = keys[values.get("first_name", "")], keys[values.get("last_name", "")]
            if number := values.get("phone_number"):
                key, named = int(number[1:]), hash(name) or 1
                if names_at.setdefault(key, named) != named:
                    names_at[key] = _SEVERAL
            identity = hash(_identity(values, name))
            if identity in met:
                self._met_again.add(identity)
            else:
                met.add(identity)

    def _settle(self) -> None:
        """Compare the rows that name one patient twice with the first of them."""
        first: dict[tuple[str, ...], Checked] = {}
        for place in range(len(self.packed)):
            for checked in _unpack(self.packed[place]):
                if checked.reasons:
                    continue
                identity = _identity(checked.values, _name_key(checked.values))
                if hash(identity) not in self._met_again:
                    continue
                earlier = first.setdefault(identity, checked)
                if earlier is not checked and (words := _contradiction(checked, earlier)):
                    self._contradictions[checked.row.number] = words

    def frame(self, place: int) -> list[Checked]:
        """The judged rows of one frame, in order, without their cells."""
        found = _unpack(self.packed[place])
        for checked in found:
            if checked.reasons:
                continue
            if words := self._contradictions.get(checked.row.number):
                checked.reasons.append(words)
            number = checked.values.get("phone_number")
            if number and self._names_at.get(int(number[1:])) == _SEVERAL:
                checked.household = True
        return found

    def __iter__(self) -> Iterator[Checked]:
        for place in range(len(self.packed)):
            yield from self.frame(place)

    def is_named_again(self, checked: Checked) -> bool:
        """Whether the file has another row for the same patient."""
        identity = _identity(checked.values, _name_key(checked.values))
        return hash(identity) in self._met_again

    def rejected(self, place: int, frame: Sequence[Checked]) -> Iterator[Rejected]:
        """The rows of a frame that have reasons by now, with their cells as they came."""
        whole: list[Row] = []
        for at, checked in enumerate(frame):
            if checked.reasons:
                row = checked.row
                if not row.cells:
                    whole = whole or files.unpack(self.frames[place])
                    row = whole[at]
                yield Rejected(row.number, row.cells, checked.reasons)


def is_left_out(checked: Checked) -> bool:
    return LEFT_OUT in checked.reasons


def _pack(judged: Sequence[Checked], rows: Sequence[Row]) -> bytes:
    """What was judged, with the cells of the rows that will have to be shown."""
    packed: list[tuple[Any, ...]] = []
    for checked, row in zip(judged, rows, strict=True):
        values, reasons = checked.values, checked.reasons
        for name in DATES:
            if day := values.get(name):
                values[name] = day.isoformat()
        if reasons or checked.opt_outs or checked.deceased:
            cells = row.cells if reasons else []
            packed.append((row.number, values, cells, reasons, checked.opt_outs, checked.deceased))
        else:
            packed.append((row.number, values))
    return marshal.dumps(packed, _MARSHAL_VERSION)


def _unpack(packed: bytes) -> list[Checked]:
    found = []
    for number, values, *rest in marshal.loads(packed):  # noqa: S302 - our own, from this process
        for name in DATES:
            if day := values.get(name):
                values[name] = date.fromisoformat(day)
        checked = Checked(Row(number, rest[0] if rest else []), values)
        if rest:
            _, checked.reasons, checked.opt_outs, checked.deceased = rest
        found.append(checked)
    return found


def _name_key(values: dict[str, Any]) -> tuple[str, str]:
    return names.key(values.get("first_name", "")), names.key(values.get("last_name", ""))


def _identity(values: dict[str, Any], name: tuple[str, str]) -> tuple[str, ...]:
    """What makes two rows one patient: the system's id, else number (or address) and names."""
    if external_id := values.get("external_id"):
        return ("id", external_id)
    return ("contact", values.get("phone_number") or values.get("email", ""), *name)


def _contradiction(later: Checked, earlier: Checked) -> str:
    """The same patient again: a repeat or an addition is fine; a contradiction is rejected, since
    taking both in turn would change the record each time the file is imported."""
    differing = sorted(
        name
        for name, value in later.values.items()
        if name in earlier.values and earlier.values[name] != value
    )
    if not differing:
        return ""
    return (
        f"Row {earlier.row.number} is the same patient with another {_words(differing)}. "
        "Keep the right row, or give each patient an id."
    )


def _words(fields: Sequence[str]) -> str:
    """The fields as people know them; what is only reckoned from a number has no name."""
    labels = [label for name, label in mapping.labels().items() if name in fields]
    inside = [text if text[:2].isupper() else text[:1].lower() + text[1:] for text in labels]
    return ", ".join(inside) or "number"
