"""Owns every write of a patient's details: API, dashboard, PMS sync, phone call and import all
come through here, so that they follow the same rules and write the same journal entries. Opt-outs
are in ``opt_out``.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from patients import assigning, matching, one_look
from patients.cleaning import PatientData, clean
from patients.models import Patient
from practices import journal
from practices.journal import Actor
from practices.models import Practice
from sightsync.lib import clock, ids
from sightsync.lib.errors import AppError

_DERIVED = frozenset(
    {
        "phone_kind",
        "phone_is_drama",
        "phone_hash",
        "email_hash",
        "nhs_number_hash",
        "due_interval_months",
        "due_source",
        "due_reason",
    }
)


# Arrays, because a chunk of an import asks for thousands of values at once and as many parameters
# take longer to bind than to look up.
_CANDIDATES = """
SELECT id, first_name, last_name, external_id, phone_number, email, date_of_birth
FROM patients_patient
WHERE practice_id = %(practice)s AND erased_at IS NULL AND (
    (external_id <> '' AND external_id = ANY(%(ids)s))
    OR phone_number = ANY(%(numbers)s)
    OR email = ANY(%(addresses)s)
)
ORDER BY id
"""


class What(StrEnum):
    """What an upsert did."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Upserted:
    """The record after an upsert, and what was done to it."""

    patient: Patient
    what: What


def upsert(*, practice: Practice, data: PatientData, source: str, actor: Actor) -> Upserted:
    """Create the patient, or update the record that the details belong to (``matching``).

    ``source`` is where the record came from: csv, api, pms, staff. An update that changes nothing
    writes nothing. Raises AppError: 422 ``invalid_phone``, 400 ``invalid_patient`` with
    ``errors``, 409 ``ambiguous_patient`` with ``candidates`` when a shared number does not say
    whose details these are.
    """
    values = clean(data, today=clock.today()).or_raise()
    person = person_of(values)
    with transaction.atomic():
        serialise(practice.pk, person)
        seen = one_look.look(practice.pk, person)
        found = matching.match(person, seen.candidates())
        if found.conflict:
            raise ambiguous(found.conflict)
        lookups = seen.lookups
        if found.id is None:
            patient = new_patient(practice, values, source=source, lookups=lookups)
            patient.save(force_insert=True)
            _record_created(patient, source, actor)
            return Upserted(patient, What.CREATED)
        patient = seen.records[found.id]
        changed = _change(patient, values, practice, lookups, source, actor)
    return Upserted(patient, What.UPDATED if changed else What.UNCHANGED)


def update(*, patient: Patient, data: PatientData, source: str, actor: Actor) -> Upserted:
    """Change the given details of one known patient. Raises AppError as ``upsert``, 409 when
    erased.
    """
    values = clean(data, today=clock.today()).or_raise()
    practice = patient.practice
    with transaction.atomic():
        serialise(practice.pk, person_of(values))
        patient = Patient.objects.select_for_update().get(pk=patient.pk)
        if values.get("external_id") and values["external_id"] != patient.external_id:
            _check_free(practice.pk, values["external_id"])
        lookups = _lookups_for(patient, values, practice)
        changed = _change(patient, values, practice, lookups, source, actor)
    return Upserted(patient, What.UPDATED if changed else What.UNCHANGED)


def correct_phone(*, patient: Patient, phone_number: str, source: str, actor: Actor) -> Upserted:
    """Replace the number; clears the mark of a wrong number even where the digits are confirmed as
    right.
    """
    with transaction.atomic():
        result = update(
            patient=patient, data={"phone_number": phone_number}, source=source, actor=actor
        )
        if result.patient.phone_wrong_at is not None:
            _mark(result.patient, "patient.phone_confirmed", actor, phone_wrong_at=None)
            return Upserted(result.patient, What.UPDATED)
    return result


def mark_phone_wrong(*, patient: Patient, actor: Actor) -> Patient:
    """Somebody else answered: the number is not used again until it is corrected or confirmed."""
    return _mark_once(patient, "patient.phone_wrong", actor, "phone_wrong_at")


