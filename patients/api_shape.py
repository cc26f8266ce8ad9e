"""A patient as the API answers it: from a row of a list, or from a record just written."""

from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    Expression,
    ExpressionWrapper,
    F,
    Q,
    TextField,
    Value,
    When,
)
from django.db.models.functions import NullIf

from patients.models import Patient
from patients.records import Upserted
from sightsync.lib import crypto
from sightsync.lib.api import lists, render


def _known(name: str) -> lists.Column:
    return lists.Column(NullIf(F(name), Value("")))


def _is(condition: Q) -> Expression:
    return ExpressionWrapper(condition, output_field=BooleanField())


_RINGABLE = ~Q(phone_number="") & Q(phone_wrong_at=None)
_MAILABLE = ~Q(email="") & Q(email_bounced_at=None)
_STANDING = Q(opted_out_at=None, archived_at=None, deceased_at=None, erased_at=None)

PATIENTS = lists.Table(
    Patient,
    columns={
        "id": lists.public_id("pat"),
        "first_name": lists.Column("first_name"),
        "last_name": _known("last_name"),
        "phone_number": _known("phone_number"),
        "email": _known("email"),
        "risk_category": lists.Column("risk_category"),
        "last_eye_test_date": lists.Column("last_eye_test_date"),
        "next_clinical_due_date": lists.Column(
            Case(When(erased_at__isnull=True, then="next_clinical_due_date"))
        ),
        "date_of_birth": lists.Column("date_of_birth"),
        "title": _known("title"),
        "clinical_notes": lists.Column(
            NullIf(F("clinical_notes"), Value(""), output_field=TextField()),
            lambda kept: render.dump(crypto.decrypt(kept.decode())),
        ),
        "external_id": _known("external_id"),
        "extended": lists.json("extended"),
        "opted_out": lists.Column(_is(Q(opted_out_at__isnull=False))),
        "opted_out_at": lists.instant("opted_out_at"),
        "opted_out_channels": lists.Column("opted_out_channels"),
        "contactable": lists.Column(_is(_STANDING & (_RINGABLE | _MAILABLE))),
        "archived_at": lists.instant("archived_at"),
        "deceased_at": lists.instant("deceased_at"),
        "erased_at": lists.instant("erased_at"),
        "created_at": lists.instant("created_at"),
        "updated_at": lists.instant("updated_at"),
    },
    order=("next_clinical_due_date", "id"),
)
"""By due date, earliest first."""


def of(patient: Patient) -> dict[str, Any]:
    """A loaded record, key by key as `PATIENTS` answers it."""
    return {
        "id": patient.public_id,
        "first_name": patient.first_name,
        "last_name": patient.last_name or None,
        "phone_number": patient.phone_number or None,
        "email": patient.email or None,
        "risk_category": str(patient.risk_category),
        "last_eye_test_date": patient.last_eye_test_date,
        "next_clinical_due_date": None if patient.erased_at else patient.next_clinical_due_date,
        "date_of_birth": patient.date_of_birth,
        "title": patient.title or None,
        "clinical_notes": patient.clinical_notes or None,
        "external_id": patient.external_id or None,
        "extended": patient.extended,
        "opted_out": patient.opted_out,
        "opted_out_at": render.instant(patient.opted_out_at),
        "opted_out_channels": patient.opted_out_channels,
        "contactable": _contactable(patient),
        "archived_at": render.instant(patient.archived_at),
        "deceased_at": render.instant(patient.deceased_at),
        "erased_at": render.instant(patient.erased_at),
        "created_at": render.instant(patient.created_at),
        "updated_at": render.instant(patient.updated_at),
    }


def written(result: Upserted) -> dict[str, Any]:
    """The answer to a change."""
    return {
        "success": True,
        "patient": of(result.patient),
        "result": str(result.what),
        "warnings": warnings(result.patient),
    }


def warnings(patient: Patient) -> list[dict[str, str]]:
    """What whoever wrote the record has to know: that nobody will be contacted, and why."""
    found = []
    if patient.opted_out:
        found.append(
            _warning(
                "opted_out",
                "This patient, or whoever uses this number or address, asked not to be contacted or"
                " to be forgotten. The record is kept and nobody is contacted.",
            )
        )
    for channel in patient.opted_out_channels:
        found.append(_warning(f"no_{channel}", f"There will be no contact by {channel}."))
    if patient.deceased_at is not None:
        found.append(_warning("deceased", "This patient is recorded as deceased."))
    if patient.archived_at is not None:
        found.append(_warning("archived", "This record is put away: nobody is contacted."))
    return found


def _warning(code: str, message: str) -> dict[str, str]:
    return {"code": code, "message": message}


def _contactable(patient: Patient) -> bool:
    standing = not (
        patient.opted_out_at or patient.archived_at or patient.deceased_at or patient.erased_at
    )
    ringable = bool(patient.phone_number) and patient.phone_wrong_at is None
    mailable = bool(patient.email) and patient.email_bounced_at is None
    return standing and (ringable or mailable)
