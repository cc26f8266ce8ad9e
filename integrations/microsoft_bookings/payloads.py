"""What Graph says of Bookings, read; and what we say, written. Pure: no network, no rows, no clock.

Facts: https://learn.microsoft.com/graph/api/resources/bookingappointment. Its examples have both
`startDateTime` and `start`, and `staffAvailabilityItem` as well as `value`: both are read.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from integrations.pms.connector import Entry, RemoteAppointment, Standing, Stretch

_REFERENCE = re.compile(r"\bapt_[0-9A-Za-z]{26}\b")
_FRACTION = re.compile(r"\.(\d{1,6})\d*")
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d+)?S)?)?")
_WINDOWS_ZONES = {"GMT Standard Time": "Europe/London"}
_TIME = "#microsoft.graph.dateTimeTimeZone"
_CUSTOMER = "#microsoft.graph.bookingCustomerInformation"
_NOT_FREE = frozenset({"busy", "outofoffice"})
_FREE = frozenset({"available", "slotsavailable"})

REASONS = (
    ("staff", "staff_refused"),
    ("business hours", "outside_hours"),
    ("lead time", "too_late_there"),
    ("duration", "wrong_length"),
    ("service", "service_refused"),
    ("customer", "customer_refused"),
)
"""Words in a refusal, and the code of ours they stand for. Only "Invalid Staff" is known from
Microsoft's own threads; the rest is read where it can be and is otherwise plainly `refused`.
"""


class Unreadable(ValueError):
    """Not what Graph is documented to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Business:
    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Something that can be booked. With more than one place it needs customers that exist already
    in Bookings: not what a recall books.
    """

    id: str
    name: str
    minutes: int
    places: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMember:
    id: str
    name: str


# --- reading ------------------------------------------------------------------------------------


def business(row: Any) -> Business:
    return Business(id=_text(row, "id"), name=_name(row))


def service(row: Any) -> Service:
    places = row.get("maximumAttendeesCount")
    return Service(
        id=_text(row, "id"),
        name=_name(row),
        minutes=int(duration(row.get("defaultDuration")) / timedelta(minutes=1)),
        places=places if isinstance(places, int) and places > 0 else 1,
    )


def staff_member(row: Any) -> StaffMember:
    return StaffMember(id=_text(row, "id"), name=_name(row))


def appointment(row: Any) -> RemoteAppointment:
    """Raises Unreadable."""
    start, end = times(row)
    customer = _customer(row)
    return RemoteAppointment(
        external_id=_text(row, "id"),
        starts_at=start,
        ends_at=end,
        phone=_words(customer.get("phone")) or _words(row.get("customerPhone")),
        email=_words(customer.get("emailAddress")) or _words(row.get("customerEmailAddress")),
        diary_id=next(iter(staff_ids(row)), ""),
        reference=reference(row),
    )


def times(row: Any) -> tuple[datetime, datetime]:
    if not isinstance(row, dict):
        raise Unreadable("no appointment")
    start = moment(row.get("startDateTime") or row.get("start"))
    end = moment(row.get("endDateTime") or row.get("end"))
    if end <= start:
        raise Unreadable("ends before it starts")
    return start, end


def taken(row: Any) -> tuple[datetime, datetime]:
    """From when to when its staff cannot be booked: with what is kept free around it."""
    start, end = times(row)
    return start - _buffer(row, "preBuffer"), end + _buffer(row, "postBuffer")


def staff_ids(row: Mapping[str, Any]) -> list[str]:
    found = row.get("staffMemberIds")
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def reference(row: Mapping[str, Any]) -> str:
    """Our appointment's id where we wrote it; the staff's notes are only there when it was read by
    its own id.
    """
    for key in ("additionalInformation", "serviceNotes"):
        found = _REFERENCE.search(_words(row.get(key)))
        if found:
            return found[0]
    return ""


def standing(row: Any) -> Standing:
    start, _ = times(row)
    return Standing(external_id=_text(row, "id"), starts_at=start)


def digest(found: RemoteAppointment) -> bytes:
    """Of all that matters to us, to tell whether it changed."""
    parts = [
        found.starts_at.isoformat(),
        found.ends_at.isoformat(),
        found.phone,
        found.email,
        found.diary_id,
        found.reference,
    ]
    return blake2b("\x1f".join(parts).encode(), digest_size=16).digest()


def moment(given: Any) -> datetime:
    """`{"dateTime", "timeZone"}` with seven digits of a second, with or without an offset."""
    if not isinstance(given, dict):
        raise Unreadable("no time")
    text = _FRACTION.sub(r".\1", str(given.get("dateTime", "")).replace("Z", "+00:00"))
    zone = str(given.get("timeZone") or "UTC")
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            found = found.replace(tzinfo=ZoneInfo(_WINDOWS_ZONES.get(zone, zone)))
        return found.astimezone(UTC)
    except (ValueError, OverflowError, ZoneInfoNotFoundError) as error:
        raise Unreadable("no time") from error


def duration(text: Any) -> timedelta:
    """ISO 8601, days and less."""
    found = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise Unreadable("no duration")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def availability(body: Any, *, free: bool) -> Iterator[Stretch]:
    """When each of the staff can be booked, or cannot."""
    wanted = _FREE if free else _NOT_FREE
    found = body if isinstance(body, dict) else {}
    for person in _list(found.get("staffAvailabilityItem", found.get("value"))):
        key = _text(person, "staffId")
        for item in _list(person.get("availabilityItems")):
            if str(item.get("status", "")).lower() in wanted:
                start, end = moment(item.get("startDateTime")), moment(item.get("endDateTime"))
                if start < end:
                    yield Stretch(starts_at=start, ends_at=end, diary_id=key)


def without(stretches: Iterable[Stretch], holes: Iterable[Stretch]) -> Iterator[Stretch]:
    """What is left of stretches when the holes of the same diary are cut out."""
    cuts = sorted(holes, key=lambda hole: hole.starts_at)
    for stretch in stretches:
        at = stretch.starts_at
        for hole in cuts:
            if hole.diary_id != stretch.diary_id or hole.ends_at <= at:
                continue
            if hole.starts_at >= stretch.ends_at:
                break
            if hole.starts_at > at:
                yield Stretch(starts_at=at, ends_at=hole.starts_at, diary_id=stretch.diary_id)
            at = max(at, hole.ends_at)
        if at < stretch.ends_at:
            yield Stretch(starts_at=at, ends_at=stretch.ends_at, diary_id=stretch.diary_id)


def slices(stretch: Stretch, minutes: int) -> Iterator[Stretch]:
    """The stretch in pieces of one appointment each."""
    step = timedelta(minutes=minutes)
    at = stretch.starts_at
    while at + step <= stretch.ends_at:
        yield Stretch(starts_at=at, ends_at=at + step, diary_id=stretch.diary_id)
        at += step


def reason(body: Mapping[str, Any]) -> str:
    """The code of a refusal. Microsoft's own words are not kept: they may be about a person."""
    error = body.get("error")
    words = str(error.get("message", "")).lower() if isinstance(error, dict) else ""
    return next((code for part, code in REASONS if part in words), "refused")


