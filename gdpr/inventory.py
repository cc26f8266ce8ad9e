"""Every app's inventory of personal data as one list, and the rows of each table that are about one
patient. Export and erasure both go by it, so that a new field is in both as soon as it is listed.
"""

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from django.apps import apps
from django.db.models import Field, Model, Q, QuerySet
from django.db.models.fields import NOT_PROVIDED

from patients import suppressions
from patients.models import Patient, Suppression
from recall.models import InboundMessage
from sightsync.lib.personal import Handling

APPS = ("patients", "recall", "integrations", "practices", "gdpr")

NOT_ABOUT_PATIENTS = frozenset({"User"})
"""Models with personal data that is never a patient's."""

_PLACEHOLDERS: Mapping[tuple[str, str], object] = {
    ("Patient", "first_name"): "Erased",
    ("Patient", "last_name"): "Patient",
    # A date is needed, and this one makes nobody due.
    ("Patient", "next_clinical_due_date"): date(9999, 12, 31),
    ("Episode", "cycle_due_date"): date(1900, 1, 1),
}


@dataclass(frozen=True, slots=True)
class Held:
    """One table: its fields by handling."""

    model: type[Model]
    fields: Mapping[str, Handling]

    @property
    def name(self) -> str:
        return self.model.__name__

    def named(self, *handlings: Handling) -> list[str]:
        return [name for name, handling in self.fields.items() if handling in handlings]

    def rows(self, patient: Patient) -> "QuerySet[Any, Any]":
        """The rows about the patient; none where the table has no way to tell."""
        condition = _about(self.model, patient)
        rows: QuerySet[Any, Any] = self.model._default_manager.all()
        return rows.none() if condition is None else rows.filter(condition)

    def blank(self) -> dict[str, object]:
        """What an erasure writes into each field that it empties."""
        return {name: self._blank(name) for name in self.named(Handling.ERASE)}

    def _blank(self, name: str) -> object:
        if (self.name, name) in _PLACEHOLDERS:
            return _PLACEHOLDERS[self.name, name]
        field = self.model._meta.get_field(name)
        assert isinstance(field, Field)
        if field.null:
            return None
        default = field.get_default() if field.default is not NOT_PROVIDED else None
        if default is None and field.empty_strings_allowed:
            return ""
        if default is None:
            raise LookupError(f"{self.name}.{name} has no blank value")
        return default


@cache
def held() -> tuple[Held, ...]:
    """Every table of every inventory."""
    return tuple(
        Held(apps.get_model(app, model), fields)
        for app in APPS
        for model, fields in importlib.import_module(f"{app}.personal_data").INVENTORY.items()
    )


def personal() -> Iterator[Held]:
    """The tables that hold something of a patient's."""
    for table in held():
        if table.name not in NOT_ABOUT_PATIENTS and table.named(Handling.ERASE, Handling.KEEP):
            yield table


def _about(model: type[Model], patient: Patient) -> Q | None:
    special = _SPECIAL.get(model.__name__)
    if special is not None:
        return special(patient)
    path = _path(model)
    return Q(**{path: patient.pk}) if path else None


@cache
def _path(model: type[Model]) -> str:
    """From a table to its patient: itself, a column, or by way of one other table; else blank."""
    if model is Patient:
        return "pk"
    names = {field.name for field in model._meta.concrete_fields}
    for name in ("patient", "patient_id"):
        if name in names:
            return name
    if "patients" in names:
        return "patients__contains"
    for field in model._meta.concrete_fields:
        other = field.related_model
        if other and any(one.related_model is Patient for one in other._meta.concrete_fields):
            return f"{field.name}__patient"
    return ""


def _of_suppression(patient: Patient) -> Q:
    found = Q(pk__in=[])
    for item in suppressions.of(phone=patient.phone_number, email=patient.email):
        found |= Q(kind=item.kind, hash=item.digest)
    return found & Q(practice=patient.practice_id)


def _of_inbound(patient: Patient) -> Q:
    """Theirs, and what came from their number before anybody knew whose it is."""
    found = Q(patient=patient.pk)
    if patient.phone_number:
        found |= Q(patient=None, practice=patient.practice_id, sender=patient.phone_number)
    return found


def _of_answers(patient: Patient) -> Q:
    return Q(patients__contains=[patient.pk])


_SPECIAL = {
    Suppression.__name__: _of_suppression,
    InboundMessage.__name__: _of_inbound,
    "StoredAnswer": _of_answers,
}
