"""Owns which column of an uploaded file is which field: what we recognise, what the practice said
the last time, what the person says now, and how a column's dates are to be read.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from patients.csv_import import columns as names_of_columns
from patients.csv_import import dates
from patients.csv_import.check import DATES
from patients.csv_import.dates import Evidence, Order
from patients.models import ImportRun

_ORDERS = (Order.DAY_FIRST.value, Order.MONTH_FIRST.value)


@dataclass(frozen=True, slots=True)
class Field:
    """A field that a column can be matched to, with the word people know it by."""

    name: str
    label: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class DateQuestion:
    """How a column's dates are to be read, for a person to confirm. `orders` are the answers:
    value and a sample read that way. `chosen` is "" where nothing may be presumed, because the
    column seems to put the month first.
    """

    field: str
    orders: Sequence[tuple[str, str]]
    chosen: str
    two_digit_years: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file: its place (from 0), its name, up to three of its cells, the field that
    it is matched to or "", and whether that is certain: recognised, or said before.
    """

    place: int
    header: str
    samples: list[str]
    field: str
    sure: bool
    question: DateQuestion | None = None


_LABELS = {
    "first_name": "First name",
    "last_name": "Last name",
    "full_name": "Full name",
    "phone_number": "Phone number",
    "email": "Email address",
    "last_eye_test_date": "Last eye test",
    "risk_category": "Risk category",
    "date_of_birth": "Date of birth",
    "nhs_number": "NHS number",
    "external_id": "Patient number in your system",
    "pms_recall_date": "Recall date",
    "title": "Title",
    "own_interval_months": "Recall interval in months",
    "clinical_notes": "Clinical notes",
    "voice_ok": "May be called",
    "sms_ok": "May be texted",
    "whatsapp_ok": "May get WhatsApp messages",
    "email_ok": "May be emailed",
    "no_contact": "Do not contact",
    "no_voice": "Do not call",
    "deceased": "Deceased",
}
_REQUIRED = frozenset({"first_name", "phone_number"})
_SEVERAL = frozenset({"phone_number"})


def fields() -> Sequence[Field]:
    """The fields a column can be matched to. A phone number or an email address is enough."""
    return [Field(name, label, name in _REQUIRED) for name, label in _LABELS.items()]


def said(run: ImportRun) -> dict[str, Any]:
    """What is known of a run's columns."""
    nothing: dict[str, Any] = {"header": [], "columns": {}, "sure": [], "dates": {}}
    return {**nothing, "questions": {}, **run.mapping}


def automatic(header: Sequence[str], remembered: Mapping[str, str]) -> dict[str, Any]:
    """What is known of a new file's columns: `columns` is field by place, `sure` are the places
    about which nobody has to be asked. `remembered` is field by column name, "" for none.
    """
    columns: dict[str, str] = {}
    sure = []
    for place, name in enumerate(header):
        known = remembered.get(key(name))
        wanted = names_of_columns.field_of(name) if known is None else known
        if wanted and (wanted in _SEVERAL or wanted not in columns.values()):
            columns[str(place)] = wanted
            sure.append(place)
        elif known == "" or not name:
            sure.append(place)
    return {"columns": columns, "sure": sure}


def chosen(wanted: Mapping[int, str], width: int) -> dict[str, str]:
    """What a person has said, without what is no field or no column."""
    return {
        str(place): name
        for place, name in sorted(wanted.items())
        if name in _LABELS and 0 <= place < width
    }


def key(name: str) -> str:
    """By which a column's name is remembered."""
    return name.strip().casefold()


def header_digest(header: Sequence[str]) -> str:
    """By which a whole header is."""
    return hashlib.sha256(json.dumps([key(name) for name in header]).encode()).hexdigest()


def to_remember(said: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept for the next file with the same header."""
    columns = said["columns"]
    return {
        "columns": {
            key(name): columns.get(str(place), "") for place, name in enumerate(said["header"])
        },
        "dates": {
            name: order for name, order in said["dates"].items() if name in said["questions"]
        },
    }


def labels() -> Mapping[str, str]:
    """The fields by name, in the order in which they are shown."""
    return _LABELS


# --- dates --------------------------------------------------------------------------------------


def judge_dates(found: Mapping[str, Evidence], answers: Mapping[str, str]) -> dict[str, Any]:
    """What the columns themselves say of their dates: `dates` is the order by field where it is
    certain or was answered, `questions` what a person is to confirm.
    """
    orders: dict[str, str] = {}
    questions: dict[str, Any] = {}
    for name, evidence in found.items():
        weight = evidence.weigh()
        if not weight.in_question:
            orders[name] = weight.presumed.value
        elif answers.get(name) in _ORDERS:
            orders[name] = answers[name]
        if weight.in_question or weight.two_digit_years:
            questions[name] = {
                "sample": weight.sample,
                "presumed": weight.presumed.value,
                "open": weight.in_question,
                "two_digit_years": bool(weight.two_digit_years),
            }
    return {"dates": orders, "questions": questions}


def unanswered(found: Mapping[str, Any]) -> dict[str, list[str]]:
    """Errors by field where a person must say how dates are written, and has not."""
    return {
        name: [f"Say whether {_LABELS[name].lower()} has the day or the month first."]
        for name, asked in found["questions"].items()
        if name not in found["dates"] and asked["presumed"] == Order.UNSAID.value
    }


def presumed(said: Mapping[str, Any]) -> dict[str, str]:
    """The orders that are taken where nobody has answered; never the month first."""
    return {name: asked["presumed"] for name, asked in said["questions"].items()}


def question(name: str, said: Mapping[str, Any], *, today: date) -> DateQuestion | None:
    """How a column's dates are to be read, for a person to confirm."""
    asked = said["questions"].get(name)
    if asked is None:
        return None
    orders = []
    for order in _ORDERS if asked["open"] else (Order.DAY_FIRST,):
        try:
            day = dates.parse(asked["sample"], DATES[name], today=today, order=Order(order))
        except dates.BadDate:
            continue
        if day is not None:
            orders.append((str(order), f"{asked['sample']} is {day.day} {day:%B %Y}"))
    answer = said["dates"].get(name, asked["presumed"])
    return DateQuestion(name, orders, answer, asked["two_digit_years"])


def errors_of(columns: Mapping[str, str]) -> dict[str, list[str]]:
    given = Counter(columns.values())
    errors = {
        name: [f"{_LABELS[name]} is given to {count} columns. Choose one."]
        for name, count in given.items()
        if count > 1 and name not in _SEVERAL
    }
    if not given.keys() & {"first_name", "full_name"}:
        errors["first_name"] = ["Choose the column with the first name or the full name."]
    if not given.keys() & {"phone_number", "email"}:
        errors["phone_number"] = ["Choose the column with the phone number or the email address."]
    return errors
