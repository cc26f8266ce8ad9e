"""Owns taking an import back, for thirty days: what it changed gets its old values again unless
somebody has edited it since, whom it brought goes again unless something has happened with them,
and an opt-out stays an opt-out.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.db.models import ProtectedError

from patients import assigning, records
from patients.csv_import.bulk import ENCRYPTED
from patients.models import ImportChange, ImportChunk, ImportRun, ImportState, Patient
from practices import journal
from practices.journal import Actor
from practices.models import JournalEntry, User
from sightsync.lib import clock, crypto, failpoints, jobs
from sightsync.lib.errors import AppError

DAYS = 30
JOB = "patients.tasks.undo_import"
SOURCE = "import_undo"
BATCH = 200
LEASE = timedelta(seconds=90)
_VALUES = (
    "external_id",
    "title",
    "first_name",
    "last_name",
    "date_of_birth",
    "nhs_number",
    "phone_number",
    "phone_kind",
    "phone_is_drama",
    "email",
    "last_eye_test_date",
    "risk_category",
    "clinical_notes",
    "clinician_due_date",
    "pms_recall_date",
    "own_interval_months",
    "extended",
)
"""What people enter; all else of a record follows from it and is reckoned anew."""
_MARKS = {"phone_number": "phone_wrong_at", "email": "email_bounced_at"}
_ENDED = (ImportState.DONE, ImportState.FAILED)


@dataclass(frozen=True, slots=True)
class Preview:
    """What undoing would do, before anybody asks for it: how many created records would go and how
    many changed ones get back what they had. `until` is the last moment at which it can be undone.
    """

    possible: bool
    until: datetime | None
    created: int
    updated: int


def undo_preview(run: ImportRun) -> Preview:
    """What undoing the import would do."""
    until = run.finished_at + timedelta(days=DAYS) if run.finished_at else None
    possible = run.state in _ENDED and until is not None and clock.now() <= until
    changed = ImportChange.objects.filter(run=run).count()
    return Preview(possible, until, run.created, changed)


def undo(*, run: ImportRun, user: User | None, actor: Actor) -> None:
    """Take the import back, in a job; `run.undone` then says what was done: `removed`, `archived`,
    `restored`, `kept` (later edits: patient and fields). Raises AppError 409 when it cannot be
    undone, or not any more.
    """
    with transaction.atomic():
        locked = ImportRun.objects.select_for_update().get(pk=run.pk)
        if not undo_preview(locked).possible:
            raise AppError(
                "not_undoable", f"An import can be undone for {DAYS} days after it has ended.", 409
            )
        locked.state, locked.undone_by = ImportState.UNDOING, user
        locked.lease_until = clock.real_now()
        locked.undone = {"removed": 0, "archived": 0, "restored": 0, "kept": []}
        locked.save(update_fields=["state", "undone_by", "lease_until", "undone"])
        jobs.enqueue(JOB, str(locked.pk))
    run.refresh_from_db()


def undo_import(key: UUID) -> None:
    """The job: in batches that each leave behind only what is still to be taken back."""
    now = clock.real_now()
    taken = ImportRun.objects.filter(
        pk=key, state=ImportState.UNDOING, lease_until__lte=now
    ).update(lease_until=now + LEASE)
    if not taken:
        return
    run = ImportRun.objects.get(pk=key)
    actor = Actor("user", str(run.undone_by_id)) if run.undone_by_id else Actor.system("import")
    while _restore_some(run, actor):
        failpoints.hit("undo.between_batches")
    while _remove_some(run, actor):
        failpoints.hit("undo.between_batches")
    _finish(run, actor)


def _holding(run: ImportRun) -> ImportRun:
    """The run, locked and held for another while."""
    locked = ImportRun.objects.select_for_update().select_related("practice").get(pk=run.pk)
    locked.lease_until = clock.real_now() + LEASE
    return locked


def _restore_some(run: ImportRun, actor: Actor) -> bool:
    """Take back the changes of one batch; whether there were any."""
    with transaction.atomic():
        records.serialise_practice(run.practice_id)
        locked = _holding(run)
        if locked.state != ImportState.UNDOING:
            return False
        changes = list(ImportChange.objects.filter(run=run).order_by("id")[:BATCH])
        if not changes:
            return False
        created = _created_among(run, [change.patient_id for change in changes])
        patients = (
            Patient.objects.select_for_update(of=("self",))
            .select_related("practice")
            .filter(pk__in=[change.patient_id for change in changes], erased_at=None)
            .in_bulk()
        )
        for change in changes:
            patient = patients.get(change.patient_id)
            if patient is None or patient.pk in created:
                continue
            kept, restored = _restore(patient, change, actor)
            locked.undone["restored"] += restored
            if kept:
                locked.undone["kept"].append({"patient": str(patient.pk), "fields": kept})
        ImportChange.objects.filter(pk__in=[change.pk for change in changes]).delete()
        locked.save(update_fields=["undone", "lease_until"])
        failpoints.hit("undo.before_commit")
    return True


def _created_among(run: ImportRun, keys: Sequence[UUID]) -> set[UUID]:
    """Those whom the import itself has brought: they go altogether."""
    chunks = ImportChunk.objects.filter(run=run, created__overlap=list(keys))
    brought = {key for created in chunks.values_list("created", flat=True) for key in created}
    return brought & set(keys)


def _restore(patient: Patient, change: ImportChange, actor: Actor) -> tuple[list[str], bool]:
    """Give back the old values; the fields that somebody has edited since, and whether any was
    given back.
    """
    before, after = change.before or {}, change.after
    values: dict[str, Any] = {}
    kept = []
    for name in _VALUES:
        if name not in after:
            continue
        if getattr(patient, name) != _value(name, after[name]) or _is_taken(patient, name, before):
            kept.append(name)
        else:
            values[name] = _value(name, before.get(name))
    changed = _assign(patient, values, before)
    if changed:
        patient.updated_at = clock.now()
        patient.save(update_fields=[*sorted(changed), "updated_at"])
        journal.record(
            practice=patient.practice_id,
            action="patient.updated",
            actor=actor,
            patient=patient.pk,
            facts=records.updated_facts(changed, SOURCE),
        )
    return [name for name in kept if not name.startswith("phone_") or name == "phone_number"], bool(
        changed
    )


def _assign(patient: Patient, values: dict[str, Any], before: dict[str, Any]) -> set[str]:
    """All that follows is reckoned anew; a number or address that was marked as wrong is again."""
    contact = {
        name: values.get(name, getattr(patient, name))
        for name in ("first_name", "last_name", "phone_number", "email")
    }
    lookups = assigning.look_up(practice=patient.practice, values=[contact])
    changed = assigning.assign(patient, values, practice=patient.practice, lookups=lookups)
    for name, mark in _MARKS.items():
        if name in values and before.get(mark):
            setattr(patient, mark, _value(mark, before[mark]))
            changed.add(mark)
    return changed


def _value(name: str, stored: Any) -> Any:
    """A field's value from its image."""
    if name in ENCRYPTED:
        return crypto.decrypt(stored) if stored else ""
    if name == "extended":
        return json.loads(stored) if isinstance(stored, str) else stored
    field: models.Field[Any, Any] = Patient._meta.get_field(name)  # type: ignore[assignment]
    return field.to_python(stored)


