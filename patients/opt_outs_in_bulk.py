"""Owns recording many patients' opt-outs at once, as an export brings them: what ``opt_out.record``
does for each in turn, in a number of statements that does not grow with them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from patients.models import Patient, Suppression
from patients.models.suppression import SuppressionKind
from patients.suppressions import ALL, Hash
from practices import journal
from practices.journal import Actor
from practices.models import JournalEntry, Practice
from sightsync.lib import clock


@dataclass(frozen=True, slots=True)
class Wish:
    """One patient's word: no more contact by a channel, or at all (None)."""

    patient: UUID
    channel: str | None


def record(*, practice: Practice, wishes: Sequence[Wish], source: str, actor: Actor) -> list[bool]:
    """Record the wishes in order; whether each of them changed anything. ``source`` is a code."""
    if not wishes:
        return []
    with transaction.atomic():
        return _Bulk(practice, source, actor).record(wishes)


@dataclass(slots=True)
class _Bulk:
    practice: Practice
    source: str
    actor: Actor
    now: datetime = field(default_factory=clock.now)
    people: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    at: dict[Hash, list[UUID]] = field(default_factory=dict)
    live: set[tuple[Hash, str]] = field(default_factory=set)
    added: dict[tuple[Hash, str], None] = field(default_factory=dict)
    changed: dict[UUID, None] = field(default_factory=dict)
    entries: list[JournalEntry] = field(default_factory=list)

    def record(self, wishes: Sequence[Wish]) -> list[bool]:
        self._read({wish.patient for wish in wishes})
        heard = [self._hear(wish) for wish in wishes]
        self._write()
        return heard

    def _read(self, asking: Iterable[UUID]) -> None:
        """The patients, all who share their numbers and addresses, locked, and what is
        suppressed.
        """
        own = Patient.objects.filter(practice=self.practice, pk__in=asking)
        contacts = list(own.values_list("phone_number", "email"))
        sharing = (
            Q(pk__in=asking)
            | Q(phone_number__in={number for number, _ in contacts if number})
            | Q(email__in={address for _, address in contacts if address})
        )
        people = Patient.objects.select_for_update().filter(sharing, practice=self.practice)
        for person in people.order_by("id").values(
            "id", "phone_hash", "email_hash", "opted_out_at", "opted_out_channels"
        ):
            known = self.people[person["id"]] = dict(person)
            for item in _hashes(known):
                self.at.setdefault(item, []).append(person["id"])
        rows = Suppression.objects.filter(
            practice=self.practice, hash__in=[item.digest for item in self.at], lifted_at=None
        )
        self.live = {
            (Hash(kind, bytes(digest)), channel)
            for kind, digest, channel in rows.values_list("kind", "hash", "channel")
        }

    def _hear(self, wish: Wish) -> bool:
        hashes = _hashes(self.people[wish.patient])
        if wish.channel is not None:
            kind = SuppressionKind.EMAIL if wish.channel == "email" else SuppressionKind.PHONE
            hashes = [item for item in hashes if item.kind == kind]
        words = [(item, wish.channel or ALL) for item in hashes]
        new = [word for word in words if word not in self.live]
        self.live.update(new)
        self.added.update(dict.fromkeys(new))
        reached = {wish.patient, *(key for item in hashes for key in self.at[item])}
        told = [key for key in sorted(reached) if self._tell(self.people[key], wish.channel)]
        for key in told:
            self.changed[key] = None
            self.entries.append(
                journal.entry(
                    practice=self.practice,
                    action="optout.recorded",
                    actor=self.actor,
                    patient=key,
                    facts={"channel": wish.channel or ALL, "source": self.source},
                )
            )
        return bool(told or new)

    def _tell(self, person: dict[str, Any], channel: str | None) -> bool:
        if channel is None:
            if person["opted_out_at"] is not None:
                return False
            person["opted_out_at"], person["opted_out_source"] = self.now, self.source
        else:
            if channel in person["opted_out_channels"]:
                return False
            person["opted_out_channels"] = sorted({*person["opted_out_channels"], channel})
        return True

    def _write(self) -> None:
        Suppression.objects.bulk_create(
            [
                Suppression(
                    practice=self.practice,
                    kind=item.kind,
                    hash=item.digest,
                    channel=channel,
                    source=self.source,
                    created_at=self.now,
                )
                for item, channel in self.added
            ],
            update_conflicts=True,
            unique_fields=["practice", "kind", "hash", "channel"],
            update_fields=["lifted_at", "source", "created_at"],
        )
        groups: dict[tuple[Any, ...], list[UUID]] = {}
        for key in self.changed:
            person = self.people[key]
            total = "opted_out_source" in person
            groups.setdefault((total, *person["opted_out_channels"]), []).append(key)
        for (total, *channels), keys in groups.items():
            values: dict[str, Any] = {"opted_out_channels": channels, "updated_at": self.now}
            if total:
                values |= {"opted_out_at": self.now, "opted_out_source": self.source}
            Patient.objects.filter(pk__in=keys).update(**values)
        journal.record_many(self.entries)


def _hashes(person: dict[str, Any]) -> list[Hash]:
    """The hashes under which the person's number and address are suppressed."""
    found = []
    if person["phone_hash"]:
        found.append(Hash(SuppressionKind.PHONE, bytes(person["phone_hash"])))
    if person["email_hash"]:
        found.append(Hash(SuppressionKind.EMAIL, bytes(person["email_hash"])))
    return found
