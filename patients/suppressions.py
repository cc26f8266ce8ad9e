"""Owns the list of numbers and addresses that must not be contacted, kept as keyed hashes so that
it outlives the patient and a re-import cannot bring a person back. Only ``patients.opt_out`` adds
to it or lifts it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from patients import names
from patients.models.suppression import SuppressionKind
from sightsync.lib import crypto

ALL = "all"
CHANNELS = ("voice", "whatsapp", "sms", "email")
PHONE_CHANNELS = ("voice", "whatsapp", "sms")


class Hash(NamedTuple):
    """A suppressed thing: what kind, and its keyed hash."""

    kind: str
    digest: bytes


def phone_hash(e164: str) -> bytes:
    """The hash under which a number is suppressed."""
    return crypto.keyed_hash("phone", e164)


def email_hash(address: str) -> bytes:
    """The hash under which an address is suppressed; case does not matter."""
    return crypto.keyed_hash("email", address.strip().lower())


def of(*, phone: str = "", email: str = "") -> list[Hash]:
    """The hashes to look for, for a number (E.164) and an address; empty ones are left out."""
    hashes = []
    if phone:
        hashes.append(Hash(SuppressionKind.PHONE, phone_hash(phone)))
    if email:
        hashes.append(Hash(SuppressionKind.EMAIL, email_hash(email)))
    return hashes


def named(*, first_name: str, last_name: str, phone: str = "", email: str = "") -> list[Hash]:
    """The hashes under which one person of several who share a number or address is suppressed:
    for an erasure, after which the others of the family are reached as before.
    """
    name = f"{names.key(first_name)}\n{names.key(last_name)}"
    hashes = []
    if phone:
        digest = crypto.keyed_hash("named phone", f"{phone}\n{name}")
        hashes.append(Hash(SuppressionKind.PHONE, digest))
    if email:
        digest = crypto.keyed_hash("named email", f"{email.strip().lower()}\n{name}")
        hashes.append(Hash(SuppressionKind.EMAIL, digest))
    return hashes


def of_person(*, first_name: str, last_name: str, phone: str = "", email: str = "") -> list[Hash]:
    """All hashes that may keep this person's record from being contacted."""
    return of(phone=phone, email=email) + named(
        first_name=first_name, last_name=last_name, phone=phone, email=email
    )


_FIND = """
SELECT kind, hash, channel FROM patients_suppression
WHERE practice_id = %s AND hash = ANY(%s) AND lifted_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Found:
    """What is suppressed among the hashes that were asked for."""

    channels: dict[Hash, frozenset[str]] = field(default_factory=dict)

    def total(self, hashes: Iterable[Hash]) -> bool:
        """Whether the number or the address is suppressed for all contact."""
        return any(ALL in self.channels.get(item, ()) for item in hashes)

    def blocked(self, hashes: Iterable[Hash]) -> set[str]:
        """The single channels that may not be used."""
        return {channel for item in hashes for channel in self.channels.get(item, ())} - {ALL}


def find(*, practice_id: UUID, hashes: Iterable[Hash]) -> Found:
    """What is suppressed, for any number of hashes, in one query."""
    wanted = set(hashes)
    if not wanted:
        return Found()
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [practice_id, [item.digest for item in wanted]])
        rows = cursor.fetchall()
    channels: dict[Hash, set[str]] = {}
    for kind, digest, channel in rows:
        item = Hash(kind, bytes(digest))
        if item in wanted:
            channels.setdefault(item, set()).add(channel)
    return Found({item: frozenset(found) for item, found in channels.items()})


_SHORT = 5000
_OF_PRACTICE = """
SELECT kind, hash, channel FROM patients_suppression
WHERE practice_id = %s AND lifted_at IS NULL LIMIT %s
"""


def of_practice(practice_id: UUID) -> Found | None:
    """All that is suppressed at a practice, or None when that is too much to read at once."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_PRACTICE, [practice_id, _SHORT + 1])
        rows = cursor.fetchall()
    if len(rows) > _SHORT:
        return None
    channels: dict[Hash, frozenset[str]] = {}
    for kind, digest, channel in rows:
        item = Hash(kind, bytes(digest))
        channels[item] = channels.get(item, frozenset()) | {channel}
    return Found(channels)


def found(rows: Iterable[tuple[str, str, str]]) -> Found:
    """What another module's statement has read: kind, hash in hexadecimal, channel."""
    channels: dict[Hash, frozenset[str]] = {}
    for kind, digest, channel in rows:
        item = Hash(kind, bytes.fromhex(digest))
        channels[item] = channels.get(item, frozenset()) | {channel}
    return Found(channels)


def is_suppressed(*, practice_id: UUID, channel: str, phone: str = "", email: str = "") -> bool:
    """Whether a channel to this number or address is suppressed now: read as the last thing before
    sending. One suppressed for all contact blocks every channel to its owner.
    """
    hashes = of(phone=phone, email=email)
    found = find(practice_id=practice_id, hashes=hashes)
    return found.total(hashes) or channel in found.blocked(hashes)
