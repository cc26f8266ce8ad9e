"""What Acuitas says, in our words, and ours in its. README.md has the wire format. Pure."""

from collections.abc import Mapping
from datetime import datetime
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
from integrations.pms.fields import LONDON, UnreadableError
from integrations.pms.system import length

FIELD_MAP: Mapping[str, str] = {
    "first_name": "Forename",
    "last_name": "Surname",
    "title": "Salutation",
    "date_of_birth": "DOB",
    "phone_number": "MobileTel, HomeTel, WorkTel",
    "email": "Email",
    "nhs_number": "NHSNo",
    "last_eye_test_date": "LastExam",
    "pms_recall_date": "NextRecall",
    "risk_category": "RecallCategory",
}
DAY, TIME = "%d/%m/%Y", "%H:%M"
MOMENT = "%d/%m/%Y %H:%M:%S"
_CONSENTS = {"TelOk": "voice", "SmsOk": "sms", "WhatsAppOk": "whatsapp", "EmailOk": "email"}
_STATUSES = {
    "B": RemoteStatus.BOOKED,
    "X": RemoteStatus.CANCELLED,
    "C": RemoteStatus.ATTENDED,
    "N": RemoteStatus.NO_SHOW,
}


def patient(record: Mapping[str, Any], key: str, field_map: Mapping[str, str]) -> RemotePatient:
    """Raises UnreadableError."""
    if _marked(record, "NoContact"):
        opt_outs = frozenset({"all"})
    else:
        opt_outs = frozenset(
            channel for name, channel in _CONSENTS.items() if _mark(record, name) == "N"
        )
    return RemotePatient(
        external_id=key,
        values=fields.values(record, field_map, lambda raw: fields.spelt(raw, DAY)),
        opt_outs=opt_outs,
        deceased=_marked(record, "Deceased"),
        archived=_marked(record, "Archived"),
    )


def _mark(record: Mapping[str, Any], name: str) -> str:
    return fields.text(record.get(name)).upper()[:1]


def _marked(record: Mapping[str, Any], name: str) -> bool:
    return _mark(record, name) == "Y"


def appointment(record: Mapping[str, Any]) -> RemoteAppointment:
    """Raises UnreadableError."""
    status = _STATUSES.get(_mark(record, "Status"))
    if status is None:
        raise UnreadableError
    starts_at = _starts(record)
    patient_no = record.get("PatientNo")
    return RemoteAppointment(
        external_id=fields.ident(record.get("AppointmentNo")),
        starts_at=starts_at,
        ends_at=starts_at + fields.minutes(record.get("Mins")),
        status=status,
        patient_id=fields.ident(patient_no) if patient_no else "",
        phone=fields.text(record.get("ContactTel")),
        diary_id=fields.text(record.get("Clinic")),
        reference=fields.text(record.get("WebRef")),
    )


def _starts(record: Mapping[str, Any]) -> datetime:
    day, time = fields.text(record.get("Date")), fields.text(record.get("Time"))
    return fields.wall(f"{day} {time}", f"{DAY} {TIME}")


def diary(record: Mapping[str, Any]) -> RemoteDiary:
    """Raises UnreadableError."""
    key = fields.ident(record.get("Code"))
    return RemoteDiary(external_id=key, name=fields.text(record.get("Description")) or key)


def slot(record: Mapping[str, Any]) -> Stretch:
    """Raises UnreadableError."""
    starts_at = _starts(record)
    return Stretch(
        starts_at=starts_at,
        ends_at=starts_at + fields.minutes(record.get("Mins")),
        diary_id=fields.text(record.get("Clinic")),
    )


def standing(record: Any) -> Standing:
    """Raises UnreadableError."""
    if not isinstance(record, Mapping):
        raise UnreadableError
    return Standing(
        external_id=fields.ident(record.get("AppointmentNo")),
        version=fields.text(record.get("Revision")),
        starts_at=_starts(record),
    )


def booking(entry: Entry) -> dict[str, Any]:
    """A whole booking, which a move sends again. A patient that Acuitas does not know is given by
    name and number.
    """
    start = entry.starts_at.astimezone(LONDON)
    found: dict[str, Any] = {
        "Date": start.strftime(DAY),
        "Time": start.strftime(TIME),
        "Mins": length(entry.starts_at, entry.ends_at),
        "AppointmentType": "ST",
        "WebRef": entry.reference,
    }
    if entry.diary_id:
        found["Clinic"] = entry.diary_id
    if entry.patient_id:
        return {**found, "PatientNo": entry.patient_id}
    return {
        **found,
        "NewPatient": {
            "Forename": entry.first_name,
            "Surname": entry.last_name,
            "MobileTel": entry.phone,
            "Email": entry.email,
        },
    }
