"""Owns what one row of an export means: from cells to clean details, or to the reasons why not. It
reads no database; what only the whole file can tell is the survey's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from patients import names, phone
from patients.cleaning import PatientData, clean, phone_values
from patients.csv_import import dates, words
from patients.csv_import.columns import CONSENTS, Columns
from patients.csv_import.dates import Meaning, Order
from patients.csv_import.reader import Row

DATES = {
    "date_of_birth": Meaning.BIRTH,
    "last_eye_test_date": Meaning.PAST,
    "pms_recall_date": Meaning.ANY,
}
_PLAIN = ("external_id", "title", "first_name", "last_name", "email", "nhs_number")
_EMPTY_WORDS = frozenset({"n/a", "na", "none", "null", "-", "--", "unknown", "no email", "nil"})
_LONGEST_EMPTY_WORD = 8
_REMEMBERED_DATES = 50_000
ALL_CHANNELS = "all"
LEFT_OUT = "The row was left out."
_NOTHING: frozenset[str] = frozenset()


@dataclass(slots=True)
class Checked:
    """One row: what to write (``values`` by model field), or why it was rejected. ``opt_outs`` are
    channels, or ``all``; ``household`` says that the file gives the number to several names.
    """

    row: Row
    values: dict[str, Any] = field(default_factory=dict)
    opt_outs: frozenset[str] = _NOTHING
    deceased: bool = False
    household: bool = False
    unknown_risk: bool = False
    reasons: list[str] = field(default_factory=list)


class Judge:
    """Judges the rows of one file. ``orders`` says how the dates of a field are written, ``fixes``
    has new cells by row number and field, or None where the row is left out.
    """

    def __init__(
        self,
        columns: Columns,
        *,
        today: date,
        orders: Mapping[str, str] | None = None,
        fixes: Mapping[str, Mapping[str, str] | None] | None = None,
    ) -> None:
        at, orders = columns.at, orders or {}
        self._at = at
        self._phones = columns.phones
        self._today = today
        self._fixes = fixes or {}
        self._plain = [(name, at[name]) for name in _PLAIN if name in at]
        self._dates = [
            (name, at[name], meaning, Order(orders.get(name, Order.DAY_FIRST)))
            for name, meaning in DATES.items()
            if name in at
        ]
        self._seen: dict[tuple[str, str], date | None] = {}
        self._consents = [name for name in CONSENTS if name in at]
        self._rest = [
            step
            for needed, step in (
                ("full_name", self._full_name),
                ("risk_category", self._risk),
                ("clinical_notes", self._notes),
                ("own_interval_months", self._interval),
            )
            if needed in at
        ]
        self._has_wishes = bool({*self._consents, *at} & {*CONSENTS, *_MARKS})

    def judge(self, row: Row) -> Checked:
        """What the row means."""
        fix: Mapping[str, str] | None = None
        if self._fixes:
            fix = self._fixes.get(str(row.number), _NO_FIX)
            if fix:
                row = self._mended(row, fix)
        checked = Checked(row)
        cells = row.cells
        data = self._texts(cells)
        self._read_dates(cells, data, checked)
        for step in self._rest:
            step(cells, data, checked)
        number = self._phone(cells, checked)
        if self._has_wishes:
            self._wishes(cells, checked)
        cleaned = clean(data, today=self._today)  # type: ignore[arg-type]
        checked.values = cleaned.values
        if number is not None:
            checked.values.update(phone_values(number))
        checked.reasons += [f"{problem.field}: {problem.message}" for problem in cleaned.problems]
        _require(data, number, checked)
        if self._fixes and fix is None:
            checked.reasons.append(LEFT_OUT)
        return checked

    def _texts(self, cells: list[str]) -> dict[str, Any]:
        data: dict[str, Any] = {}
        width = len(cells)
        for name, place in self._plain:
            if place < width and (text := cells[place]):
                text = _unquoted(text)
                if len(text) > _LONGEST_EMPTY_WORD or text.lower() not in _EMPTY_WORDS:
                    data[name] = text
        return data

    def _mended(self, row: Row, fix: Mapping[str, str]) -> Row:
        cells = list(row.cells)
        for name, text in fix.items():
            place = self.place_of(name)
            if place is not None:
                cells += [""] * (place + 1 - len(cells))
                cells[place] = text.strip()
        return Row(row.number, cells)

    def place_of(self, name: str) -> int | None:
        """The column that a field is read from and mended in."""
        if name == "phone_number":
            return self._phones[0] if self._phones else None
        return self._at.get(name)

    def _given(self, cells: list[str], name: str) -> str:
        """The field's cell, without the apostrophe by which spreadsheets mark text; "" without a
        column.
        """
        place = self._at.get(name)
        return _unquoted(cells[place]) if place is not None and place < len(cells) else ""

    def _read_dates(self, cells: list[str], data: dict[str, Any], checked: Checked) -> None:
        width = len(cells)
        for name, place, meaning, order in self._dates:
            if place >= width or not (text := cells[place]):
                continue
            key = (name, text)
            if key in self._seen:
                day = self._seen[key]
            else:
                try:
                    day = dates.parse(_unquoted(text), meaning, today=self._today, order=order)
                except dates.BadDate as bad:
                    checked.reasons.append(f"{name}: '{text[:30]}' {bad}")
                    continue
                if len(self._seen) < _REMEMBERED_DATES:
                    self._seen[key] = day
            if day is not None:
                data[name] = day

    def _phone(self, cells: list[str], checked: Checked) -> phone.PhoneNumber | None:
        """The best number of all telephone columns: the first mobile, else the first good one."""
        best: phone.PhoneNumber | None = None
        bad: phone.Rejection | None = None
        for place in self._phones:
            text = cells[place] if place < len(cells) else ""
            if not text or (len(text) < 9 and text.lower() in _EMPTY_WORDS):
                continue
            try:
                number = phone.parse(text)
            except phone.Rejection as rejection:
                bad = bad or rejection
                continue
            if number.kind is phone.Kind.MOBILE:
                return number
            best = best or number
        if best is None and bad is not None:
            checked.reasons.append(f"phone_number: {bad.message}")
        return best

    def _full_name(self, cells: list[str], data: dict[str, Any], checked: Checked) -> None:
        """A name in one cell, where the export has no columns of its own for the parts."""
        text = self._given(cells, "full_name")
        if not text or data.get("first_name"):
            return
        title, first, last = names.split(text)
        data["first_name"] = first
        if last:
            data.setdefault("last_name", last)
        if title:
            data.setdefault("title", title)

    def _risk(self, cells: list[str], data: dict[str, Any], checked: Checked) -> None:
        if text := self._given(cells, "risk_category"):
            category = words.recognised_risk(text)
            checked.unknown_risk = not category
            data["risk_category"] = category or "standard"

    def _notes(self, cells: list[str], data: dict[str, Any], checked: Checked) -> None:
        if text := self._given(cells, "clinical_notes"):
            data["clinical_notes"] = text

    def _interval(self, cells: list[str], data: dict[str, Any], checked: Checked) -> None:
        text = self._given(cells, "own_interval_months").lower()
        digits = text.removesuffix("months").removesuffix("month").removesuffix("m").strip()
        if digits.isascii() and digits.isdigit() and len(digits) < 4:
            data["own_interval_months"] = int(digits)
        elif text and text not in dates.NOTHING:
            checked.reasons.append(
                "own_interval_months: Give a whole number of months, such as 12."
            )

    def _wishes(self, cells: list[str], checked: Checked) -> None:
        """A no to a channel is an opt-out of it; a yes or nothing changes nothing, least of all an
        opt-out that the patient gave us since."""
        channels: set[str] = set()
        for name in self._consents:
            text = self._given(cells, name)
            try:
                if words.agrees(text) is False:
                    channels.add(CONSENTS[name])
            except words.Unclear:
                checked.reasons.append(
                    f"{name}: '{text[:30]}' is neither yes nor no. Write one of them."
                )
        if words.is_set(self._given(cells, "no_voice")):
            channels.add("voice")
        if words.is_set(self._given(cells, "no_contact")):
            channels = {ALL_CHANNELS}
        if channels:
            checked.opt_outs = frozenset(channels)
        checked.deceased = words.is_set(self._given(cells, "deceased"))


_NO_FIX: Mapping[str, str] = {}
_MARKS = ("no_contact", "no_voice", "deceased")


def _unquoted(text: str) -> str:
    return text[1:].strip() if text[:1] == "'" else text


def _require(
    data: Mapping[str, Any] | PatientData, number: phone.PhoneNumber | None, checked: Checked
) -> None:
    if not data.get("first_name"):
        checked.reasons.append("first_name: The row has no first name. Add it.")
    if number is None and not data.get("email") and not checked.reasons:
        checked.reasons.append(
            "phone_number: The row has neither a phone number nor an email address. Add one."
        )
