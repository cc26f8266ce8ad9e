"""What the rules look at: one patient's facts, one practice's policy, and the short signature that
stands for all facts of a patient that are yes or no.

Pure values. How they are read from the database is `gather`'s; what they mean is `rules`'.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from recall.calling_hours import CALLS, Window
from recall.models import Channel

# Contract, "What counts as a call": an attempt that was submitted, answered or not.
SPACING = timedelta(hours=24)
CAP_CALLS = 3
CAP_WINDOW = timedelta(days=30)

# PECR regulation 21(3): a number listed for less than 28 days may still be rung, so a register
# state may be relied on for 28 days and not a day longer.
REGISTER_DAYS = 28


@dataclass(frozen=True, slots=True)
class Facts:
    """One patient as the rules see them. The defaults are a patient whom nothing keeps from.

    `phone_kind` is blank without a number. `tps_listing` is a bit for each register, None when the
    number has not been screened against the register in force. `last_call_at` and
    `third_last_call_at` are the latest such calls to the patient or to their number.
    """

    archived: bool = False
    deceased: bool = False
    erased: bool = False
    opted_out: bool = False
    opted_out_of: frozenset[str] = frozenset()
    suppressed_on: frozenset[str] = frozenset()
    phone_kind: str = "mobile"
    phone_is_drama: bool = False
    phone_is_wrong: bool = False
    has_email: bool = True
    email_bounced: bool = False
    tps_listing: int | None = 0
    appointment_at: datetime | None = None
    call_under_way: bool = False
    last_call_at: datetime | None = None
    third_last_call_at: datetime | None = None
    not_before: datetime | None = None
    due_on: date = date.min


@dataclass(frozen=True, slots=True)
class Policy:
    """One practice's side of the question, read once for any number of patients.

    `require_due` is set for campaigns. A single recall that a person or the API asks for by name
    does not require it: seeing a patient early can be a clinician's wish.
    """

    subscription_status: str = "active"
    contact_stopped: bool = False
    live: bool = False
    nation: str = "ENG"
    window: Window = CALLS
    bank_holidays_closed: bool = True
    closures: frozenset[date] = frozenset()
    channels_on: frozenset[Channel] = frozenset(Channel)
    calls_limit: int = 300
    calls_used: int = 0
    quota_resets_at: datetime | None = None
    register_date: date | None = None
    register_being_applied: bool = False
    require_due: bool = False


PHONE_KINDS = ("", "mobile", "fixed_line", "voip", "uan", "toll_free")
_UNKNOWN_KIND = 7
_UNSCREENED = 4
_ANY_CALL = timedelta(microseconds=1)

# The signature's bits, lowest first. `gather` writes them in SQL by these names and widths.
SIGNATURE: Mapping[str, int] = MappingProxyType(
    {
        "phone_kind": 3,
        "tps_listing": 3,
        "phone_is_drama": 1,
        "has_email": 1,
        "due": 1,
        "appointment_ahead": 1,
        "call_under_way": 1,
        "called_in_24_hours": 1,
        "called_3_times_in_30_days": 1,
        "asked_for_later": 1,
        "archived": 1,
        "deceased": 1,
        "erased": 1,
        "opted_out": 1,
        "phone_is_wrong": 1,
        "email_bounced": 1,
        "opted_out_of": 4,
        "suppressed_on": 4,
    }
)
CHANNEL_BITS: Mapping[str, int] = MappingProxyType(
    {channel.value: 1 << place for place, channel in enumerate(Channel)}
)


@lru_cache(maxsize=1)
def offsets() -> Mapping[str, int]:
    """Where each part of the signature begins."""
    found, at = {}, 0
    for name, width in SIGNATURE.items():
        found[name] = at
        at += width
    return found


def signature(facts: Facts, now: datetime, today: date) -> int:
    """The facts as bits. Times become whether they still count at `now`; `gather` agrees."""
    kinds = PHONE_KINDS
    parts = {
        "phone_kind": kinds.index(facts.phone_kind) if facts.phone_kind in kinds else _UNKNOWN_KIND,
        "tps_listing": _UNSCREENED if facts.tps_listing is None else facts.tps_listing,
        "due": facts.due_on <= today,
        "appointment_ahead": _later(facts.appointment_at, now),
        "called_in_24_hours": _later(facts.last_call_at, now - SPACING),
        "called_3_times_in_30_days": _later(facts.third_last_call_at, now - CAP_WINDOW),
        "asked_for_later": _later(facts.not_before, now),
        "opted_out_of": sum(CHANNEL_BITS[channel] for channel in facts.opted_out_of),
        "suppressed_on": sum(CHANNEL_BITS[channel] for channel in facts.suppressed_on),
    }
    places = offsets()
    return sum(
        int(parts[name] if name in parts else getattr(facts, name)) << places[name]
        for name in SIGNATURE
    )


def _later(moment: datetime | None, than: datetime) -> bool:
    return moment is not None and moment > than


@lru_cache(maxsize=4096)
def standing_for(bits: int, now: datetime, today: date) -> Facts:
    """Facts that every rule judges, at `now`, as it does those of any patient with this signature.

    The times are stand-ins that just count: only whether rules pass may be read from the answer.
    """
    part = {
        name: (bits >> offsets()[name]) & ((1 << width) - 1) for name, width in SIGNATURE.items()
    }
    kind, listing = part["phone_kind"], part["tps_listing"]
    return Facts(
        archived=bool(part["archived"]),
        deceased=bool(part["deceased"]),
        erased=bool(part["erased"]),
        opted_out=bool(part["opted_out"]),
        opted_out_of=_channels(part["opted_out_of"]),
        suppressed_on=_channels(part["suppressed_on"]),
        phone_kind=PHONE_KINDS[kind] if kind < len(PHONE_KINDS) else "unknown",
        phone_is_drama=bool(part["phone_is_drama"]),
        phone_is_wrong=bool(part["phone_is_wrong"]),
        has_email=bool(part["has_email"]),
        email_bounced=bool(part["email_bounced"]),
        tps_listing=None if listing == _UNSCREENED else listing,
        appointment_at=now + _ANY_CALL if part["appointment_ahead"] else None,
        call_under_way=bool(part["call_under_way"]),
        last_call_at=now - SPACING + _ANY_CALL if part["called_in_24_hours"] else None,
        third_last_call_at=(
            now - CAP_WINDOW + _ANY_CALL if part["called_3_times_in_30_days"] else None
        ),
        not_before=now + _ANY_CALL if part["asked_for_later"] else None,
        due_on=today if part["due"] else today + timedelta(days=1),
    )


def _channels(bits: int) -> frozenset[str]:
    return frozenset(channel for channel, bit in CHANNEL_BITS.items() if bits & bit)


class Row(NamedTuple):
    """One patient of a list: the signature, and the times that tell when rules will pass."""

    patient_id: UUID
    bits: int
    appointment_at: datetime | None
    last_call_at: datetime | None
    third_last_call_at: datetime | None
    not_before: datetime | None
    due_on: date


def facts_of(row: Row, now: datetime, today: date) -> Facts:
    """The full facts of a row of a list, times included."""
    return replace(
        standing_for(row.bits, now, today),
        appointment_at=row.appointment_at,
        last_call_at=row.last_call_at,
        third_last_call_at=row.third_last_call_at,
        not_before=row.not_before,
        due_on=row.due_on,
    )
