"""What Optisoft says, in our words, and ours in its. README.md has the wire format. Pure."""

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
from integrations.pms.system import length

FIELD_MAP: Mapping[str, str] = {
    "first_name": "first_names",
    "last_name": "surname",
    "title": "title",
    "date_of_birth": "birth_date",
    "phone_number": "tel.mobile, tel.home, tel.work",
    "email": "e_mail",
    "nhs_number": "nhs",
    "last_eye_test_date": "last_exam",
    "pms_recall_date": "next_due",
    "risk_category": "recall_group",
}
DAY = "%d-%b-%Y"
_FLAGS = {
    "NO_CONTACT": "all",
    "NO_PHONE": "voice",
    "NO_SMS": "sms",
    "NO_WHATSAPP": "whatsapp",
    "NO_EMAIL": "email",
}
_STATES = (
    RemoteStatus.BOOKED,
    RemoteStatus.CANCELLED,
    RemoteStatus.ATTENDED,
    RemoteStatus.NO_SHOW,
)


def patient(record: Mapping[str, Any], key: str, field_map: Mapping[str, str]) -> RemotePatient:
    """Raises UnreadableError."""
    flags = record.get("flags", [])
    if not isinstance(flags, list):
        raise UnreadableError
    set_here = {fields.text(flag).upper() for flag in flags}
    opt_outs = frozenset(channel for flag, channel in _FLAGS.items() if flag in set_here)
    return RemotePatient(
        external_id=key,
        values=fields.values(record, field_map, lambda raw: fields.spelt(raw, DAY)),
        opt_outs=frozenset({"all"}) if "all" in opt_outs else opt_outs,
        deceased="DECEASED" in set_here,
        archived="ARCHIVED" in set_here,
    )


def appointment(record: Mapping[str, Any]) -> RemoteAppointment:
    """Raises UnreadableError."""
    state, px_no = record.get("state"), record.get("px_no")
    if isinstance(state, bool) or not isinstance(state, int) or not 0 <= state < len(_STATES):
        raise UnreadableError
    starts_at = fields.epoch(record.get("start"))
    return RemoteAppointment(
        external_id=fields.ident(record.get("appt")),
        starts_at=starts_at,
        ends_at=starts_at + fields.minutes(record.get("mins")),
        status=_STATES[state],
        patient_id=fields.ident(px_no) if px_no else "",
        phone=fields.text(record.get("tel")),
        diary_id=fields.text(record.get("room")),
        reference=fields.text(record.get("ref")),
    )


def diary(record: Mapping[str, Any]) -> RemoteDiary:
    """Raises UnreadableError."""
    key = fields.ident(record.get("room"))
    return RemoteDiary(external_id=key, name=fields.text(record.get("label")) or key)


def slot(record: Mapping[str, Any]) -> Stretch:
    """Raises UnreadableError."""
    starts_at = fields.epoch(record.get("start"))
    return Stretch(
        starts_at=starts_at,
        ends_at=starts_at + fields.minutes(record.get("mins")),
        diary_id=fields.text(record.get("room")),
    )


def standing(record: Any) -> Standing:
    """Raises UnreadableError."""
    if not isinstance(record, Mapping):
        raise UnreadableError
    return Standing(
        external_id=fields.ident(record.get("appt")),
        version=fields.text(record.get("rev")),
        starts_at=fields.epoch(record.get("start")),
    )


def booking(entry: Entry) -> dict[str, Any]:
    """What stands under our reference from now on. A patient that Optisoft does not know is given
    by name and number.
    """
    found: dict[str, Any] = {
        "start": int(entry.starts_at.timestamp()),
        "mins": length(entry.starts_at, entry.ends_at),
        "kind": "EXAM",
    }
    if entry.diary_id:
        found["room"] = entry.diary_id
    if entry.patient_id:
        return {**found, "px_no": entry.patient_id}
    return {
        **found,
        "walk_in": {
            "first_names": entry.first_name,
            "surname": entry.last_name,
            "tel": entry.phone,
            "e_mail": entry.email,
        },
    }
