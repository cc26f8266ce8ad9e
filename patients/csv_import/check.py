"""Owns what a row of an export means: from cells to clean details, or to the reasons why not. It
looks at the whole file where one row cannot be judged alone (dates, families, repeated patients)
and reads no database.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from patients import names, phone
from patients.cleaning import PatientData, clean
from patients.csv_import import columns, dates, reader, words
from patients.csv_import.columns import CONSENTS, Columns
from patients.csv_import.reader import Row

_DATES = {
    "date_of_birth": dates.Meaning.BIRTH,
    "last_eye_test_date": dates.Meaning.PAST,
    "pms_recall_date": dates.Meaning.ANY,
}
_PLAIN = ("external_id", "title", "first_name", "last_name", "email", "nhs_number")
_EMPTY_WORDS = frozenset({"n/a", "na", "none", "null", "-", "--", "unknown", "no email", "nil"})
ALL_CHANNELS = "all"


@dataclass(slots=True)
class Checked:
    """One row: what to write (``values`` by model field), or why it was rejected. ``opt_outs`` are
    channels, or ``all``; ``household`` says that the file gives the number to several names."""

    row: Row
    values: dict[str, Any] = field(default_factory=dict)
    opt_outs: frozenset[str] = frozenset()
    deceased: bool = False
    household: bool = False
    reasons: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class File:
    """A whole export, checked: the columns found, and every row in order, good or rejected."""

    columns: Columns
    rows: list[Checked]


def check(content: bytes, *, today: date) -> File:
    """Read and judge an export. Raises reader.Unreadable when it cannot be read as a whole."""
    found, rows = columns.find(reader.read(content))
    if not rows:
        raise reader.Unreadable("The file has a header but no rows below it. Export it again.")
    return judge(found, rows, today=today)


def judge(
    found: Columns,
    rows: Sequence[Row],
    *,
    today: date,
    orders: Mapping[str, str] | None = None,
) -> File:
    """Judge the rows below a header."""
    month_first = {
        name: dates.is_month_first(_cell(row, found.at[name]) for row in rows)
        for name in _DATES
        if name in found.at
    }
    checked = [_check_row(row, found, month_first, today) for row in rows]
    _look_across(checked)
    return File(found, checked)


def _check_row(row: Row, found: Columns, month_first: dict[str, bool], today: date) -> Checked:
    checked = Checked(row)
    data = PatientData()
    for name in _PLAIN:
        text = _given(row, found, name)
        if text and text.lower() not in _EMPTY_WORDS:
            data[name] = text  # type: ignore[literal-required]
    _full_name(row, found, data)
    _dates(row, found, month_first, today, data, checked)
    _phone(row, found, data, checked)
    if text := _given(row, found, "risk_category"):
        data["risk_category"] = words.risk(text)
    if text := _given(row, found, "clinical_notes"):
        data["clinical_notes"] = text
    _interval(row, found, data, checked)
    _consents(row, found, checked)
    cleaned = clean(data, today=today)
    checked.values = cleaned.values
    checked.reasons += [f"{problem.field}: {problem.message}" for problem in cleaned.problems]
    _require(data, checked)
    return checked


def _cell(row: Row, place: int) -> str:
    return row.cells[place] if place < len(row.cells) else ""


def _given(row: Row, found: Columns, name: str) -> str:
    """The field's cell, without the apostrophe by which spreadsheets mark text; "" without a
    column.
    """
    place = found.at.get(name)
    return _cell(row, place).removeprefix("'").strip() if place is not None else ""


def _full_name(row: Row, found: Columns, data: PatientData) -> None:
    """A name in one cell, where the export has no columns of its own for the parts."""
    text = _given(row, found, "full_name")
    if not text or data.get("first_name"):
        return
    title, first, last = names.split(text)
    data["first_name"] = first
    if last:
        data.setdefault("last_name", last)
    if title:
        data.setdefault("title", title)


def _dates(
    row: Row,
    found: Columns,
    month_first: dict[str, bool],
    today: date,
    data: PatientData,
    checked: Checked,
) -> None:
    for name, meaning in _DATES.items():
        text = _given(row, found, name)
        try:
            day = dates.parse(
                text, meaning, today=today, month_first_column=month_first.get(name, False)
            )
        except dates.BadDate as bad:
            checked.reasons.append(f"{name}: '{text[:30]}' {bad}")
            continue
        if day is not None:
            data[name] = day  # type: ignore[literal-required]


def _phone(row: Row, found: Columns, data: PatientData, checked: Checked) -> None:
    """The best number of all telephone columns: the first mobile, else the first good one."""
    good: list[phone.PhoneNumber] = []
    bad: list[phone.Rejection] = []
    for place in found.phones:
        text = _cell(row, place)
        if not text or text.lower() in _EMPTY_WORDS:
            continue
        try:
            good.append(phone.parse(text))
        except phone.Rejection as rejection:
            bad.append(rejection)
    if good:
        best = next((number for number in good if number.kind is phone.Kind.MOBILE), good[0])
        data["phone_number"] = best.e164
    elif bad:
        checked.reasons.append(f"phone_number: {bad[0].message}")


def _interval(row: Row, found: Columns, data: PatientData, checked: Checked) -> None:
    text = _given(row, found, "own_interval_months").lower()
    digits = text.removesuffix("months").removesuffix("month").removesuffix("m").strip()
    if digits.isascii() and digits.isdigit() and len(digits) < 4:
        data["own_interval_months"] = int(digits)
    elif text and text not in dates.NOTHING:
        checked.reasons.append("own_interval_months: Give a whole number of months, such as 12.")


def _consents(row: Row, found: Columns, checked: Checked) -> None:
    """A no to a channel is an opt-out of it; a yes or nothing changes nothing, least of all an
    opt-out that the patient gave us since."""
    channels = set()
    for name, channel in CONSENTS.items():
        text = _given(row, found, name)
        try:
            if words.agrees(text) is False:
                channels.add(channel)
        except words.Unclear:
            checked.reasons.append(
                f"{name}: '{text[:30]}' is neither yes nor no. Write one of them."
            )
    if words.is_set(_given(row, found, "no_voice")):
        channels.add("voice")
    if words.is_set(_given(row, found, "no_contact")):
        channels = {ALL_CHANNELS}
    checked.opt_outs = frozenset(channels)
    checked.deceased = words.is_set(_given(row, found, "deceased"))


def _require(data: PatientData, checked: Checked) -> None:
    if not data.get("first_name"):
        checked.reasons.append("first_name: The row has no first name. Add it.")
    if not data.get("phone_number") and not data.get("email") and not checked.reasons:
        checked.reasons.append(
            "phone_number: The row has neither a phone number nor an email address. Add one."
        )


# --- the file as a whole ------------------------------------------------------------------------


def _look_across(rows: Iterable[Checked]) -> None:
    """Mark families, and settle rows that name one patient twice."""
    good = [checked for checked in rows if not checked.reasons]
    people_at: dict[str, set[tuple[str, str]]] = {}
    for checked in good:
        if number := checked.values.get("phone_number"):
            people_at.setdefault(number, set()).add(_name_key(checked.values))
    first: dict[tuple[str, ...], Checked] = {}
    for checked in good:
        number = checked.values.get("phone_number", "")
        checked.household = len(people_at.get(number, ())) > 1
        earlier = first.setdefault(_identity(checked.values), checked)
        if earlier is not checked:
            _settle(checked, earlier)


def _name_key(values: dict[str, Any]) -> tuple[str, str]:
    return names.key(values.get("first_name", "")), names.key(values.get("last_name", ""))


def _identity(values: dict[str, Any]) -> tuple[str, ...]:
    """What makes two rows one patient: the system's id, else number (or address) and names."""
    if external_id := values.get("external_id"):
        return ("id", external_id)
    contact = values.get("phone_number") or values.get("email", "")
    return ("contact", contact, *_name_key(values))


def _settle(later: Checked, earlier: Checked) -> None:
    """The same patient again: a repeat or an addition is fine; a contradiction is rejected, since
    taking both in turn would change the record each time the file is imported."""
    differing = sorted(
        name
        for name, value in later.values.items()
        if name in earlier.values and earlier.values[name] != value
    )
    if differing:
        later.reasons.append(
            f"Row {earlier.row.number} is the same patient with another {_words(differing)}. "
            "Keep the right row, or give each patient an id."
        )


def _words(fields: Sequence[str]) -> str:
    shown = [name for name in fields if not name.startswith("phone_") or name == "phone_number"]
    return ", ".join(shown or fields)