def mark_email_bounced(*, patient: Patient, actor: Actor) -> Patient:
    """The address does not exist: no email until it is corrected."""
    return _mark_once(patient, "patient.email_bounced", actor, "email_bounced_at")


def mark_deceased(*, patient: Patient, actor: Actor) -> Patient:
    """The patient has died: kept on record, never contacted."""
    return _mark_once(patient, "patient.deceased", actor, "deceased_at")


def postpone(*, patient: Patient, until: datetime, actor: Actor) -> Patient:
    """The patient asked not to be rung before ``until`` (aware); a later wish replaces an earlier
    one.
    """
    with transaction.atomic():
        patient = Patient.objects.select_for_update().get(pk=patient.pk)
        if patient.not_before != until:
            _mark(patient, "patient.postponed", actor, not_before=until)
    return patient


def unmark_deceased(*, patient: Patient, actor: Actor) -> Patient:
    """Staff correct a mistaken death."""
    return _clear(patient, "patient.not_deceased", actor, "deceased_at")


def archive(*, patient: Patient, actor: Actor) -> Patient:
    """The patient has left the practice: kept on record, not contacted."""
    return _mark_once(patient, "patient.archived", actor, "archived_at")


def restore(*, patient: Patient, actor: Actor) -> Patient:
    """The patient is back at the practice."""
    return _clear(patient, "patient.restored", actor, "archived_at")


# --- the pieces that an import shares
# --------------------------------------------------------------


def person_of(values: dict[str, Any]) -> matching.Person:
    """The identifying part of cleaned values."""
    return matching.Person(
        first_name=values.get("first_name", ""),
        last_name=values.get("last_name", ""),
        external_id=values.get("external_id", ""),
        phone_number=values.get("phone_number", ""),
        email=values.get("email", ""),
        date_of_birth=values.get("date_of_birth"),
    )


def candidates(practice_id: UUID, people: Sequence[matching.Person]) -> list[matching.Candidate]:
    """Every record of the practice that shares an id, a number or an address with any of the
    people.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _CANDIDATES,
            {
                "practice": practice_id,
                "ids": list({p.external_id for p in people if p.external_id}),
                "numbers": list({p.phone_number for p in people if p.phone_number}),
                "addresses": list({p.email for p in people if p.email}),
            },
        )
        rows = cursor.fetchall()
    return [
        matching.Candidate(
            key,
            matching.Person(
                first_name=first,
                last_name=last,
                external_id=external_id,
                phone_number=number,
                email=email,
                date_of_birth=born,
            ),
        )
        for key, first, last, external_id, number, email, born in rows
    ]


def new_patient(
    practice: Practice, values: dict[str, Any], *, source: str, lookups: assigning.Lookups
) -> Patient:
    """An unsaved patient. Raises AppError 400 without a first name, or without any way of
    contact.
    """
    check_creatable(values)
    now = clock.now()
    patient = Patient(
        id=ids.new(), practice=practice, source=source, created_at=now, updated_at=now
    )
    assigning.assign(patient, values, practice=practice, lookups=lookups)
    return patient


def check_creatable(values: Mapping[str, Any]) -> None:
    """Raises AppError 400 without a first name, or without any way of contact."""
    if not values.get("first_name"):
        message = "Give the patient's first name."
        raise AppError("invalid_patient", message, 400, errors={"first_name": [message]})
    if not values.get("phone_number") and not values.get("email"):
        message = "Give a phone number or an email address."
        raise AppError("invalid_patient", message, 400, errors={"phone_number": [message]})


def created_facts(patient: Patient, source: str) -> dict[str, Any]:
    """What the journal says of a new record."""
    facts: dict[str, Any] = {"source": source}
    if patient.opted_out or patient.opted_out_channels:
        facts["suppressed"] = True
    return facts


def updated_facts(changed: Iterable[str], source: str) -> dict[str, Any]:
    """What the journal says of a change: the names of the fields, never what is in them."""
    return {"source": source, "fields": sorted(set(changed) - _DERIVED)}


def ambiguous(conflict: Sequence[UUID]) -> AppError:
    """The 409 of a number that several patients share."""
    return AppError(
        "ambiguous_patient",
        "Several patients share this number and none has this name. Give an external_id, or update "
        "one of the candidates by its id.",
        409,
        candidates=[ids.encode(Patient.PREFIX, key) for key in conflict],
    )


def serialise(practice_id: UUID, person: matching.Person) -> None:
    """Make writers of the same id, number or address wait for each other until the transaction
    ends.

    No constraint can do this, because a number may be shared. The practice's own lock is taken in
    shared mode, so that an import, which takes it alone, waits for single writers and they for it.
    """
    keys = [
        f"{practice_id} {kind} {value}"
        for kind, value in (
            ("id", person.external_id),
            ("number", person.phone_number),
            ("address", person.email),
        )
        if value
    ]
    numbers = sorted(_lock_number(key) for key in keys)
    # One statement; its list is worked through from left to right.
    locks = ["pg_advisory_xact_lock_shared(%s)", *["pg_advisory_xact_lock(%s)"] * len(numbers)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(locks)}",
            [_lock_number(str(practice_id)), *numbers],
        )


def serialise_practice(practice_id: UUID) -> None:
    """Make every other writer of the practice's patients wait until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_lock_number(str(practice_id))])


