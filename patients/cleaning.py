"""Owns what a patient's details must look like: from raw values, whoever sent them, to the values
that are stored, or to problems in words. It reads no database and decides nothing about contact.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypedDict

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from patients import names, nhs_number, phone
from patients.models import RiskCategory
from sightsync.lib.errors import AppError


class PatientData(TypedDict, total=False):
    """Details of a patient as they arrive. A key left out is not touched; None or "" clears an
    optional one. Dates are ``date`` or ISO text, the phone number any UK spelling.
    """

    external_id: str | None
    title: str | None
    first_name: str | None
    last_name: str | None
    date_of_birth: date | str | None
    nhs_number: str | None
    phone_number: str | None
    email: str | None
    last_eye_test_date: date | str | None
    risk_category: str | None
    clinical_notes: str | None
    clinician_due_date: date | str | None
    pms_recall_date: date | str | None
    own_interval_months: int | None
    extended: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field: a code for machines, a sentence for people."""

    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Cleaned:
    """``values`` by model field; they may be used only when ``problems`` is empty."""

    values: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def or_raise(self) -> dict[str, Any]:
        """The values, or an AppError: 422 ``invalid_phone`` for the number, else 400 with
        ``errors``.
        """
        if not self.problems:
            return self.values
        for problem in self.problems:
            if problem.field == "phone_number":
                raise AppError("invalid_phone", problem.message, 422, reason=problem.code)
        errors: dict[str, list[str]] = {}
        for problem in self.problems:
            errors.setdefault(problem.field, []).append(problem.message)
        raise AppError("invalid_patient", self.problems[0].message, 400, errors=errors)


MAX_EXTENDED_BYTES = 16 * 1024
MAX_NOTES = 5000
MAX_EMAIL = 254
EARLIEST = date(1900, 1, 1)
LATEST = date(2099, 12, 31)
_LENGTHS = {"external_id": 64, "title": 20, "first_name": 80, "last_name": 80}
_RISKS = frozenset(RiskCategory.values)
# What Django's validator accepts anyway, at a tenth of its cost; the rest is asked of it.
_PLAIN_EMAIL = re.compile(
    r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?\.)+[a-z]{2,20}"
)


class Wrong(ValueError):
    """What is wrong with one field: ``code`` for machines, ``message`` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


REJECTIONS = (Wrong, phone.Rejection, nhs_number.Rejection)
"""What a field's cleaner may raise."""


