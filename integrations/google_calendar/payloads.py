"""Our appointments in Google's words, and Google's events in ours. Pure."""

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from integrations.pms.connector import Entry
from sightsync.lib import clock, crypto

REFERENCE, PRACTICE, START = "sightsync", "sightsync_practice", "sightsync_start"
"""Our keys among an event's private properties, which only programs see."""
GENERATIONS = 3
"""How many ids an appointment may use: an event that was deleted for good keeps its id taken."""


def event_id(reference: str, generation: int = 0) -> str:
    """The same for every write of an appointment, so that writing twice makes one event.

    Google allows a to v and 0 to 9, which is base32hex in lower case.
    """
    text = f"{reference}/{generation}" if generation else reference
    digest = hashlib.sha256(text.encode()).digest()
    return base64.b32hexencode(digest).decode().rstrip("=").lower()


def title(entry: Entry, how: str) -> str:
    """The patient's name, or their initials. A record without a name is just an appointment."""
    names = [name.strip() for name in (entry.first_name, entry.last_name) if name.strip()]
    if how == "initials":
        return " ".join(f"{name[0].upper()}." for name in names) or "Appointment"
    return " ".join(names) or "Appointment"


def description(entry: Entry, *, with_risk: bool, page_url: str) -> str:
    lines = ["Booked by AI recall call." if entry.booked_by_call else "Booked with SightSync."]
    if with_risk and entry.risk:
        lines.append(f"Risk category: {entry.risk.replace('_', ' ').capitalize()}")
    lines.append(f"Move or cancel it in SightSync: {page_url}")
    return "\n".join(lines)


def times(entry: Entry, practice_id: str) -> dict[str, Any]:
    """What a move changes; title and description stay as the staff have left them."""
    return {
        "start": _side(entry.starts_at),
        "end": _side(entry.ends_at),
        "status": "confirmed",
        "extendedProperties": {
            "private": {
                REFERENCE: entry.reference,
                PRACTICE: practice_id,
                START: clock.london(entry.starts_at).isoformat(),
            }
        },
    }


def event(
    entry: Entry, *, practice_id: str, settings: Mapping[str, Any], page_url: str
) -> dict[str, Any]:
    """The whole event, without its id."""
    return {
        **times(entry, practice_id),
        "summary": title(entry, str(settings.get("title", "name"))),
        "description": description(
            entry, with_risk=bool(settings.get("risk_in_description")), page_url=page_url
        ),
        "transparency": "opaque",
    }


def test_event(starts_at: datetime) -> dict[str, Any]:
    return {
        "id": event_id(crypto.random_token()),
        "summary": "Test from SightSync",
        "description": "Bookings reach this calendar. Delete this whenever you like.",
        "start": _side(starts_at),
        "end": _side(starts_at + timedelta(minutes=15)),
        "transparency": "transparent",
    }


def _side(moment: datetime) -> dict[str, str]:
    return {"dateTime": clock.london(moment).isoformat(), "timeZone": "Europe/London"}


def moment(side: Mapping[str, Any]) -> datetime:
    """A side of an event as an instant; of an all-day event the London midnight of its date.

    Raises ValueError or KeyError.
    """
    if "date" in side:
        day = datetime.fromisoformat(str(side["date"]))
        return clock.at_london(day.date(), day.time())
    found = datetime.fromisoformat(str(side["dateTime"]))
    return found if found.tzinfo else clock.at_london(found.date(), found.time())


def private(event: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = event.get("extendedProperties", {}).get("private", {})
    return found


def is_cancelled(event: Mapping[str, Any]) -> bool:
    return bool(event.get("status") == "cancelled")


def is_where_we_put_it(event: Mapping[str, Any], practice_id: str) -> bool:
    """Whether the event is an appointment of this practice, at the time at which we wrote it."""
    ours = private(event)
    if ours.get(PRACTICE) != practice_id or not ours.get(REFERENCE):
        return False
    try:
        return datetime.fromisoformat(str(ours[START])) == moment(event["start"])
    except (KeyError, ValueError):
        return False


def keeps_busy(event: Mapping[str, Any]) -> bool:
    """Whether the event blocks its time: not one shown as free, turned down, or only a place."""
    turned_down = any(
        guest.get("self") and guest.get("responseStatus") == "declined"
        for guest in event.get("attendees", [])
    )
    return not (
        is_cancelled(event)
        or turned_down
        or event.get("transparency") == "transparent"
        or event.get("eventType") == "workingLocation"
    )
