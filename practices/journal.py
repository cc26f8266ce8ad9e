"""The journal: what happened, in ids and codes, written in the transaction of the change itself.

Writing takes no lock. `seal` gives what has committed its number and its hash, per practice in one
advisory-locked pass; readers that must miss nothing read by sealed sequence.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Protocol, Self
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from practices.models import JournalEntry, Practice, User
from sightsync.lib import clock, copying
from sightsync.lib.api.lists import Version

FIRST = b"\0" * 32
_LOCK = 0x5167


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: `kind` is user, api_key, patient, system or operator; `id` a key or a name."""

    kind: str
    id: str = ""

    @classmethod
    def user(cls, user: User) -> Self:
        return cls("user", str(user.pk))

    @classmethod
    def patient(cls, patient_id: UUID) -> Self:
        return cls("patient", str(patient_id))

    @classmethod
    def system(cls, name: str) -> Self:
        return cls("system", name)

    @classmethod
    def operator(cls, name: str) -> Self:
        return cls("operator", name)


class Subject(Protocol):
    """Any row with a uuid key."""

    pk: Any


def entry(
    *,
    practice: Practice | UUID,
    action: str,
    actor: Actor,
    patient: UUID | None = None,
    subject: Subject | None = None,
    facts: dict[str, Any] | None = None,
) -> JournalEntry:
    """An unsaved entry, for a caller that writes many at once with `record_many`."""
    return JournalEntry(
        practice_id=practice.pk if isinstance(practice, Practice) else practice,
        at=clock.now(),
        actor_kind=actor.kind,
        actor_id=actor.id,
        action=action,
        patient_id=patient,
        subject_type=type(subject).__name__.lower() if subject is not None else "",
        subject_id=str(subject.pk) if subject is not None else "",
        facts=facts or {},
    )


def record(
    *,
    practice: Practice | UUID,
    action: str,
    actor: Actor,
    patient: UUID | None = None,
    subject: Subject | None = None,
    facts: dict[str, Any] | None = None,
) -> None:
    """Write one entry inside the caller's transaction.

    `facts` holds ids, codes, numbers and ISO times only: nothing about a person, no free text.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"{action}: the journal is written in the transaction of its change")
    entry(
        practice=practice, action=action, actor=actor, patient=patient, subject=subject, facts=facts
    ).save(force_insert=True)


def record_many(entries: Iterable[JournalEntry]) -> None:
    """Write many entries inside the caller's transaction."""
    if not connection.in_atomic_block:
        raise RuntimeError("the journal is written in the transaction of its change")
    JournalEntry.objects.bulk_create(entries, batch_size=2000)


def record_of_patients(
    *,
    practice: Practice | UUID,
    action: str,
    actor: Actor,
    facts: Iterable[tuple[UUID, str]],
) -> None:
    """Write one entry for each patient in one statement, inside the caller's transaction; the facts
    are JSON already.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"{action}: the journal is written in the transaction of its change")
    key, now = practice.pk if isinstance(practice, Practice) else practice, clock.now()
    copying.into(
        "practices_journalentry",
        _OF_PATIENTS,
        [
            (key, now, actor.kind, actor.id, action, patient, "", "", text)
            for patient, text in facts
        ],
    )


_OF_PATIENTS = (
    "practice_id",
    "at",
    "actor_kind",
    "actor_id",
    "action",
    "patient_id",
    "subject_type",
    "subject_id",
    "facts",
)


def digest(row: JournalEntry, sequence: int, previous: bytes) -> bytes:
    """The keyed hash of a row's content, its place and the hash before it."""
    content = [
        str(row.practice_id),
        sequence,
        row.pk,
        row.at.astimezone(UTC).isoformat(timespec="microseconds"),
        row.actor_kind,
        row.actor_id,
        row.action,
        str(row.patient_id or ""),
        row.subject_type,
        row.subject_id,
        row.facts,
    ]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hmac.new(
        settings.JOURNAL_KEY.encode(), previous + text.encode(), hashlib.sha256
    ).digest()


