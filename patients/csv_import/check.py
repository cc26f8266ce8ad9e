"""Owns what one row of an export means: from cells to clean details, or to the reasons why not. It
reads no database; what only the whole file can tell is the survey's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from patients import names, phone
from patients.cleaning import CLEANERS, REJECTIONS, phone_values
from patients.csv_import import dates, words
from patients.csv_import.columns import CONSENTS, Columns
from patients.csv_import.dates import Meaning, Order
from patients.csv_import.reader import Row

DATES = {
    "date_of_birth": Meaning.BIRTH,
    "last_eye_test_date": Meaning.PAST,
    "pms_recall_date": Meaning.ANY,
}
_TEXTS = ("external_id", "title", "first_name", "last_name", "email", "nhs_number")
_REPEATED = frozenset({"title", "first_name", "last_name", *DATES})
_REMEMBERED = 20_000
_EMPTY_WORDS = frozenset({"n/a", "na", "none", "null", "-", "--", "unknown", "no email", "nil"})
_LONGEST_EMPTY_WORD = 8
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


class _Meanings(dict[str, Any]):
    """What the cells of a column mean, of which so many are remembered as may come again."""

    def __init__(self, read: Callable[[str], Any], most: int) -> None:
        super().__init__()
        self.read = read
        self.most = most

    def __missing__(self, cell: str) -> Any:
        value = self.read(cell)
        if len(self) < self.most:
            self[cell] = value
        return value


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
        self._orders = {name: Order(orders.get(name, Order.DAY_FIRST)) for name in DATES}
        self._plan = [
            (name, at[name], _Meanings(self._reader(name), _REMEMBERED * (name in _REPEATED)))
            for name in (*_TEXTS, *DATES)
            if name in at
        ]
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
        self._read(cells, checked)
        for step in self._rest:
            step(cells, checked)
        self._phone(cells, checked)
        if self._has_wishes:
            self._wishes(cells, checked)
        _require(checked)
        if self._fixes and fix is None:
            checked.reasons.append(LEFT_OUT)
        return checked

    def _read(self, cells: list[str], checked: Checked) -> None:
        """The cells that each say one thing."""
        width, values = len(cells), checked.values
        for name, place, meanings in self._plan:
            if place >= width or not (text := cells[place]):
                continue
            try:
                value = meanings[text]
            except dates.BadDate as bad:
                checked.reasons.append(f"{name}: '{text[:30]}' {bad}")
            except REJECTIONS as bad:
                checked.reasons.append(f"{name}: {bad.message}")
            else:
                if value is not None:
                    values[name] = value

    def _reader(self, name: str) -> Callable[[str], Any]:
        """From a cell that is not empty to the value, None where it says nothing."""
        cleaner, today = CLEANERS[name], self._today

        def text(cell: str) -> Any:
            cell = _unquoted(cell)
            if len(cell) <= _LONGEST_EMPTY_WORD and (not cell or cell.lower() in _EMPTY_WORDS):
                return None
            return cleaner(name, cell, today)

        def day(cell: str) -> Any:
            order = self._orders[name]
            found = dates.parse(_unquoted(cell), DATES[name], today=today, order=order)
            return None if found is None else cleaner(name, found, today)

        return day if name in DATES else text

    def _put(self, name: str, raw: Any, checked: Checked) -> None:
        try:
            checked.values[name] = CLEANERS[name](name, raw, self._today)
        except REJECTIONS as bad:
            checked.reasons.append(f"{name}: {bad.message}")

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

    def _phone(self, cells: list[str], checked: Checked) -> None:
        """The best number of all telephone columns: the first mobile, else the first good one."""
        best: phone.PhoneNumber | None = None
        bad = ""
        for place in self._phones:
            text = cells[place] if place < len(cells) else ""
            if not text or (len(text) < 9 and text.lower() in _EMPTY_WORDS):
                continue
            try:
                number = phone.parse(text)
            except phone.Rejection as rejection:
                bad = bad or rejection.message
                continue
            if number.kind is phone.Kind.MOBILE:
                best = number
                break
            best = best or number
        if best is not None:
            checked.values.update(phone_values(best))
        elif bad:
            checked.reasons.append(f"phone_number: {bad}")

    def _full_name(self, cells: list[str], checked: Checked) -> None:
        """A name in one cell, where the export has no columns of its own for the parts."""
        text = self._given(cells, "full_name")
        if not text or "first_name" in checked.values:
            return
        title, first, last = names.split(text)
        self._put("first_name", first, checked)
        for name, part in (("last_name", last), ("title", title)):
            if part and name not in checked.values:
                self._put(name, part, checked)

    def _risk(self, cells: list[str], checked: Checked) -> None:
        if text := self._given(cells, "risk_category"):
            category = words.recognised_risk(text)
            checked.unknown_risk = not category
            checked.values["risk_category"] = category or "standard"

    def _notes(self, cells: list[str], checked: Checked) -> None:
        if text := self._given(cells, "clinical_notes"):
            self._put("clinical_notes", text, checked)

    def _interval(self, cells: list[str], checked: Checked) -> None:
        text = self._given(cells, "own_interval_months").lower()
        digits = text.removesuffix("months").removesuffix("month").removesuffix("m").strip()
        if digits.isascii() and digits.isdigit() and len(digits) < 4:
            self._put("own_interval_months", int(digits), checked)
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


def _require(checked: Checked) -> None:
    values, reasons = checked.values, checked.reasons
    if not values.get("first_name") and not any(why.startswith("first_name") for why in reasons):
        reasons.append("first_name: The row has no first name. Add it.")
    if not reasons and not values.get("phone_number") and not values.get("email"):
        reasons.append(
            "phone_number: The row has neither a phone number nor an email address. Add one."
        )
