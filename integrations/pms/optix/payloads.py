"""What Optix says, in our words, and ours in its. README.md has the wire format. Pure."""

from collections.abc import Mapping
from typing import Any

from integrations.pms import fields
from integrations.pms.connector import (
    Entry,
    RemoteAppointment,
    RemoteDiary,
    RemotePatient,
    RemoteStatus,
    Standing,
    Stretch,
)
from integrations.pms.fields import UnreadableError

FIELD_MAP: Mapping[str, str] = {
    "first_name": "firstName",
    "last_name": "lastName",
    "title": "title",
    "date_of_birth": "dateOfBirth",
    "phone_number": "mobile, telephone",
    "email": "email",
    "nhs_number": "nhsNumber",
    "last_eye_test_date": "lastSightTest",
    "pms_recall_date": "recallDate",
    "risk_category": "recallType",
}
_PREFERENCES = {"phone": "voice", "sms": "sms", "whatsapp": "whatsapp", "email": "email"}
_STATUSES = {
    "booked": RemoteStatus.BOOKED,
    "arrived": RemoteStatus.BOOKED,
    "cancelled": RemoteStatus.CANCELLED,
    "completed": RemoteStatus.ATTENDED,
    "dna": RemoteStatus.NO_SHOW,
}


def patient(record: Mapping[str, Any], key: str, field_map: Mapping[str, str]) -> RemotePatient:
    """Raises UnreadableError."""
    status = record.get("status", "active")
    if not isinstance(status, str):
        raise UnreadableError
    return RemotePatient(
        external_id=key,
        values=fields.values(record, field_map, lambda raw: raw[:10]),
        opt_outs=_opt_outs(record.get("contactPreferences")),
        deceased=status.lower() == "deceased",
        archived=status.lower() == "archived",
    )


def _opt_outs(preferences: Any) -> frozenset[str]:
    """The channels that somebody said no to. A preference nobody gave is not a no."""
    if preferences is None:
        return frozenset()
    if not isinstance(preferences, Mapping):
        raise UnreadableError
    if preferences.get("doNotContact") is True:
        return frozenset({"all"})
    return frozenset(
        channel for name, channel in _PREFERENCES.items() if preferences.get(name) is False
    )


def appointment(record: Mapping[str, Any]) -> RemoteAppointment:
    """Raises UnreadableError."""
    status = _STATUSES.get(str(record.get("status", "")).lower())
    if status is None:
        raise UnreadableError
    starts_at, ends_at = (fields.instant(record.get(name)) for name in ("startsAt", "endsAt"))
    if ends_at <= starts_at:
        raise UnreadableError
    return RemoteAppointment(
        external_id=fields.ident(record.get("id")),
        starts_at=starts_at,
        ends_at=ends_at,
        status=status,
        patient_id=fields.text(record.get("patientId"))[: fields.LONGEST_ID],
        phone=fields.text(record.get("contactNumber")),
        diary_id=fields.text(record.get("diaryId")),
        reference=fields.text(record.get("externalReference")),
    )


def diary(record: Mapping[str, Any]) -> RemoteDiary:
    """Raises UnreadableError."""
    key = fields.ident(record.get("id"))
    return RemoteDiary(external_id=key, name=fields.text(record.get("name")) or key)


def slot(record: Mapping[str, Any]) -> Stretch:
    """Raises UnreadableError."""
    return Stretch(
        starts_at=fields.instant(record.get("startsAt")),
        ends_at=fields.instant(record.get("endsAt")),
        diary_id=fields.text(record.get("diaryId")),
    )


def standing(record: Any) -> Standing:
    """Raises UnreadableError."""
    if not isinstance(record, Mapping):
        raise UnreadableError
    return Standing(
        external_id=fields.ident(record.get("id")),
        version=fields.text(record.get("updatedAt")),
        starts_at=fields.instant(record.get("startsAt")),
    )


def times(entry: Entry) -> dict[str, Any]:
    """When and where."""
    found: dict[str, Any] = {
        "startsAt": entry.starts_at.isoformat(),
        "endsAt": entry.ends_at.isoformat(),
    }
    return {**found, "diaryId": entry.diary_id} if entry.diary_id else found


def booking(entry: Entry) -> dict[str, Any]:
    """A whole booking. A patient that Optix does not know is given by name and number."""
    found = {**times(entry), "externalReference": entry.reference, "type": "sight_test"}
    if entry.patient_id:
        return {**found, "patientId": entry.patient_id}
    return {
        **found,
        "patient": {
            "firstName": entry.first_name,
            "lastName": entry.last_name,
            "mobile": entry.phone,
            "email": entry.email,
        },
    }
