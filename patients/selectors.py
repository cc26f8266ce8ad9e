"""Owns the reads of patients that are not the staff list (``listing``): one by its id, several by
theirs, those who share a number, and the practice's counts. Every read starts from the practice;
none writes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from patients.models import Patient
from practices.models import Practice
from sightsync.lib import ids
from sightsync.lib.errors import AppError


@dataclass(frozen=True, slots=True)
class Counts:
    """How many patients a practice has: living and unarchived, and of those the due and the
    barred.
    """

    total: int
    overdue: int
    opted_out: int
    on_tps: int
    without_number: int


def patient(practice: Practice, public_id: str) -> Patient:
    """One patient by ``pat_...`` or bare UUID. Raises AppError 404, the same for a malformed id, a
    missing patient and another practice's.
    """
    try:
        return Patient.objects.get(practice=practice, pk=ids.decode(Patient.PREFIX, public_id))
    except (ids.BadId, Patient.DoesNotExist):
        raise AppError("patient_not_found", "There is no such patient.", 404) from None


def by_ids(practice: Practice, public_ids: Iterable[str]) -> dict[str, Patient | None]:
    """Each id as it was given, with its patient or None, in one query."""
    keys: dict[str, UUID | None] = {}
    for text in public_ids:
        try:
            keys[text] = ids.decode(Patient.PREFIX, text)
        except ids.BadId:
            keys[text] = None
    found = Patient.objects.filter(practice=practice).in_bulk([k for k in keys.values() if k])
    return {text: found.get(key) if key else None for text, key in keys.items()}


def active(practice: Practice) -> QuerySet[Patient]:
    """The practice's patients who may be due at all: living, not archived, not erased."""
    return Patient.objects.filter(
        practice=practice, archived_at=None, deceased_at=None, erased_at=None
    )


STATUSES = ("active", "archived", "deceased", "erased", "all")


def with_status(practice: Practice, status: str) -> QuerySet[Patient]:
    """The practice's patients of one of STATUSES; an erased one is nothing else beside it."""
    rows = Patient.objects.filter(practice=practice)
    if status == "all":
        return rows
    if status == "erased":
        return rows.filter(erased_at__isnull=False)
    rows = rows.filter(erased_at=None)
    if status == "deceased":
        return rows.filter(deceased_at__isnull=False)
    if status == "archived":
        return rows.filter(archived_at__isnull=False, deceased_at=None)
    return rows.filter(archived_at=None, deceased_at=None)


def due(
    practice: Practice, *, today: date, risk_category: str = "", overdue_only: bool = False
) -> QuerySet[Patient]:
    """Active patients, earliest due date first; overdue means due before ``today``."""
    rows = active(practice)
    if risk_category:
        rows = rows.filter(risk_category=risk_category)
    if overdue_only:
        rows = rows.filter(next_clinical_due_date__lt=today)
    return rows.order_by("next_clinical_due_date", "pk")


def sharing_number(practice: Practice, e164: str) -> QuerySet[Patient]:
    """Everybody of the practice with this number: a family, or whoever an unknown caller may be."""
    if not e164:
        return Patient.objects.none()
    return active(practice).filter(phone_number=e164).order_by("pk")


def counts(practice: Practice, *, today: date) -> Counts:
    """The practice's counts, in one query."""
    return Counts(
        **active(practice).aggregate(
            total=Count("pk"),
            overdue=Count("pk", filter=Q(next_clinical_due_date__lt=today)),
            opted_out=Count("pk", filter=Q(opted_out_at__isnull=False)),
            on_tps=Count("pk", filter=Q(tps_listing__gt=0)),
            without_number=Count("pk", filter=Q(phone_number="")),
        )
    )
