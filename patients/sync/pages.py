"""Writes one page of patients: the unchanged are only counted, the others go the way of an import's
rows, all of them at once.

Called inside the transaction that moves the run on, so that every record is counted once.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from integrations.models import Connection
from integrations.pms.connector import RemotePatient
from patients import matching, names, records
from patients.csv_import import apply
from patients.csv_import.check import Checked
from patients.csv_import.reader import Row
from patients.models import Patient, PmsRecord
from patients.records import What
from patients.sync import reading
from patients.sync.reading import Told
from practices.journal import Actor
from sightsync.lib import clock

PUT_AWAY = "put_away_there"
ERASED, NO_ID, ID_OF_ANOTHER = "erased", "no_id", "id_of_another"
_ROW = Row(0, [])


class Page:
    """One page; `counts` has created, updated, unchanged, rejected (together: all records of the
    page) and archived, `reasons` how many were rejected for what.
    """

    def __init__(self, connection: Connection, actor: Actor) -> None:
        self.connection = connection
        self.actor = actor
        self.counts: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.known: dict[str, PmsRecord] = {}
        self.people: dict[object, Patient] = {}
        self.holders: dict[str, Patient] = {}
        self.written: list[PmsRecord] = []

    def write(self, items: Sequence[RemotePatient]) -> None:
        changed = self._changed(self._latest(items))
        if changed:
            # Before anything is decided: an import of the practice may be writing.
            records.serialise_practice(self.connection.practice_id)
            self._write(changed)

    # --- what is new ----------------------------------------------------------------------------

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

    def _changed(self, latest: dict[str, RemotePatient]) -> list[tuple[RemotePatient, bytes]]:
        """Those that say something else than the last time, with their digests."""
        rows = PmsRecord.objects.filter(connection=self.connection, external_id__in=latest)
        last = {
            key: (bytes(digest), gone_at is not None, code)
            for key, digest, gone_at, code in rows.values_list(
                "external_id", "digest", "gone_at", "code"
            )
        }
        changed = []
        for key, remote in latest.items():
            digest = reading.digest(remote)
            before, gone, code = last.get(key, (b"", False, ""))
            if before != digest or gone != remote.archived:
                changed.append((remote, digest))
            elif code and code != PUT_AWAY:
                self._reject(code)
            else:
                self.counts["unchanged"] += 1
        return changed

    # --- taking it over -------------------------------------------------------------------------

    def _write(self, changed: Sequence[tuple[RemotePatient, bytes]]) -> None:
        self._read([remote.external_id for remote, _ in changed])
        accepted, rows = [], []
        for told in [self._told(remote, digest) for remote, digest in changed]:
            if told.code == PUT_AWAY:
                self.counts["unchanged"] += 1
            elif told.code:
                self._reject(told.code)
            else:
                accepted.append(told)
                rows.append(self._row(told))
                continue
            self._keep(told, self._patient_of(told))
        done = apply.apply(
            practice=self.connection.practice,
            rows=rows,
            source=self.connection.kind,
            actor=self.actor,
        )
        for told, placed in zip(accepted, done.placed, strict=True):
            self._settle(told, placed)
        self._remember()

    def _read(self, keys: Sequence[str]) -> None:
        """What we know of the records, their patients, and who else has their ids."""
        rows = PmsRecord.objects.filter(connection=self.connection, external_id__in=keys)
        self.known = {row.external_id: row for row in rows}
        patients = Patient.objects.filter(practice=self.connection.practice_id).defer(
            "nhs_number", "clinical_notes", "extended"
        )
        wanted = [row.patient_id for row in self.known.values() if row.patient_id is not None]
        self.people = {one.pk: one for one in patients.filter(pk__in=wanted)}
        holders = patients.filter(external_id__in=keys, erased_at=None)
        self.holders = {one.external_id: one for one in holders}

    def _told(self, remote: RemotePatient, digest: bytes) -> Told:
        known = self.known.get(remote.external_id)
        before = known.marks if known is not None and known.patient_id is not None else {}
        told = reading.read(remote, digest=digest, before=before, today=clock.today())
        patient = self._patient_of(told)
        if patient is not None and patient.erased_at is not None:
            told.code = ERASED  # an erased person is not brought back
        elif patient is None and not told.code:
            holder = self.holders.get(remote.external_id)
            if holder is None and (remote.archived or remote.deceased):
                told.code = PUT_AWAY
            elif holder is not None and _is_somebody_else(told, holder):
                told.code = ID_OF_ANOTHER
        return told

    def _row(self, told: Told) -> Checked:
        """As a row of an import. Our patient's id here finds them, should staff have changed it."""
        values, patient = told.values, self._patient_of(told)
        if patient is not None and patient.external_id:
            values = {**values, "external_id": patient.external_id}
        return Checked(
            _ROW, values, opt_outs=told.remote.opt_outs, deceased=told.remote.deceased, reasons=[]
        )

    def _settle(self, told: Told, placed: apply.Placed) -> None:
        if placed.what is None or placed.patient_id is None:
            told.code = placed.code[:32] or "rejected"
            self._reject(told.code)
            self._keep(told, self._patient_of(told))
            return
        what = placed.what
        patient = self.people.get(placed.patient_id) or Patient(pk=placed.patient_id)
        if self._put_away(told, patient) and what is What.UNCHANGED:
            what = What.UPDATED
        self.counts[str(what)] += 1
        self._keep(told, patient)

    def _put_away(self, told: Told, patient: Patient) -> bool:
        """Archive whom the system has put away, and take up again whom we archived for that."""
        known = self.known.get(told.remote.external_id)
        gone_at = known.gone_at if known is not None else None
        if told.remote.archived:
            if gone_at is not None or patient.archived_at is not None:
                return False
            records.archive(patient=patient, actor=self.actor)
            self.counts["archived"] += 1
            return True
        archived_at = patient.archived_at
        if gone_at is None or archived_at is None or archived_at < gone_at:
            return False
        records.restore(patient=patient, actor=self.actor)
        return True

    # --- remembering it -------------------------------------------------------------------------

    def _patient_of(self, told: Told) -> Patient | None:
        known = self.known.get(told.remote.external_id)
        return self.people.get(known.patient_id) if known is not None else None

    def _reject(self, code: str) -> None:
        self.counts["rejected"] += 1
        self.reasons[code] += 1

    def _keep(self, told: Told, patient: Patient | None) -> None:
        """Of what could not be taken over the marks of the last time stay."""
        known = self.known.get(told.remote.external_id)
        gone_at = known.gone_at if known is not None else None
        before = known.marks if known is not None else {}
        self.written.append(
            PmsRecord(
                practice_id=self.connection.practice_id,
                connection=self.connection,
                external_id=told.remote.external_id,
                digest=told.digest,
                marks=before if told.code else told.marks,
                patient_id=patient.pk if patient is not None else None,
                code=told.code,
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
    """Whether the id that we know, from a file or the system used before, belongs to another
    person: of another date of birth, or another name altogether.
    """
    theirs = records.person_of(told.values)
    ours = matching.Person(
        first_name=holder.first_name,
        last_name=holder.last_name,
        date_of_birth=holder.date_of_birth,
    )
    if theirs.has_the_name_of(ours):
        return False
    wholly = names.key(theirs.first_name) != names.key(ours.first_name) and names.key(
        theirs.last_name
    ) != names.key(ours.last_name)
    return wholly or theirs.was_born_otherwise(ours)
