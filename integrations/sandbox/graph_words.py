"""How Graph writes times and things, and reads what it is sent. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from integrations.sandbox.graph_memory import Booking, Business, RefusedError, Service, Staff

_WINDOWS = {"GMT Standard Time": "Europe/London", "UTC": "UTC", "tzone://Microsoft/Utc": "UTC"}
_TIME = "#microsoft.graph.dateTimeTimeZone"


def moment(at: datetime) -> dict[str, str]:
    """Graph answers in UTC with seven digits of a second."""
    text = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.0000000Z")
    return {"@odata.type": _TIME, "dateTime": text, "timeZone": "UTC"}


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_moment(given: Any) -> datetime:
    """Raises RefusedError."""
    try:
        text = str(given["dateTime"]).replace("Z", "+00:00")
        zone = ZoneInfo(_WINDOWS.get(given["timeZone"], given["timeZone"]))
        at = datetime.fromisoformat(text)
    except (KeyError, TypeError, ValueError, ZoneInfoNotFoundError) as error:
        raise RefusedError(400, "BadRequest", "Cannot read a date and time.") from error
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def read_instant(text: str) -> datetime:
    """Of a query. Raises RefusedError."""
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00").replace(" ", "+"))
    except ValueError as error:
        raise RefusedError(400, "BadRequest", "Cannot read start or end.") from error
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def length(minutes: int) -> str:
    return str(f"PT{minutes}M") if minutes else "PT0S"


def business(row: Business) -> dict[str, Any]:
    return {"id": row.id, "displayName": row.name}


def service(row: Service) -> dict[str, Any]:
    return {
        "id": row.id,
        "displayName": row.name,
        "defaultDuration": length(row.minutes),
        "maximumAttendeesCount": row.places,
        "preBuffer": "PT0S",
        "postBuffer": length(row.buffer_minutes),
        "isHiddenFromCustomers": False,
    }


def staff(row: Staff) -> dict[str, Any]:
    return {
        "@odata.type": "#microsoft.graph.bookingStaffMember",
        "id": row.id,
        "displayName": row.name,
        "emailAddress": row.email,
        "role": "guest",
        "timeZone": "Europe/London",
        "useBusinessHours": True,
    }


def booking(row: Booking, *, alone: bool = False) -> dict[str, Any]:
    """`alone`: read by its id, which is the only way to see the staff's notes."""
    return {
        "id": row.id,
        "selfServiceAppointmentId": "00000000-0000-0000-0000-000000000000",
        "additionalInformation": row.information,
        "isLocationOnline": False,
        "customerTimeZone": "Europe/London",
        "serviceId": row.service.id,
        "serviceName": row.service.name,
        "duration": length(int((row.ends_at - row.starts_at) / timedelta(minutes=1))),
        "preBuffer": "PT0S",
        "postBuffer": length(row.service.buffer_minutes),
        "priceType": "notSet",
        "price": 0,
        "serviceNotes": row.notes if alone else None,
        "optOutOfCustomerEmail": row.quiet,
        "smsNotificationsEnabled": row.texts,
        "staffMemberIds": row.staff_ids,
        "maximumAttendeesCount": row.service.places,
        "filledAttendeesCount": len(row.customers),
        "createdDateTime": stamp(row.created_at),
        "lastUpdatedDateTime": stamp(row.updated_at),
        "startDateTime": moment(row.starts_at),
        "endDateTime": moment(row.ends_at),
        "customers": row.customers,
    }