def _is_taken(patient: Patient, name: str, before: dict[str, Any]) -> bool:
    """Whether the old id has meanwhile become another patient's."""
    if name != "external_id" or not before.get(name):
        return False
    others = Patient.objects.filter(practice=patient.practice_id, external_id=before[name])
    return others.exclude(pk=patient.pk).exists()


def _remove_some(run: ImportRun, actor: Actor) -> bool:
    """Remove or archive one batch of those whom the import brought; whether there were any."""
    with transaction.atomic():
        records.serialise_practice(run.practice_id)
        locked = _holding(run)
        chunk = (
            ImportChunk.objects.select_for_update()
            .filter(run=run)
            .exclude(created=[])
            .order_by("position")
            .first()
        )
        if chunk is None or locked.state != ImportState.UNDOING:
            return False
        keys = chunk.created[:BATCH]
        patients = list(Patient.objects.select_for_update().filter(pk__in=keys, erased_at=None))
        used = _used_since(locked, [patient.pk for patient in patients])
        for patient in patients:
            if patient.pk not in used and _remove(patient, actor):
                locked.undone["removed"] += 1
            else:
                locked.undone["archived"] += 1
                records.archive(patient=patient, actor=actor)
        chunk.created = chunk.created[BATCH:]
        chunk.save(update_fields=["created"])
        locked.save(update_fields=["undone", "lease_until"])
        failpoints.hit("undo.before_commit")
    return True


def _used_since(run: ImportRun, keys: Iterable[UUID]) -> set[UUID]:
    """Those with whom anything has happened but this import itself."""
    entries = JournalEntry.objects.filter(practice=run.practice_id, patient_id__in=list(keys))
    used = set()
    for entry in entries.exclude(action="patient.created"):
        by_the_import = run.finished_at is not None and entry.at <= run.finished_at
        by_the_import &= entry.facts.get("source") == "csv" or entry.action == "patient.deceased"
        if not by_the_import and entry.patient_id is not None:
            used.add(entry.patient_id)
    return used


def _remove(patient: Patient, actor: Actor) -> bool:
    """Remove a record that nothing refers to; whether that could be done."""
    key = patient.pk
    try:
        with transaction.atomic():
            patient.delete()
    except ProtectedError:
        return False
    journal.record(
        practice=patient.practice_id,
        action="patient.removed",
        actor=actor,
        patient=key,
        facts={"source": SOURCE},
    )
    return True


def _finish(run: ImportRun, actor: Actor) -> None:
    with transaction.atomic():
        locked = ImportRun.objects.select_for_update().get(pk=run.pk)
        if locked.state != ImportState.UNDOING:
            return
        locked.state, locked.undone_at = ImportState.UNDONE, clock.now()
        locked.lease_until = None
        locked.save(update_fields=["state", "undone_at", "lease_until"])
        ImportChunk.objects.filter(run=locked).delete()
        done = locked.undone
        journal.record(
            practice=locked.practice_id,
            action="import.undone",
            actor=actor,
            subject=locked,
            facts={
                "removed": done["removed"],
                "archived": done["archived"],
                "restored": done["restored"],
                "kept": len(done["kept"]),
            },
        )
