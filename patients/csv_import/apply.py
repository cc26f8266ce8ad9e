"""Owns turning checked rows, wherever they came from, into records: by the matching, the
consequences and the journal of ``records``, a chunk in a transaction. The same functions decide as
for a single patient; what differs is that everything is read and written for all rows at once.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast
from uuid import UUID

import orjson
from django.db import connection

from patients import assigning, matching, opt_outs_in_bulk, records
from patients.csv_import import bulk
from patients.csv_import.bulk import Known, New
from patients.csv_import.check import ALL_CHANNELS, Checked
from patients.models import ImportRun, Patient
from patients.records import What
from practices import journal
from practices.journal import Actor
from practices.models import Practice
from sightsync.lib import clock, crypto, ids
from sightsync.lib.errors import AppError


class Placed(NamedTuple):
    """What became of one row: the patient and what was done, or the code why nothing was."""

    patient_id: UUID | None = None
    what: What | None = None
    code: str = ""


@dataclass(slots=True)
class Applied:
    """What became of a chunk, row by row. ``suppressed`` of the created are kept as records and
    never contacted: they had opted out or been erased before.
    """

    placed: list[Placed]
    created: list[UUID] = field(default_factory=list)
    suppressed: int = 0

    def counts(self) -> Counter[str]:
        """Rows by created, updated, unchanged and rejected."""
        found = Counter([one.what for one in self.placed])
        return Counter({what.value if what else "rejected": n for what, n in found.items()})


def apply(
    *,
    practice: Practice,
    rows: Sequence[Checked],
    source: str,
    actor: Actor,
    run: ImportRun | None = None,
) -> Applied:
    """Write the rows, in the caller's transaction, alone among the practice's writers. Rows with
    reasons are rejected; one that matching rejects gets its reason. ``run`` keeps images for undo.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("a chunk is written in one transaction")
    return _Chunk(practice, source, actor, run).apply(rows)


def foresee(
    *, practice: Practice, rows: Sequence[Checked], source: str, ahead: "Ahead"
) -> "Foreseen":
    """What ``apply`` would do; writes nothing and holds nobody up."""
    chunk = _Chunk(practice, source, Actor.system("forecast"), None)
    return chunk.foresee(rows, ahead)


@dataclass(slots=True)
class Foreseen:
    """What would become of a chunk: the answer by row, the new records, and the changed ones with
    the names of what would change.
    """

    applied: Applied
    records: list[Known | New | None]
    changed: dict[UUID, tuple[Known, set[str]]]


@dataclass(slots=True)
class Ahead:
    """What a forecast has foreseen of patients whom the file names again further on."""

    names_again: Callable[[Checked], bool]
    new: dict[str, list[New]] = field(default_factory=dict)
    known: dict[UUID, Known] = field(default_factory=dict)


class _Conflict(Exception):
    """The details do not say between which records they decide."""

    def __init__(self, ids: Sequence[UUID]) -> None:
        super().__init__()
        self.ids = ids


