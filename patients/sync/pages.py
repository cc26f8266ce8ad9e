"""Writes one page of patients: the unchanged are only counted, the others go through `records`.

Called inside the transaction that moves the run on, so that every record is counted once.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import transaction

from integrations.models import Connection
from integrations.pms.connector import RemotePatient
from patients import matching, names, opt_out, records
from patients.cleaning import clean
from patients.models import Patient, PmsRecord
from patients.records import Upserted, What
from patients.sync import reading
from patients.sync.reading import Told
from practices.journal import Actor
from sightsync.lib import clock
from sightsync.lib.errors import AppError

ALL_CHANNELS = "all"
PUT_AWAY = "put_away_there"
ERASED, NO_ID, ID_OF_ANOTHER = "erased", "no_id", "id_of_another"


class Page:
    """One page; `counts` has created, updated, unchanged, rejected (together: all records of the
    page) and archived, `reasons` how many were rejected for what, `seen` the ids on it.
    """

    def __init__(self, connection: Connection, actor: Actor) -> None:
        self.connection = connection
        self.actor = actor
        self.counts: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.seen: list[str] = []
        self.known: dict[str, PmsRecord] = {}
        self.holders: dict[str, Patient] = {}
        self.written: list[PmsRecord] = []

    def write(self, items: Sequence[RemotePatient]) -> None:
        latest = self._latest(items)
        self.seen = list(latest)
        rows = PmsRecord.objects.filter(connection=self.connection, external_id__in=self.seen)
        self.known = {row.external_id: row for row in rows.select_related("patient")}
        changed = [told for told in map(self._told, latest.values()) if told is not None]
        if changed:
            records.serialise_practice(self.connection.practice_id)
            self._find_holders(changed)
            for told in changed:
                self._write_one(told)
            self._remember()

    def _latest(self, items: Iterable[RemotePatient]) -> dict[str, RemotePatient]:
        """By id; of a record that is on the page twice the later counts, the other as unchanged."""
        latest: dict[str, RemotePatient] = {}
        for remote in items:
            if not 0 < len(remote.external_id) <= 64:
                self._reject(NO_ID)
                continue
            if latest.pop(remote.external_id, None) is not None:
                self.counts["unchanged"] += 1
            latest[remote.external_id] = remote
        return latest

    def _told(self, remote: RemotePatient) -> Told | None:
        """What is new of the record, None when it says what it said the last time."""
        digest = reading.digest(remote)
        known = self.known.get(remote.external_id)
        put_away = known is not None and known.gone_at is not None
        if known is not None and bytes(known.digest) == digest and put_away == remote.archived:
            if known.code and known.code != PUT_AWAY:
                self._reject(known.code)
            else:
                self.counts["unchanged"] += 1
            return None
        before = known.marks if known is not None and known.patient_id else {}
        return reading.read(remote, digest=digest, before=before, today=clock.today())

    def _find_holders(self, changed: Sequence[Told]) -> None:
        """Who has the ids that are new to us: from a file, or from the system used before."""
        new = [one.remote.external_id for one in changed]
        rows = Patient.objects.filter(
            practice=self.connection.practice_id, external_id__in=new, erased_at=None
        )
        self.holders = {row.external_id: row for row in rows}

    def _write_one(self, told: Told) -> None:
        known = self.known.get(told.remote.external_id)
        patient = known.patient if known is not None else None
        self._check(told, patient)
        if not told.code and patient is None and (told.remote.archived or told.remote.deceased):
            self._keep(told, None, PUT_AWAY)
            self.counts["unchanged"] += 1
            return
        done = self._apply(told, patient) if not told.code else None
        if done is None:
            self._reject(told.code)
            self._keep(told, patient, told.code)
            return
        what = done.what
        if self._heed(told, done.patient) and what is What.UNCHANGED:
            what = What.UPDATED
        self._keep(told, done.patient, "")
        self.counts[str(what)] += 1

    def _check(self, told: Told, patient: Patient | None) -> None:
        """An erased person is not brought back, and another system's id is no proof of identity."""
        if patient is not None and patient.erased_at is not None:
            told.code = ERASED
        elif patient is None and not told.code:
            holder = self.holders.get(told.remote.external_id)
            if holder is not None and _is_somebody_else(told, holder):
                told.code = ID_OF_ANOTHER

    def _apply(self, told: Told, patient: Patient | None) -> Upserted | None:
        source = self.connection.kind
        try:
            with transaction.atomic():
                if patient is not None:
                    return records.update(
                        patient=patient, data=told.data, source=source, actor=self.actor
                    )
                return records.upsert(
                    practice=self.connection.practice,
                    data=told.data,
                    source=source,
                    actor=self.actor,
                )
        except AppError as error:
            told.code = error.code[:32]
            return None

    def _heed(self, told: Told, patient: Patient) -> bool:
        """Opt-outs, death and being put away, unless they are on record; whether that was new."""
        new = False
        for channel in sorted(told.remote.opt_outs):
            one = None if channel == ALL_CHANNELS else channel
            if patient.opted_out_at is None and channel not in patient.opted_out_channels:
                new |= opt_out.record(
                    patient=patient, source="pms", actor=self.actor, channel=one
                ).changed
        if told.remote.deceased and patient.deceased_at is None:
            records.mark_deceased(patient=patient, actor=self.actor)
            new = True
        return new | self._put_away(told, patient)

    def _put_away(self, told: Told, patient: Patient) -> bool:
        """Archive whom the system has put away, and take up again whom we archived for that."""
        known = self.known.get(told.remote.external_id)
        gone_at = known.gone_at if known is not None else None
        if told.remote.archived:
            if gone_at is None and patient.archived_at is None:
                records.archive(patient=patient, actor=self.actor)
                self.counts["archived"] += 1
                return True
            return False
        ours = gone_at is not None and patient.archived_at is not None
        if ours and patient.archived_at >= gone_at:  # type: ignore[operator]
            records.restore(patient=patient, actor=self.actor)
            return True
        return False

    def _reject(self, code: str) -> None:
        self.counts["rejected"] += 1
        self.reasons[code] += 1

    def _keep(self, told: Told, patient: Patient | None, code: str) -> None:
        known = self.known.get(told.remote.external_id)
        gone_at = known.gone_at if known is not None else None
        self.written.append(
            PmsRecord(
                practice_id=self.connection.practice_id,
                connection=self.connection,
                external_id=told.remote.external_id,
                digest=told.digest,
                marks=told.marks if not code else (known.marks if known is not None else {}),
                patient=patient,
                code=code,
                gone_at=(gone_at or clock.now()) if told.remote.archived else None,
            )
        )

    def _remember(self) -> None:
        PmsRecord.objects.bulk_create(
            self.written,
            update_conflicts=True,
            unique_fields=["connection", "external_id"],
            update_fields=["digest", "marks", "patient", "code", "gone_at"],
        )


def _is_somebody_else(told: Told, holder: Patient) -> bool:
    """Whether the id that we know belongs to another person: of another date of birth or another
    name altogether.
    """
    values = clean(told.data, today=clock.today()).values
    theirs, ours = (
        records.person_of(values),
        matching.Person(
            first_name=holder.first_name,
            last_name=holder.last_name,
            date_of_birth=holder.date_of_birth,
        ),
    )
    if theirs.has_the_name_of(ours):
        return False
    wholly = names.key(theirs.first_name) != names.key(ours.first_name) and names.key(
        theirs.last_name
    ) != names.key(ours.last_name)
    return wholly or theirs.was_born_otherwise(ours)


def patient_of(connection: Connection, external_ids: Iterable[str]) -> dict[str, UUID]:
    """Our patients by their id there."""
    rows = PmsRecord.objects.filter(
        connection=connection, external_id__in=list(external_ids), patient__isnull=False
    )
    return {row.external_id: row.patient_id for row in rows if row.patient_id is not None}