def seal(*, limit: int = 5000) -> int:
    """Seal up to `limit` committed entries; how many were sealed. Safe to run in several places."""
    sealed = 0
    practices = (
        JournalEntry.objects.filter(sequence=None).values_list("practice_id", flat=True).distinct()
    )
    for practice_id in list(practices):
        sealed += _seal_practice(practice_id, limit)
    return sealed


def _seal_practice(practice_id: UUID, limit: int) -> int:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", [_LOCK, str(practice_id)]
            )
            if not cursor.fetchone()[0]:
                return 0
        last = JournalEntry.objects.filter(practice_id=practice_id, sequence__isnull=False)
        head = last.order_by("-sequence").first()
        sequence = (head.sequence or 0) if head else 0
        previous = _recomputed(head) if head else FIRST
        rows = list(
            JournalEntry.objects.filter(practice_id=practice_id, sequence=None).order_by("id")[
                :limit
            ]
        )
        hashes = []
        for number, row in enumerate(rows, start=sequence + 1):
            previous = digest(row, number, previous)
            hashes.append(previous)
        with connection.cursor() as cursor:
            cursor.execute(_SEAL, [sequence, [row.pk for row in rows], hashes])
    return len(rows)


_SEAL = """
UPDATE practices_journalentry entry SET sequence = %s + sealed.place, hash = sealed.hash
FROM unnest(%s::bigint[], %s::bytea[]) WITH ORDINALITY AS sealed(id, hash, place)
WHERE entry.id = sealed.id"""


def _recomputed(head: JournalEntry) -> bytes:
    """The hash that the row should have: a forged stored hash must not be carried on."""
    assert head.sequence is not None
    before = JournalEntry.objects.filter(
        practice_id=head.practice_id, sequence=head.sequence - 1
    ).first()
    return digest(head, head.sequence, bytes(before.hash or b"") if before else FIRST)


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain does not hold: the sequence number at which it was noticed, and how."""

    practice_id: UUID
    sequence: int
    what: str


def verify(practice_id: UUID) -> Break | None:
    """The first place where the practice's chain does not hold, or None.

    Finds an edited, deleted, inserted or reordered row. Entries not yet sealed are not covered.
    """
    previous, expected = FIRST, 1
    rows: Iterator[JournalEntry] = (
        JournalEntry.objects.filter(practice_id=practice_id, sequence__isnull=False)
        .order_by("sequence")
        .iterator(chunk_size=2000)
    )
    for row in rows:
        assert row.sequence is not None
        if row.sequence != expected:
            return Break(practice_id, expected, "missing")
        previous = digest(row, row.sequence, previous)
        if not hmac.compare_digest(previous, bytes(row.hash or b"")):
            return Break(practice_id, expected, "changed")
        expected += 1
    return None


def sealed_after(practice_id: UUID, sequence: int, limit: int) -> list[JournalEntry]:
    """Sealed entries after `sequence`, oldest first: nothing is missed, nothing comes late."""
    return list(
        JournalEntry.objects.filter(practice_id=practice_id, sequence__gt=sequence).order_by(
            "sequence"
        )[:limit]
    )


def version(practice_id: UUID) -> Version:
    """How many entries of the practice are visible to the statement it is part of.

    It grows with every committed change and with nothing else. The newest id would not do: ids are
    given out before they commit, so that a change may become visible below it.
    """
    return Version(_VERSION, (practice_id, practice_id))


_VERSION = """(
    coalesce((SELECT sequence FROM practices_journalentry
              WHERE practice_id = %s AND sequence IS NOT NULL ORDER BY sequence DESC LIMIT 1), 0)
    + (SELECT count(*) FROM practices_journalentry WHERE practice_id = %s AND sequence IS NULL)
)"""