# --- writing ------------------------------------------------------------------------------------


def booking(entry: Entry, *, service_id: str) -> dict[str, Any]:
    """A new appointment. The patient hears from us: Bookings is told not to write to them, and to
    remind nobody. Nothing clinical is in it.
    """
    name = f"{entry.first_name} {entry.last_name}".strip()
    return {
        "@odata.type": "#microsoft.graph.bookingAppointment",
        "serviceId": service_id,
        **placement(entry),
        "customers": [
            {
                "@odata.type": _CUSTOMER,
                "name": name,
                "emailAddress": entry.email or None,
                "phone": entry.phone or None,
                "timeZone": "Europe/London",
            }
        ],
        "customerTimeZone": "Europe/London",
        "isLocationOnline": False,
        "reminders": [],
        "serviceNotes": notes(entry),
        "additionalInformation": f"Reference {entry.reference}",
    }


def placement(entry: Entry) -> dict[str, Any]:
    """When, with whom, and in silence: what a move changes."""
    return {
        "startDateTime": _moment(entry.starts_at),
        "endDateTime": _moment(entry.ends_at),
        "staffMemberIds": [entry.diary_id],
        "optOutOfCustomerEmail": True,
        "smsNotificationsEnabled": False,
    }


def notes(entry: Entry) -> str:
    how = "Booked by AI recall call" if entry.booked_by_call else "Booked"
    return f"{how} through SightSync. Reference {entry.reference}"


def window(start: datetime, end: datetime) -> dict[str, str]:
    """Of a calendar view; Graph reads a plus sign in an address as a space, so UTC with Z."""
    return {"start": _z(start), "end": _z(end)}


def availability_wish(staff: Iterable[str], start: datetime, end: datetime) -> dict[str, Any]:
    return {
        "staffIds": list(staff),
        "startDateTime": _moment(start),
        "endDateTime": _moment(end),
    }


def _moment(at: datetime) -> dict[str, str]:
    return {"@odata.type": _TIME, "dateTime": _z(at), "timeZone": "UTC"}


def _z(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# --- inside -------------------------------------------------------------------------------------


def _text(row: Any, key: str) -> str:
    found = row.get(key) if isinstance(row, dict) else None
    if not isinstance(found, str) or not found or len(found) > 255:
        raise Unreadable(key)
    return found


def _name(row: Any) -> str:
    return (_words(row.get("displayName")) or _text(row, "id"))[:120]


def _words(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _list(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise Unreadable("no list")
    return value


def _customer(row: Mapping[str, Any]) -> Mapping[str, Any]:
    found = row.get("customers")
    first = found[0] if isinstance(found, list) and found else {}
    return first if isinstance(first, dict) else {}


def _buffer(row: Mapping[str, Any], key: str) -> timedelta:
    value = row.get(key)
    return duration(value) if value else timedelta()
