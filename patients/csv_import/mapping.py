"""Owns which column of an uploaded file is which field: what we recognise, what the practice said
the last time, what the person says now, and how a column's dates are to be read.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from patients.csv_import import columns as names_of_columns

DAY_FIRST, MONTH_FIRST = "day_first", "month_first"


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


def automatic(header: Sequence[str], remembered: Mapping[str, str]) -> dict[str, Any]:
    """What is known of a new file's columns: `columns` is field by place, `sure` are the places
    about which nobody has to be asked. `remembered` is field by column name, "" for none.
    """
    chosen: dict[str, str] = {}
    sure = []
    for place, name in enumerate(header):
        known = remembered.get(key(name))
        wanted = names_of_columns.field_of(name) if known is None else known
        if wanted and (wanted in _SEVERAL or wanted not in chosen.values()):
            chosen[str(place)] = wanted
            sure.append(place)
        elif known == "" or not name:
            sure.append(place)
    return {"columns": chosen, "sure": sure}


def key(name: str) -> str:
    """By which a column's name is remembered."""
    return name.strip().casefold()


def header_digest(header: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps([key(name) for name in header]).encode()).hexdigest()


def labels() -> Mapping[str, str]:
    return _LABELS


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
