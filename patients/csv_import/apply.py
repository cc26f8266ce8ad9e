"""Owns turning checked rows into records: by the matching, the consequences and the journal of
``records``, in chunks that each commit whole, so that an interrupted import is finished by running
it again.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import transaction

from patients import assigning, matching, opt_out, records
from patients.csv_import import bulk
from patients.csv_import.check import ALL_CHANNELS, Checked, File
from patients.models import ImportRun, Patient
from patients.records import What
from practices import journal
from practices.journal import Actor
from practices.models import JournalEntry, Practice
from sightsync.lib import clock
from sightsync.lib.errors import AppError

CHUNK = 2000
SOURCE = "csv"


@dataclass(slots=True)
class Result:
    """Rows read are created, updated, unchanged or rejected; ``rejected`` has the reasons by
    row. ``suppressed`` of the created are kept as records and never contacted: they had opted out
    or been erased before.
    """

    counts: Counter[str] = field(default_factory=Counter)
    rejected: list[Checked] = field(default_factory=list)
    suppressed: int = 0

    @property
    def rows_read(self) -> int:
        return sum(self.counts.values())


def run(
    *, practice: Practice, content: bytes, file: File, actor: Actor, dry_run: bool = False
) -> Result:
    """Write the rows of a checked file; what was done with each. A dry run writes nothing."""
    started = clock.now()
    result = Result()
    if dry_run:
        with transaction.atomic():
            apply_all(practice, file.rows, actor, result)
            transaction.set_rollback(True)
        return result
    apply_all(practice, file.rows, actor, result)
    counts = {name: result.counts[name] for name in ("created", "updated", "unchanged", "rejected")}
    with transaction.atomic():
        this = ImportRun(
            practice=practice,
            file_sha256=hashlib.sha256(content).hexdigest(),
            started_at=started,
            finished_at=clock.now(),
            rows_read=result.rows_read,
            **counts,
        )
        this.save(force_insert=True)
        if counts["created"] or counts["updated"]:
            journal.record(
                practice=practice,
                action="import.completed",
                actor=actor,
                subject=this,
                facts={
                    "rows": result.rows_read,
                    **counts,
                    **({"suppressed": result.suppressed} if result.suppressed else {}),
                },
            )
    return result


def apply_all(practice: Practice, rows: Sequence[Checked], actor: Actor, result: Result) -> None:
    """Write all good rows, chunk by chunk."""
    for chunk in _chunks(row for row in rows if not row.reasons):
        with transaction.atomic():
            _Chunk(practice, actor, result).apply(chunk)
    result.rejected = [row for row in rows if row.reasons]
    result.counts["rejected"] = len(result.rejected)


def _chunks(rows: Iterable[Checked]) -> Iterator[list[Checked]]:
    rows = iter(rows)
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


class _Chunk:
    """One chunk in one transaction, alone among the practice's writers."""

    def __init__(self, practice: Practice, actor: Actor, result: Result) -> None:
        self.practice = practice
        self.actor = actor
        self.result = result
        self.known: dict[UUID, Patient] = {}
        self.created: dict[UUID, Patient] = {}
        self.changed: dict[UUID, set[str]] = {}
        self.sharing: dict[str, list[matching.Candidate]] = {}

    def apply(self, rows: Sequence[Checked]) -> None:
        records.serialise_practice(self.practice.pk)
        people = [records.person_of(row.values) for row in rows]
        found = records.candidates(self.practice.pk, people)
        for candidate in found:
            self._remember(candidate)
        locked = Patient.objects.select_for_update().filter(pk__in=[c.id for c in found])
        self.known = {patient.pk: patient for patient in locked.order_by("id")}
        contacts = [{"phone_number": p.phone_number, "email": p.email} for p in self.known.values()]
        lookups = assigning.look_up(
            practice=self.practice, values=[*(row.values for row in rows), *contacts]
        )
        done = [
            (row, self._place(row, person, lookups))
            for row, person in zip(rows, people, strict=True)
        ]
        self._write()
        for row, placed in done:
            if placed is not None:
                patient, what = placed
                if self._heed_wishes(row, patient) and what is What.UNCHANGED:
                    what = What.UPDATED
                self.result.counts[str(what)] += 1

    def _remember(self, candidate: matching.Candidate) -> None:
        for key in _keys(candidate.person):
            self.sharing.setdefault(key, []).append(candidate)

    def _place(
        self, row: Checked, person: matching.Person, lookups: assigning.Lookups
    ) -> tuple[Patient, What] | None:
        """The row's patient, changed in memory, or None when the row had to be rejected."""
        sharing = {c.id: c for key in _keys(person) for c in self.sharing.get(key, ())}
        match = matching.match(
            person, list(sharing.values()), household=row.household, careful=True
        )
        if match.conflict:
            row.reasons.append(_conflict(match.conflict))
            return None
        if match.id is None:
            return self._create(row, person, lookups)
        patient = self.known[match.id]
        changed = assigning.assign(patient, row.values, practice=self.practice, lookups=lookups)
        if not changed:
            return patient, What.UNCHANGED
        patient.updated_at = clock.now()
        self.changed.setdefault(patient.pk, set()).update(changed)
        return patient, What.UPDATED

    def _create(
        self, row: Checked, person: matching.Person, lookups: assigning.Lookups
    ) -> tuple[Patient, What] | None:
        try:
            patient = records.new_patient(self.practice, row.values, source=SOURCE, lookups=lookups)
        except AppError as error:
            row.reasons.append(error.message)
            return None
        self.known[patient.pk] = self.created[patient.pk] = patient
        self._remember(matching.Candidate(patient.pk, person))
        return patient, What.CREATED

    def _write(self) -> None:
        """Every new and changed record, and one journal entry for each."""
        bulk.insert(list(self.created.values()))
        self.result.suppressed += sum(
            patient.opted_out_source == assigning.SUPPRESSED for patient in self.created.values()
        )
        groups: dict[frozenset[str], list[Patient]] = {}
        for key, changed in self.changed.items():
            if key not in self.created:
                groups.setdefault(frozenset(changed), []).append(self.known[key])
        for fields, patients in groups.items():
            bulk.update(patients, {*fields, "updated_at"})
        journal.record_many(
            [
                self._entry("patient.created", patient, records.created_facts(patient, SOURCE))
                for patient in self.created.values()
            ]
            + [
                self._entry("patient.updated", patient, records.updated_facts(fields, SOURCE))
                for fields, patients in groups.items()
                for patient in patients
            ]
        )

    def _entry(self, action: str, patient: Patient, facts: dict[str, Any]) -> JournalEntry:
        return journal.entry(
            practice=self.practice,
            action=action,
            actor=self.actor,
            patient=patient.pk,
            facts=facts,
        )

    def _heed_wishes(self, row: Checked, patient: Patient) -> bool:
        """Record the row's opt-outs and death, unless they are on record; whether anything was
        new.
        """
        new = False
        for channel in sorted(row.opt_outs):
            one = None if channel == ALL_CHANNELS else channel
            if patient.opted_out_at is None and channel not in patient.opted_out_channels:
                new |= opt_out.record(
                    patient=patient, source=SOURCE, actor=self.actor, channel=one
                ).changed
        if row.deceased and patient.deceased_at is None:
            records.mark_deceased(patient=patient, actor=self.actor)
            new = True
        return new


def _keys(person: matching.Person) -> set[str]:
    keys = {f"id {person.external_id}", person.phone_number, person.email}
    return keys - {"", "id "}


def _conflict(ids: Sequence[UUID]) -> str:
    if len(ids) == 1:
        return (
            "phone_number: Another patient, of another name and date of birth, has this number. "
            "Give both a patient id, or correct the number."
        )
    return (
        "phone_number: Several patients share this number and the names do not decide. "
        "Give each a patient id."
    )