def clean(data: PatientData, *, today: date) -> Cleaned:
    """Every given field cleaned; ``today`` (London) is what dates of birth and of tests may not be
    after.
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, raw in data.items():
        cleaner = CLEANERS.get(name)
        if cleaner is None:
            continue
        try:
            value = cleaner(name, raw, today)
        except REJECTIONS as rejection:
            problems.append(Problem(name, rejection.code, rejection.message))
            continue
        if name == "phone_number":
            values.update(value)
        else:
            values[name] = value
    return Cleaned(values, problems)


def phone_values(number: phone.PhoneNumber) -> dict[str, Any]:
    """What is stored of an accepted number."""
    return {
        "phone_number": number.e164,
        "phone_kind": number.kind.value,
        "phone_is_drama": number.is_drama,
    }


def _text(name: str, raw: Any, _today: date) -> str:
    text = names.tidy(_as_text(name, raw))
    if len(text) > _LENGTHS[name]:
        raise Wrong("too_long", f"{_label(name)} is longer than {_LENGTHS[name]} characters.")
    if name == "first_name" and not text:
        raise Wrong("required", "Give the patient's first name.")
    return text


def _phone(_name: str, raw: Any, _today: date) -> dict[str, Any]:
    text = _as_text("phone_number", raw)
    if not text.strip():
        return {"phone_number": "", "phone_kind": "", "phone_is_drama": False}
    return phone_values(phone.parse(text))


def _email(_name: str, raw: Any, _today: date) -> str:
    text = _as_text("email", raw).strip().lower()
    if len(text) > MAX_EMAIL:
        raise Wrong("too_long", f"The email address is longer than {MAX_EMAIL} characters.")
    if text and not _PLAIN_EMAIL.fullmatch(text):
        try:
            validate_email(text)
        except ValidationError:
            raise Wrong(
                "invalid_email", "This is not an email address such as jane@example.org."
            ) from None
    return text


def _nhs(_name: str, raw: Any, _today: date) -> str:
    text = _as_text("nhs_number", raw).strip()
    return nhs_number.digits_of(text) if text else ""


def _risk(_name: str, raw: Any, _today: date) -> str:
    text = _as_text("risk_category", raw).strip().lower() or RiskCategory.STANDARD.value
    if text not in _RISKS:
        raise Wrong("invalid_choice", f"The risk category is one of: {', '.join(sorted(_RISKS))}.")
    return text


def _notes(_name: str, raw: Any, _today: date) -> str:
    text = _as_text("clinical_notes", raw).replace("\0", "")
    text = text.encode(errors="ignore").decode().strip()  # lone surrogates cannot be stored
    if len(text) > MAX_NOTES:
        raise Wrong("too_long", f"The clinical notes are longer than {MAX_NOTES} characters.")
    return text


def _date(name: str, raw: Any, today: date) -> date | None:
    day = _as_date(name, raw)
    if day is None:
        return None
    if not EARLIEST <= day <= LATEST:
        raise Wrong("out_of_range", f"{_label(name)} must be between 1900 and 2099.")
    if name in ("date_of_birth", "last_eye_test_date") and day > today:
        raise Wrong("in_the_future", f"{_label(name)} is in the future.")
    return day


def _months(_name: str, raw: Any, _today: date) -> int | None:
    if raw in (None, ""):
        return None
    if isinstance(raw, bool) or not isinstance(raw, int) or not 1 <= raw <= 120:
        raise Wrong("out_of_range", "The interval is a whole number of months from 1 to 120.")
    return raw


def _extended(_name: str, raw: Any, _today: date) -> dict[str, Any]:
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise Wrong("invalid_type", "extended must be a JSON object.")
    try:
        text = json.dumps(raw, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        raise Wrong("invalid_type", "extended must be a JSON object.") from None
    if len(text) > MAX_EXTENDED_BYTES:
        raise Wrong("too_long", "extended is larger than 16 KiB.")
    if b"\\u0000" in text:
        raise Wrong("invalid_type", "extended must not hold NUL characters.")
    return raw


def _as_text(name: str, raw: Any) -> str:
    if raw is None:
        return ""
    if not isinstance(raw, str):
        raise Wrong("invalid_type", f"{_label(name)} must be text.")
    return raw


def _as_date(name: str, raw: Any) -> date | None:
    if raw is None or raw == "":
        return None
    if type(raw) is date:
        return raw
    try:
        if not isinstance(raw, str):
            raise ValueError
        return date.fromisoformat(raw.strip()) if len(raw.strip()) == 10 else _no_date()
    except ValueError:
        message = f"{_label(name)} must be a date such as 2024-01-15."
        raise Wrong("invalid_date", message) from None


def _no_date() -> date:
    raise ValueError


def _label(name: str) -> str:
    return _LABELS.get(name, name.replace("_", " ").capitalize())


_LABELS = {
    "external_id": "The patient's id",
    "first_name": "The first name",
    "last_name": "The last name",
    "date_of_birth": "The date of birth",
    "phone_number": "The phone number",
    "email": "The email address",
    "nhs_number": "The NHS number",
    "last_eye_test_date": "The date of the last eye test",
    "pms_recall_date": "The recall date",
    "clinician_due_date": "The clinician's date",
}

CLEANERS: Mapping[str, Callable[[str, Any, date], Any]] = {
    "external_id": _text,
    "title": _text,
    "first_name": _text,
    "last_name": _text,
    "date_of_birth": _date,
    "nhs_number": _nhs,
    "phone_number": _phone,
    "email": _email,
    "last_eye_test_date": _date,
    "risk_category": _risk,
    "clinical_notes": _notes,
    "clinician_due_date": _date,
    "pms_recall_date": _date,
    "own_interval_months": _months,
    "extended": _extended,
}
"""From a field's name, a raw value and the day of today to what is stored of it (by model field for
the number, of which more than itself is stored). They raise REJECTIONS.
"""
