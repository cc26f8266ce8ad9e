"""Owns the TPS and CTPS registers in use: whether they are fresh, whether a number is on them, and
the flag on each patient. Loading a new file is ``tps_load``. Whether a listed patient may be rung
is eligibility's.

A number that nobody has screened is unknown (None), and unknown is never treated as clear.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.db import connection, transaction

from patients.models import RegisterList, TpsListing, TpsRegister
from practices import journal
from practices.journal import Actor
from sightsync.lib import clock

FRESH_FOR = timedelta(days=28)
"""How long a register may be relied on: PECR regulation 21(3) excuses a call for 28 days after
listing.
"""


class Status(StrEnum):
    """Whether the register can be relied on for a call, and if not, why."""

    FRESH = "fresh"
    MISSING = "tps_register_missing"
    BEING_APPLIED = "tps_register_being_applied"
    STALE = "tps_register_stale"


@dataclass(frozen=True, slots=True)
class State:
    """The registers as a whole. ``register_date`` is the oldest of those in force; the status
    other than fresh is a reason code, and no automated call may be made then.
    """

    status: Status
    register_date: date | None = None
    usable_until: date | None = None
    numbers: int = 0

    @property
    def is_usable(self) -> bool:
        return self.status is Status.FRESH


def state(now: datetime) -> State:
    """Whether the registers in force can be relied on at ``now``. One query.

    Stale means older than 28 days in London dates; the 28th day itself still counts.
    """
    registers = list(TpsRegister.objects.filter(current=True))
    if not any(register.listing != RegisterList.CTPS for register in registers):
        return State(Status.MISSING)
    oldest = min(register.register_date for register in registers)
    numbers = sum(register.numbers for register in registers)
    until = oldest + FRESH_FOR
    status = Status.FRESH
    if any(register.applied_at is None for register in registers):
        status = Status.BEING_APPLIED
    elif clock.london(now).date() > until:
        status = Status.STALE
    return State(status, oldest, until, numbers)


def lookup(numbers: Iterable[str]) -> dict[str, int | None]:
    """On which register each number (E.164) stands, as TpsListing; None when no register is loaded.

    Two queries, however many numbers. A combined file does not say which list a number is on.
    """
    asked = {number: int(number[1:]) for number in numbers if number[1:].isdigit()}
    if not asked:
        return {}
    lists = in_force()
    if not lists & {RegisterList.TPS, RegisterList.BOTH}:
        return dict.fromkeys(asked)
    listed = _listed(list(asked.values()), lists)
    return {number: listed.get(key, int(TpsListing.CLEAR)) for number, key in asked.items()}


def lookup_one(number: str) -> int | None:
    """On which register one number (E.164) stands; None when no register is loaded."""
    return lookup([number]).get(number)


def in_force() -> set[str]:
    """The lists of which a register is loaded."""
    return set(TpsRegister.objects.filter(current=True).values_list("listing", flat=True))


def tables(lists: set[str]) -> list[tuple[str, int]]:
    """The tables to look into, with the listing that a number found there has."""
    found = []
    if lists & {RegisterList.TPS, RegisterList.BOTH}:
        combined = RegisterList.BOTH in lists
        found.append(("tps_number", int(TpsListing.BOTH if combined else TpsListing.TPS)))
    if RegisterList.CTPS in lists:
        found.append(("ctps_number", int(TpsListing.CTPS)))
    return found


def _listed(keys: Sequence[int], lists: set[str]) -> dict[int, int]:
    listed: dict[int, int] = {}
    with connection.cursor() as cursor:
        for table, listing in tables(lists):
            cursor.execute(
                f"SELECT n FROM {table} WHERE n = ANY(%s)",  # noqa: S608 - our own table names
                [list(keys)],
            )
            for (key,) in cursor.fetchall():
                listed[key] = listed.get(key, 0) | listing
    return listed


def refresh_patients(*, actor: Actor) -> int:
    """Bring every patient's flag in line with the registers; how many changed. Safe to run at any
    time.

    One statement that writes changed rows only, then one journal entry per practice, in numbers.
    """
    moment = clock.now()
    with transaction.atomic():
        registers = list(TpsRegister.objects.select_for_update().filter(current=True))
        found = tables({register.listing for register in registers})
        with connection.cursor() as cursor:
            cursor.execute(_refresh_sql(found))
            changed: dict[UUID, dict[str, int]] = {}
            for practice_id, listing, count in cursor.fetchall():
                name = "unknown" if listing is None else TpsListing(listing).name.lower()
                changed.setdefault(practice_id, {})[name] = count
        journal.record_many(
            journal.entry(practice=practice_id, action="tps.refreshed", actor=actor, facts=counts)
            for practice_id, counts in changed.items()
        )
        TpsRegister.objects.filter(
            pk__in=[register.pk for register in registers], applied_at=None
        ).update(applied_at=moment)
    return sum(sum(counts.values()) for counts in changed.values())


def _refresh_sql(found: Sequence[tuple[str, int]]) -> str:
    """Set the flag of the patients whose flag is wrong, and count them by practice and new flag.

    Without a register for the TPS list every flag becomes unknown.
    """
    screened = any(table == "tps_number" for table, _ in found)
    flag = " | ".join(f"(CASE WHEN {t}.n IS NULL THEN 0 ELSE {bit} END)" for t, bit in found)
    joins = " ".join(
        f"LEFT JOIN {t} ON {t}.n = substr(NULLIF(p.phone_number, ''), 2)::bigint" for t, _ in found
    )
    wanted = f"CASE WHEN p.phone_number = '' THEN NULL ELSE {flag} END" if screened else "NULL"
    return f"""
        WITH wanted AS (
            SELECT p.id, ({wanted})::smallint AS listing FROM patients_patient p {joins}
            WHERE p.phone_number = '' OR p.phone_number ~ '^[+][0-9]+$'
        ), changed AS (
            UPDATE patients_patient SET tps_listing = wanted.listing
            FROM wanted
            WHERE wanted.id = patients_patient.id
              AND patients_patient.tps_listing IS DISTINCT FROM wanted.listing
            RETURNING patients_patient.practice_id, wanted.listing
        )
        SELECT practice_id, listing, count(*) FROM changed
        GROUP BY practice_id, listing ORDER BY practice_id, listing
    """  # noqa: S608 - our own table names and numbers
