"""A patient of whom something is held in every place there is, each text with a canary in it."""

from datetime import timedelta
from typing import Any

import pytest

from patients.models import Patient
from practices import idempotency
from practices.journal import Actor
from practices.models import Practice, StoredAnswer
from recall.models import (
    Appointment,
    Attempt,
    AttemptState,
    CallTurn,
    Campaign,
    CampaignPatient,
    InboundMessage,
    PatientLink,
    StaffTask,
)
from sightsync.lib import clock, crypto
from tests import engine

ACTOR = Actor.system("test")
CANARY = "Qanarius"
NUMBER = "+447700900077"
EMAIL = "qanarius@example.org"
FORBIDDEN = (CANARY, CANARY.lower(), NUMBER, "7700900077", "9434765919", "1961-07-13")
"""What nothing may hold after an erasure: words, number in any spelling, NHS number, birthday."""


def patient_held_everywhere(practice: Practice) -> Patient:
    """Straight into the tables: what each door would write is its own test's concern."""
    engine.register()
    patient = engine.patient(
        practice,
        NUMBER,
        EMAIL,
        title=CANARY,
        first_name=CANARY,
        last_name=CANARY,
        external_id=CANARY,
        date_of_birth="1961-07-13",
        nhs_number="9434765919",
        nhs_number_hash=crypto.keyed_hash("nhs", "9434765919"),
        clinical_notes=f"{CANARY} has glaucoma in the family",
        last_eye_test_date="2024-01-15",
        risk_category="diabetic",
        due_reason="risk_category",
        extended={CANARY: [CANARY, {"phone": NUMBER}]},
    )
    _contacts(patient)
    _appointments(patient)
    _answers(patient)
    _lists(patient)
    return patient


def _contacts(patient: Patient) -> None:
    practice = patient.practice
    call = engine.under_way(
        patient,
        state=AttemptState.DONE,
        outcome="answered",
        summary=f"{CANARY} will think about it.",
        recording="RE" + "7" * 32,
        dialogue={"sealed": crypto.encrypt('{"state": {}, "answer": "Qanarius"}'), "said": CANARY},
        ended_at=clock.now(),
    )
    for number, speaker in enumerate(["assistant", "patient"], start=1):
        CallTurn.objects.create(
            practice=practice,
            attempt=call,
            number=number,
            speaker=speaker,
            text=f"This is {CANARY}",
            digits="0077" if speaker == "patient" else "",
            at=clock.now(),
        )
    engine.under_way(patient, "email", state=AttemptState.DONE, provider_ref="SM1", provider="mail")
    engine.planned(patient, "whatsapp")
    engine.planned(patient, "email", state=AttemptState.CLAIMED, claimed_at=clock.now())
    for ref, who in (("SM2", patient), ("SM3", None)):
        InboundMessage.objects.create(
            practice=practice,
            patient=who,
            channel="sms",
            provider_ref=ref,
            sender=NUMBER,
            body=f"{CANARY} here",
            received_at=clock.now(),
        )
    StaffTask.objects.create(
        practice=practice, patient=patient, kind="reply", created_at=clock.now(), attempt=call
    )
    campaign = Campaign.objects.create(practice=practice, name="November", started_at=clock.now())
    CampaignPatient.objects.create(
        practice=practice, campaign=campaign, patient=patient, included=True
    )


def _appointments(patient: Patient) -> None:
    for days in (-30, 7):
        starts = clock.now() + timedelta(days=days)
        appointment = Appointment.objects.create(
            practice=patient.practice,
            patient=patient,
            starts_at=starts,
            ends_at=starts + timedelta(minutes=30),
            status="booked" if days > 0 else "attended",
            source="staff",
            created_at=clock.now(),
        )
    PatientLink.objects.create(
        practice=patient.practice,
        patient=patient,
        appointment=appointment,
        kind="booking",
        token_hash=crypto.token_hash("t" * 43),
        created_at=clock.now(),
        expires_at=clock.now() + timedelta(days=30),
    )
    Attempt.objects.create(
        practice=patient.practice,
        patient=patient,
        appointment=appointment,
        appointment_version=1,
        channel="sms",
        purpose="reminder",
        due_at=clock.now(),
        created_at=clock.now(),
    )


def _answers(patient: Patient) -> None:
    key = patient.practice.api_keys.create(
        name="PMS", prefix="nvc_test_", last_four="0000", key_hash="0" * 64
    )
    answer = f'{{"patient":{{"id":"{patient.public_id}","first_name":"{CANARY}"}}}}'
    StoredAnswer.objects.create(
        api_key=key,
        request_hash=b"1" * 32,
        body_hash=b"2" * 32,
        created_at=clock.real_now(),
        locked_until=clock.real_now(),
        status=200,
        answer=answer,
        patients=idempotency._patients(answer.encode()),
    )
    endpoint = patient.practice.webhooks.create(
        url="https://pms.example/hook",
        events=["*"],
        secret="whsec_x",
        next_sequence=1,
        created_at=clock.now(),
    )
    fields: dict[str, Any] = {
        "event_id": patient.pk,
        "event_type": "patient.created",
        "event_at": clock.now(),
        "patient_id": patient.pk,
        "state": "failed",
        "response_excerpt": f"no such patient: {CANARY}",
        "created_at": clock.now(),
    }
    endpoint.deliveries.create(practice=patient.practice, **fields)


def _lists(patient: Patient) -> None:
    """An imported list changed the record, and the practice's own system knows it too."""
    run = patient.practice.imports.create(file_sha256="0" * 64, started_at=clock.now())
    run.changes.create(
        practice=patient.practice,
        patient=patient,
        before={"first_name": CANARY.lower(), "clinical_notes": ""},
        after={"first_name": CANARY, "clinical_notes": crypto.encrypt(f"{CANARY} squints")},
    )
    system = patient.practice.connections.create(kind="optix", connected_at=clock.now())
    patient.pms_records.create(
        practice=patient.practice,
        connection=system,
        external_id="4711",
        digest=b"1" * 16,
        marks={"first_name": "a1b2"},
    )


@pytest.fixture
def known(practice: Practice) -> Patient:
    """Acuity's, held everywhere."""
    return patient_held_everywhere(practice)