class _Chunk:
    """One chunk at work."""

    def __init__(
        self, practice: Practice, source: str, actor: Actor, run: ImportRun | None
    ) -> None:
        self.practice = practice
        self.source = source
        self.actor = actor
        self.run = run
        self.now = clock.now()
        self.blank = bulk.blank(practice, source, self.now)
        self.created: list[New] = []
        self.changed: dict[UUID, tuple[Known, set[str]]] = {}
        self.sharing: dict[str, list[Known | New]] = {}
        self.lookups = assigning.Lookups()
        self.keys: Iterator[UUID] = iter(())

    def apply(self, rows: Sequence[Checked]) -> Applied:
        records.serialise_practice(self.practice.pk)
        self._read(rows, lock=True)
        done = [self._place(row) for row in rows]
        self._write()
        wished = self._heed_wishes(rows, done)
        placed = [
            Placed(record.id, What.UPDATED if what is What.UNCHANGED and place in wished else what)
            if record is not None
            else Placed(code=code)
            for place, (record, what, code) in enumerate(done)
        ]
        return Applied(placed, [one.id for one in self.created], self._suppressed())

    def foresee(self, rows: Sequence[Checked], ahead: Ahead) -> Foreseen:
        self._read(rows, lock=False)
        self._recall(rows, ahead)
        done = [self._place(row) for row in rows]
        for new in self.created:
            self._complete(new)
        for row, (record, _, _) in zip(rows, done, strict=True):
            if record is None or not ahead.names_again(row):
                continue
            if isinstance(record, Known):
                ahead.known[record.id] = record
            else:
                for key in _keys(row.values):
                    ahead.new.setdefault(key, []).append(record)
        placed = [
            Placed(record.id if record else None, self._with_wishes(row, record, what), code)
            for row, (record, what, code) in zip(rows, done, strict=True)
        ]
        applied = Applied(placed, [one.id for one in self.created], self._suppressed())
        return Foreseen(applied, [record for record, _, _ in done], self.changed)

    # --- reading --------------------------------------------------------------------------------

    def _read(self, rows: Sequence[Checked], *, lock: bool) -> None:
        good = [row.values for row in rows if not row.reasons]
        numbers = {number for values in good if (number := values.get("phone_number"))}
        found = bulk.candidates(self.practice.pk, good, lock=lock)
        for known in found:
            self._remember(known, vars(known))
        self.lookups = assigning.look_up_many(
            practice=self.practice, numbers=numbers
        ) or assigning.look_up(
            practice=self.practice,
            values=[
                *good,
                *({"phone_number": k.phone_number, "email": k.email} for k in found),
            ],
        )
        self.keys = iter(ids.many(len(good)))

    def _recall(self, rows: Sequence[Checked], ahead: Ahead) -> None:
        """Put what was foreseen of the chunk's patients in the place of what is stored."""
        if ahead.known:
            for key, people in self.sharing.items():
                self.sharing[key] = [ahead.known.get(one.id, one) for one in people]
        if ahead.new:
            wanted = {key for row in rows if not row.reasons for key in _keys(row.values)}
            for key in wanted & ahead.new.keys():
                self.sharing.setdefault(key, []).extend(ahead.new[key])

    def _remember(self, record: Known | New, values: Mapping[str, Any]) -> None:
        for key in _keys(values):
            self.sharing.setdefault(key, []).append(record)

    # --- deciding -------------------------------------------------------------------------------

    def _place(self, row: Checked) -> "_Done":
        """The row's patient, changed in memory, or why the row had to be rejected."""
        if row.reasons:
            return None, None, "rejected"
        try:
            record = self._find(row.values, row.household)
        except _Conflict as conflict:
            row.reasons.append(_conflict(conflict.ids))
            return None, None, "ambiguous_patient"
        if record is None:
            return self._create(row)
        news = self._news(record, row.values)
        if not news:
            return record, What.UNCHANGED, ""
        if isinstance(record, New):
            self._complete(record)
        changed = assigning.assign(
            cast(Patient, record), news, practice=self.practice, lookups=self.lookups
        )
        record.updated_at = self.now
        if isinstance(record, Known):
            self.changed.setdefault(record.id, (record, set()))[1].update(changed)
        return record, What.UPDATED, ""

    def _find(self, values: Mapping[str, Any], household: bool) -> "Known | New | None":
        """The record that the details belong to, None for a new one. The plain cases are decided
        here as ``matching.match`` would, which decides all others. Raises _Conflict.
        """
        sharing = self.sharing
        external_id = values.get("external_id")
        if external_id and (same := sharing.get(f"id {external_id}")):
            return same[0]
        number = values.get("phone_number")
        at_number = sharing.get(number) if number else None
        if not external_id and number:
            if at_number is None:
                return None
            if len(at_number) == 1 and not household:
                born, known = values.get("date_of_birth"), at_number[0].person.date_of_birth
                if born is None or known is None or born == known:
                    return at_number[0]
        at_address = sharing.get(values.get("email") or " ")
        if at_number is None and at_address is None:
            return None
        people = {one.id: one for one in (*(at_number or ()), *(at_address or ()))}
        match = matching.match(
            records.person_of(dict(values)),
            [matching.Candidate(key, one.person) for key, one in people.items()],
            household=household,
            careful=True,
        )
        if match.conflict:
            raise _Conflict(match.conflict)
        return people[match.id] if match.id is not None else None

    def _create(self, row: Checked) -> "_Done":
        values = row.values
        try:
            records.check_creatable(values)
        except AppError as error:
            row.reasons.append(error.message)
            return None, None, error.code
        record = New(self.blank | values)
        record.id = next(self.keys)
        record.given = values
        self.created.append(record)
        self._remember(record, values)
        return record, What.CREATED, ""

    def _complete(self, record: New) -> None:
        if not record.is_complete:
            record.is_complete = True
            assigning.complete(
                record,  # type: ignore[arg-type]  # it has what is asked of a patient
                practice=self.practice,
                lookups=self.lookups,
            )

    def _news(self, record: "Known | New", values: Mapping[str, Any]) -> dict[str, Any]:
        """The values that differ from what is stored, encrypted fields compared by their hash or
        in clear.
        """
        columns = vars(record)
        news = {name: value for name, value in values.items() if columns[name] != value}
        if isinstance(record, Known) and not news.keys().isdisjoint(bulk.ENCRYPTED):
            in_clear = self.changed.get(record.id, (record, frozenset[str]()))[1]
            for name in bulk.ENCRYPTED:
                if name in news and name not in in_clear and _is_stored(record, name, news[name]):
                    del news[name]
        return news

    # --- writing --------------------------------------------------------------------------------

    def _write(self) -> None:
        """Every new and changed record, and one journal entry for each."""
        bulk.insert(self.created, self._complete)
        bulk.update(self.changed, self.run)
        as_json: dict[frozenset[str], str] = {}
        updated = []
        for key, (_, changed) in self.changed.items():
            fields = frozenset(changed)
            if fields not in as_json:
                as_json[fields] = _json(records.updated_facts(fields, self.source))
            updated.append((key, as_json[fields]))
        plain, suppressed = _json({"source": self.source}), ""
        created = []
        for record in self.created:
            facts = plain
            if record.opted_out_at is not None or record.opted_out_channels:
                suppressed = suppressed or _json({"source": self.source, "suppressed": True})
                facts = suppressed
            created.append((record.id, facts))
        for action, facts_of in (("patient.created", created), ("patient.updated", updated)):
            journal.record_of_patients(
                practice=self.practice, action=action, actor=self.actor, facts=facts_of
            )

    def _suppressed(self) -> int:
        return sum(one.opted_out_source == assigning.SUPPRESSED for one in self.created)

    # --- wishes ---------------------------------------------------------------------------------

    def _heed_wishes(self, rows: Sequence[Checked], done: Sequence["_Done"]) -> set[int]:
        """Record opt-outs and deaths that are not on record yet; the places of the rows that
        brought something new.
        """
        places, wishes, new = [], [], set()
        for place, (row, (record, _, _)) in enumerate(zip(rows, done, strict=True)):
            if record is None or not (row.opt_outs or row.deceased):
                continue
            for channel in _unheard(row, record):
                places.append(place)
                one = None if channel == ALL_CHANNELS else channel
                wishes.append(opt_outs_in_bulk.Wish(record.id, one))
            if row.deceased and record.deceased_at is None:
                records.mark_deceased(patient=Patient(pk=record.id), actor=self.actor)
                record.deceased_at = self.now
                new.add(place)
        if wishes:
            heard = opt_outs_in_bulk.record(
                practice=self.practice, wishes=wishes, source=self.source, actor=self.actor
            )
            new |= {place for place, changed in zip(places, heard, strict=True) if changed}
        return new

    def _with_wishes(
        self, row: Checked, record: "Known | New | None", what: What | None
    ) -> What | None:
        """What a forecast says of a row: a new wish is an update."""
        if record is None or what is not What.UNCHANGED:
            return what
        died = row.deceased and record.deceased_at is None
        return What.UPDATED if died or any(_unheard(row, record)) else what


_Done = tuple[Known | New | None, What | None, str]


def _unheard(row: Checked, record: Known | New) -> Iterator[str]:
    """The row's opt-outs that are not on the record."""
    for channel in sorted(row.opt_outs):
        if record.opted_out_at is None and channel not in record.opted_out_channels:
            yield channel


def _keys(values: Mapping[str, Any]) -> Iterator[str]:
    if external_id := values.get("external_id"):
        yield f"id {external_id}"
    if number := values.get("phone_number"):
        yield number
    if address := values.get("email"):
        yield address


def _is_stored(known: Known, name: str, value: str) -> bool:
    """Whether an encrypted field holds the value already."""
    token = vars(known)[name]
    if not token or not value:
        return False
    if name == "nhs_number":
        return bytes(known.nhs_number_hash or b"") == crypto.keyed_hash("nhs", value)
    try:
        return crypto.decrypt(token) == value
    except crypto.CannotDecrypt:  # a forecast's record, changed in clear by an earlier frame
        return False


def _json(facts: Mapping[str, Any]) -> str:
    return orjson.dumps(facts).decode()


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
