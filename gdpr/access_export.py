"""The answer to an access request: everything held about one patient, by the inventories, as JSON
for machines and as a page for the person. It reads only.
"""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import BinaryField, Field, Model
from django.http import HttpResponse
from django.template.loader import render_to_string

from gdpr import inventory
from patients.models import ImportChange, Patient
from sightsync.lib import clock, crypto, ids
from sightsync.lib.api import render

_TITLES: Mapping[str, str] = {
    "Patient": "The record",
    "Suppression": "Wishes not to be contacted",
    "Episode": "Recalls",
    "Attempt": "Calls and messages to the patient",
    "CallTurn": "What was said on calls",
    "InboundMessage": "Messages from the patient",
    "Appointment": "Appointments",
    "TheirAppointment": "Appointments read from the practice's other systems",
    "AppointmentCopy": "Appointments written into the practice's other systems",
    "PatientLink": "Private links sent",
    "StaffTask": "Tasks for the practice's staff",
    "CampaignPatient": "Recall campaigns",
    "ProviderEvent": "Reports of the telephone carrier",
    "WebhookDelivery": "Notices to the practice's own systems",
    "StoredAnswer": "Answers to the practice's own systems, kept for a day",
    "ImportChange": "What imported lists changed in the record",
    "PmsRecord": "The record in the practice's own system",
    "DataRequest": "Data requests",
    "JournalEntry": "What was done, when and by whom",
}
_LEFT_OUT = frozenset({("DataRequest", "export"), ("PatientLink", "token_hash")})
"""The export itself, and what would let somebody act for the patient."""


def collect(patient: Patient) -> dict[str, Any]:
    """Everything about the patient, ready for JSON. A section for each table, empty ones too, so
    that it can be seen that nothing was found there.
    """
    tables = {table.name: table for table in inventory.held() if table.name in _TITLES}
    return {
        "patient_id": patient.public_id,
        "practice": {
            "name": patient.practice.name,
            "address": patient.practice.address,
            "phone_number": patient.practice.phone_number,
            "email": patient.practice.email,
        },
        "generated_at": render.instant(clock.now()),
        "sections": [
            {
                "name": name,
                "title": title,
                "rows": [_row(row) for row in tables[name].rows(patient).order_by("pk")],
            }
            for name, title in _TITLES.items()
        ],
    }


def as_json(export: Mapping[str, Any]) -> bytes:
    return json.dumps(export, ensure_ascii=False, indent=2).encode()


def as_html(export: Mapping[str, Any]) -> bytes:
    """A page that reads without a network, a program or a style sheet."""
    sections = [
        {
            **section,
            "rows": [
                [(name.replace("_", " "), _words(value)) for name, value in row.items()]
                for row in section["rows"]
            ],
        }
        for section in export["sections"]
    ]
    return render_to_string(
        "gdpr/access_export.html", {"export": {**export, "sections": sections}}
    ).encode()


def as_zip(export: Mapping[str, Any]) -> bytes:
    """Both in one archive."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("personal-data.json", as_json(export))
        packed.writestr("personal-data.html", as_html(export))
    return archive.getvalue()


FORMATS: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], bytes]]] = {
    "zip": ("application/zip", as_zip),
    "json": ("application/json", as_json),
    "html": ("text/html; charset=utf-8", as_html),
}


def file(export: Mapping[str, Any], *, name: str, wanted: str) -> HttpResponse:
    """The export to be kept as a file, in one of FORMATS."""
    content_type, write = FORMATS[wanted]
    return HttpResponse(
        write(export),
        content_type=content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{name}.{wanted}"',
            "Cache-Control": "no-store",
        },
    )


def _row(row: Model) -> dict[str, Any]:
    return {
        field.name: _plain(row, field)
        for field in row._meta.concrete_fields
        if not _is_internal(row, field)
    }


def _is_internal(row: Model, field: "Field[Any, Any]") -> bool:
    """Hashes, row numbers, and what is left out on purpose."""
    is_number = field.primary_key and not isinstance(row, ids.HasPublicId)
    return (
        is_number
        or isinstance(field, BinaryField)
        or field.name == "practice"
        or (type(row).__name__, field.name) in _LEFT_OUT
    )


def _plain(row: Model, field: "Field[Any, Any]") -> Any:
    value = getattr(row, field.attname)
    if isinstance(value, UUID):
        return _public(row, field, value)
    if isinstance(value, datetime):
        return render.instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict) and "sealed" in value:  # a call's working memory
        return {**value, "sealed": json.loads(crypto.decrypt(value["sealed"]))}
    if isinstance(row, ImportChange) and isinstance(value, dict):
        return {name: _opened(name, held) for name, held in value.items()}
    if isinstance(value, list):
        return [str(item) if isinstance(item, UUID) else item for item in value]
    return value


def _opened(name: str, held: Any) -> Any:
    """A column of the record as an import found or left it: encrypted ones are opened."""
    field = Patient._meta.get_field(name)
    is_sealed = isinstance(field, crypto.EncryptedTextField) and isinstance(held, str) and held
    return crypto.decrypt(held) if is_sealed else held


def _public(row: Model, field: "Field[Any, Any]", key: UUID) -> str:
    model = field.related_model if field.is_relation else type(row) if field.primary_key else None
    prefix = getattr(model, "PREFIX", None)
    return ids.encode(prefix, key) if prefix else str(key)


def _words(value: Any) -> str:
    if value in (None, "", [], {}):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
