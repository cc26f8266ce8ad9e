"""What a system says of a patient, turned into our details: what changed since it last said it, and
what of it cannot be used. Pure but for the key of the digests.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.conf import settings

from integrations.pms.connector import RemotePatient
from patients.cleaning import PatientData, clean
from patients.csv_import import words

VERSION = 1
"""Raised when the same words come to mean something else here: every record is then read anew."""

FIELDS = (
    "title",
    "first_name",
    "last_name",
    "date_of_birth",
    "nhs_number",
    "phone_number",
    "email",
    "last_eye_test_date",
    "risk_category",
    "clinical_notes",
    "pms_recall_date",
    "own_interval_months",
)
_CONTACT = ("phone_number", "email")
_IDENTITY = ("external_id", "first_name", "last_name")


@dataclass(slots=True)
class Told:
    """One record as told now. `values` (by model field, clean) are to be taken over; `code` is why
    nothing can be; `left_out` are fields that had to be dropped.
    """

    remote: RemotePatient
    digest: bytes
    marks: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    code: str = ""
    left_out: tuple[str, ...] = ()


def digest(remote: RemotePatient) -> bytes:
    """The same for the same words, whatever their order."""
    content = [
        VERSION,
        sorted(remote.values.items()),
        sorted(remote.opt_outs),
        remote.deceased,
        remote.archived,
        remote.problem,
    ]
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16, key=_key()).digest()


def read(remote: RemotePatient, *, digest: bytes, before: Mapping[str, str], today: date) -> Told:
    """`before` are the marks of the last time, empty for a record that is new to us.

    A field that says what it said the last time is left alone: what was corrected here since stays.
    The first time an empty field says nothing; later it clears what it gave.
    """
    told = Told(remote, digest, marks=_marks(remote.values))
    if remote.problem:
        told.code = remote.problem[:32]
        return told
    data = PatientData(external_id=remote.external_id)
    for name in FIELDS:
        text = remote.values.get(name)
        if text is None or told.marks.get(name) == before.get(name):
            continue
        if before or text.strip():
            _put(data, name, text)
    _clean(told, data, today, known=bool(before))
    if not told.code and not before:
        _require(told)
    return told


def _put(data: PatientData, name: str, text: str) -> None:
    if name == "risk_category":
        data["risk_category"] = words.risk(text)
    elif name == "own_interval_months":
        digits = text.strip()
        whole = digits.isascii() and digits.isdigit() and len(digits) < 4
        data["own_interval_months"] = int(digits) if whole and int(digits) else None
    else:
        data[name] = text  # type: ignore[literal-required]


def _clean(told: Told, data: PatientData, today: date, *, known: bool) -> None:
    """A bad NHS number is no reason not to recall somebody; a missing name is.

    A number that was changed to something unusable is cleared: the old one is theirs no more.
    """
    cleaned = clean(data, today=today)
    told.values = cleaned.values
    told.left_out = tuple(f"{problem.field}.{problem.code}"[:32] for problem in cleaned.problems)
    for problem in cleaned.problems:
        if problem.field in _IDENTITY:
            told.code = told.code or f"{problem.field}.{problem.code}"[:32]
        elif known and problem.field in _CONTACT:
            emptied = PatientData()
            emptied[problem.field] = ""  # type: ignore[literal-required]
            told.values |= clean(emptied, today=today).values


def _require(told: Told) -> None:
    """A record that is new to us has a name and a way of contact."""
    if not told.values.get("first_name"):
        told.code = "first_name.required"
    elif not any(told.values.get(name) for name in _CONTACT):
        contact = [code for code in told.left_out if code.split(".")[0] in _CONTACT]
        told.code = contact[0] if contact else "no_contact"


def _marks(values: Mapping[str, str]) -> dict[str, str]:
    key = _key()
    return {
        name: hashlib.blake2b(
            f"{name}\0{values[name]}".encode(errors="replace"), digest_size=4, key=key
        ).hexdigest()
        for name in FIELDS
        if name in values
    }


def _key() -> bytes:
    return hashlib.sha256(b"pms" + settings.SUPPRESSION_KEY.encode()).digest()