# --- inside
# ----------------------------------------------------------------------------------------


def _lock_number(text: str) -> int:
    digest = hashlib.blake2b(f"patients.records {text}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _check_free(practice_id: UUID, external_id: str) -> None:
    holder = Patient.objects.filter(practice_id=practice_id, external_id=external_id).first()
    if holder is not None:
        raise AppError(
            "external_id_taken",
            "Another patient of the practice has this external_id.",
            409,
            candidates=[holder.public_id],
        )


def _lookups_for(patient: Patient, values: dict[str, Any], practice: Practice) -> assigning.Lookups:
    contact = {
        name: values.get(name, getattr(patient, name))
        for name in ("first_name", "last_name", "phone_number", "email")
    }
    return assigning.look_up(practice=practice, values=[contact])


def _change(
    patient: Patient,
    values: dict[str, Any],
    practice: Practice,
    lookups: assigning.Lookups,
    source: str,
    actor: Actor,
) -> set[str]:
    if patient.erased_at is not None:
        raise AppError("erased", "This patient's details were erased and cannot be changed.", 409)
    changed = assigning.assign(patient, values, practice=practice, lookups=lookups)
    if changed:
        patient.updated_at = clock.now()
        patient.save(update_fields=[*sorted(changed), "updated_at"])
        journal.record(
            practice=practice,
            action="patient.updated",
            actor=actor,
            patient=patient.pk,
            facts=updated_facts(changed, source),
        )
    return changed


def _record_created(patient: Patient, source: str, actor: Actor) -> None:
    journal.record(
        practice=patient.practice_id,
        action="patient.created",
        actor=actor,
        patient=patient.pk,
        facts=created_facts(patient, source),
    )


def _mark_once(patient: Patient, action: str, actor: Actor, field: str) -> Patient:
    with transaction.atomic():
        patient = Patient.objects.select_for_update().get(pk=patient.pk)
        if getattr(patient, field) is None:
            _mark(patient, action, actor, **{field: clock.now()})
    return patient


def _clear(patient: Patient, action: str, actor: Actor, field: str) -> Patient:
    with transaction.atomic():
        patient = Patient.objects.select_for_update().get(pk=patient.pk)
        if getattr(patient, field) is not None:
            _mark(patient, action, actor, **{field: None})
    return patient


def _mark(patient: Patient, action: str, actor: Actor, **values: Any) -> None:
    for name, value in values.items():
        setattr(patient, name, value)
    patient.updated_at = clock.now()
    patient.save(update_fields=[*values, "updated_at"])
    journal.record(practice=patient.practice_id, action=action, actor=actor, patient=patient.pk)
