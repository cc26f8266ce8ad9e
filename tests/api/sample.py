"""A practice with one of everything the API has, under the very ids that the document's and
docs/api.md's examples use, so that those examples can be sent as they stand.
"""

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from gdpr.models import DataRequest
from integrations.models import WebhookDelivery, WebhookEndpoint
from patients.models import Patient
from practices.models import Practice
from recall.models import Appointment, Attempt, AttemptState, Campaign, Diary, DiaryHours
from sightsync.lib import clock, ids
from tests import engine

PATIENT = "pat_01KKDW5T0R2Y4Z6A8P1B3S5D7F"
"""May be called."""
SECOND = "pat_01KKDW60B3D5F7H9J1K3M5N7P9"
"""Was called and booked."""
TPS = "pat_01KKDW6Q2R4S6T8V0W2X4Y6Z8A"
CALL = "c_01KKE70B5Q3S8V1X6Z9C2N4M7K"
APPOINTMENT = "apt_01KKE7AHW2B4C6D8E0F1G3H5J7"
CAMPAIGN = "cmp_01KKE6TM9N1P3Q5R7S8T0V2W4X"
WEBHOOK = "wh_01KKE6X2F0ZJ7Q4W8T5N3M9R1C"
DELIVERY = "whd_01KKE71S8M6R2C9V4X7B5N3Q0D"
REQUEST = "dsr_01HXYZ8C3D4E5F6G7H8J9K0M1N"

IDS = {
    "patient_id": PATIENT,
    "call_id": CALL,
    "appointment_id": APPOINTMENT,
    "campaign_id": CAMPAIGN,
    "webhook_id": WEBHOOK,
    "delivery_id": DELIVERY,
    "request_id": REQUEST,
}
"""By the name of the path's parameter."""
_EXPORT = {
    "patient_id": PATIENT,
    "practice": {"name": "Acuity Opticians", "email": "hello@acuity.example"},
    "generated_at": "2026-11-18T10:04:00Z",
    "sections": [{"name": "Patient", "title": "The record", "rows": [{"first_name": "Canary"}]}],
}


def key(public_id: str) -> UUID:
    return ids.decode(public_id.partition("_")[0], public_id)


def missing() -> dict[str, str]:
    """Well-formed ids that nothing has, by the name of the path's parameter."""
    return {name: ids.encode(value.partition("_")[0], ids.new()) for name, value in IDS.items()}


@dataclass(frozen=True)
class Sample:
    patient: Patient
    second: Patient
    tps: Patient
    call: Attempt
    appointment: Appointment
    campaign: Campaign
    webhook: WebhookEndpoint
    delivery: WebhookDelivery
    request: DataRequest


def make(practice: Practice) -> Sample:
    """In every text that a person could read there is the word Canary."""
    engine.register()
    patient = _patient(practice, PATIENT, "+447700900001", first_name="Jane", last_name="Canary")
    second = _patient(practice, SECOND, "+447700900002", first_name="Canary", last_name="Jones")
    tps = _patient(
        practice, TPS, "+447700900003", first_name="Canary", last_name="Brown", tps_listing=1
    )
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO tps_number VALUES (%s)", [447700900003])
    campaign = Campaign.objects.create(
        id=key(CAMPAIGN),
        practice=practice,
        name="Canary",
        filters={"limit": 5},
        started_at=clock.now(),
    )
    call = _call(second, campaign)
    appointment = _appointment(practice, call)
    webhook = WebhookEndpoint.objects.create(
        id=key(WEBHOOK),
        practice=practice,
        url="http://127.0.0.1:9/Canary",
        events=["*"],
        secret="whsec_" + "x" * 32,
        next_sequence=1,
        created_at=clock.now(),
    )
    return Sample(
        patient,
        second,
        tps,
        call,
        appointment,
        campaign,
        webhook,
        _delivery(webhook),
        _request(practice, patient),
    )


def _patient(practice: Practice, public_id: str, number: str, **fields: Any) -> Patient:
    return engine.patient(
        practice,
        number,
        id=key(public_id),
        risk_category="diabetic",
        last_eye_test_date=date(2024, 1, 15),
        next_clinical_due_date=date(2025, 1, 15),
        **fields,
    )


def _call(patient: Patient, campaign: Campaign) -> Attempt:
    at = datetime.fromisoformat("2026-11-16T10:22:00Z")
    return engine.under_way(
        patient,
        id=key(CALL),
        campaign=campaign,
        state=AttemptState.DONE,
        outcome="booked",
        summary="Canary agreed to book.",
        recording="RE" + "1" * 32,
        duration_seconds=74,
        created_at=at,
        submitted_at=at,
        answered_at=at + timedelta(seconds=9),
        ended_at=at + timedelta(seconds=83),
    )


def _appointment(practice: Practice, call: Attempt) -> Appointment:
    diary = Diary.objects.create(practice=practice, name="Canary")
    for weekday in range(5):
        DiaryHours.objects.create(
            practice=practice, diary=diary, weekday=weekday, opens="09:00", closes="17:00"
        )
    starts = clock.at_london(date(2026, 11, 24), time(10, 30))
    return Appointment.objects.create(
        id=key(APPOINTMENT),
        practice=practice,
        diary=diary,
        patient=call.patient,
        attempt=call,
        starts_at=starts,
        ends_at=starts + timedelta(minutes=30),
        source="call",
        created_at=clock.now(),
    )


def _delivery(endpoint: WebhookEndpoint) -> WebhookDelivery:
    return WebhookDelivery.objects.create(
        id=key(DELIVERY),
        practice=endpoint.practice,
        endpoint=endpoint,
        event_id=ids.new(),
        event_type="webhook.test",
        event_at=clock.now(),
        state="failed",
        created_at=clock.now(),
    )


def _request(practice: Practice, patient: Patient) -> DataRequest:
    return DataRequest.objects.create(
        id=key(REQUEST),
        practice=practice,
        patient=patient,
        type="access",
        status="completed",
        submitted_at=clock.now(),
        completed_at=clock.now(),
        due_on=date(2026, 12, 18),
        actor_kind="system",
        export=json.dumps(_EXPORT),
        export_expires_at=clock.now() + timedelta(days=7),
    )
