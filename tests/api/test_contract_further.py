"""Every documented example, part two: appointments, usage, webhooks, data requests, the agent, and
what every error has.
"""

import re
from collections.abc import Callable

import pytest

from integrations.webhooks import events
from patients import opt_out, records
from practices.models import MonthlyUsage
from recall.models import Campaign
from tests import engine
from tests.api import sample
from tests.api.conftest import ApiClient
from tests.api.documented import INSTANT, here, matches

__all__ = ["here"]
pytestmark = pytest.mark.django_db

# --- appointments -------------------------------------------------------------------------------

LISTED_APPOINTMENT = {
    "id": "apt_01H...",
    "patient_id": "pat_01H...",
    "appointment_date": "2026-03-15",
    "appointment_time": "10:30",
    "status": "booked",
    "patients": {
        "first_name": "Jane",
        "last_name": "Smith",
        "phone_number": "+447700900001",
        "risk_category": "diabetic",
    },
    "created_at": "2026-03-11T09:15:00Z",
}


def test_list_appointments(api: ApiClient, here: sample.Sample) -> None:
    answer = api.get("/appointments?from_date=2026-03-01&status=booked")
    assert answer.status_code == 200
    documented = {"appointments": [LISTED_APPOINTMENT], "total": 1, "limit": 100, "offset": 0}
    matches(documented, answer.json())
    assert {**answer.json(), "appointments": []} == {**documented, "appointments": []}
    assert answer.json()["appointments"][0]["appointment_time"] == "10:30"


def test_record_an_appointment(api, here, at: Callable[[str], None]) -> None:
    at("2026-03-19T11:00:00Z")
    body = {
        "patient_id": sample.PATIENT,
        "appointment_date": "2026-04-15",
        "appointment_time": "14:30",
        "status": "booked",
    }
    answer = api.post("/appointments", body)
    assert answer.status_code == 201
    appointment = {"id": "apt_01H...", **body, "created_at": "2026-03-19T11:00:00Z"}
    matches({"success": True, "appointment": appointment}, answer.json())
    assert body.items() <= answer.json()["appointment"].items()
    assert answer.json()["appointment"]["created_at"] == "2026-03-19T11:00:00Z"


# --- usage --------------------------------------------------------------------------------------


def test_usage(api: ApiClient, here: sample.Sample, practice) -> None:
    MonthlyUsage.objects.create(practice=practice, month="2026-11-01", calls_used=312)
    answer = api.get("/usage")
    assert answer.status_code == 200
    documented = {
        "period": {"start": "2026-03-01", "end": "2026-03-31"},
        "plan": "growth",
        "status": "active",
        "calls": {"used": 312, "limit": 750, "remaining": 438, "overage": 0},
        "daily": [{"date": "2026-03-01", "total": 18, "completed": 15, "failed": 3}],
    }
    matches(documented, answer.json())
    for name in ("plan", "status", "calls"):
        assert answer.json()[name] == documented[name]
    assert answer.json()["period"] == {"start": "2026-11-01", "end": "2026-11-30"}


# --- webhooks -----------------------------------------------------------------------------------

DOCUMENTED_EVENTS = {
    "call.completed",
    "call.failed",
    "appointment.booked",
    "appointment.confirmed",
    "appointment.cancelled",
    "appointment.no_show",
    "patient.created",
    "patient.updated",
    "patient.deleted",
}
HOOK = {
    "url": "https://your-pms.example/webhooks/sightsync",
    "events": ["call.completed", "appointment.booked"],
}


def test_the_documented_events_exist() -> None:
    assert set(events.CATALOGUE) >= DOCUMENTED_EVENTS


def test_register_list_and_remove_a_webhook(api: ApiClient, db: None) -> None:
    made = api.post("/webhooks", HOOK)
    assert made.status_code == 201
    shared = {"id": "wh_01H...", **HOOK, "is_active": True, "created_at": "2026-03-19T11:00:00Z"}
    matches({**shared, "secret": "whsec_xxx"}, made.json())
    assert HOOK.items() <= made.json().items()
    assert re.fullmatch(r"whsec_\S{32,}", made.json()["secret"])

    listed = api.get("/webhooks")
    assert listed.status_code == 200
    extra = {"last_delivery_at": None, "consecutive_failures": 0}
    matches({"endpoints": [{**shared, **extra}]}, listed.json())
    assert "secret" not in listed.json()["endpoints"][0]

    gone = api.delete(f"/webhooks/{made.json()['id']}")
    assert (gone.status_code, gone.json()) == (200, {"success": True})
    assert api.get("/webhooks").json()["endpoints"] == []


# --- data requests ------------------------------------------------------------------------------


def test_list_data_requests(api: ApiClient, here: sample.Sample) -> None:
    answer = api.get("/data-requests")
    assert answer.status_code == 200
    documented = {
        "id": "dsr_01H...",
        "patient_id": "pat_01H...",
        "type": "erasure",
        "status": "completed",
        "submitted_at": "2026-03-10T09:00:00Z",
        "completed_at": "2026-03-10T09:01:00Z",
    }
    matches({"requests": [documented]}, answer.json())


@pytest.mark.parametrize("kind", ["erasure", "access"])
def test_submit_a_data_request(api: ApiClient, here: sample.Sample, kind: str) -> None:
    answer = api.post("/data-requests", {"patient_id": sample.PATIENT, "type": kind})
    assert answer.status_code == 202
    printed = {"patient_id": sample.PATIENT, "type": kind, "status": "processing"}
    matches({"id": "dsr_01H...", **printed}, answer.json())
    assert printed.items() <= answer.json().items()


# --- the agent ----------------------------------------------------------------------------------


def test_run_a_campaign_in_plain_english(api: ApiClient, here: sample.Sample) -> None:
    goal = "Call all diabetic patients overdue by more than 12 months"
    answer = api.post("/agent", {"goal": goal, "dry_run": False, "limit": 30})
    assert answer.status_code == 202, answer.content
    documented = {
        "success": True,
        "campaign_id": "cmp_01H...",
        "patients_selected": 14,
        "calls_triggered": 12,
        "skipped": [{"patient_id": "pat_03H...", "reason": "TPS registered"}],
        "ai_reasoning": "Selected 14 diabetic patients.",
    }
    matches(documented, answer.json())
    assert Campaign.objects.filter(pk=sample.key(answer.json()["campaign_id"])).exists()
    assert {"patient_id": sample.TPS, "reason": "TPS registered"}.items() <= next(
        row for row in answer.json()["skipped"] if row["patient_id"] == sample.TPS
    ).items()


# --- errors -------------------------------------------------------------------------------------


def test_every_error_has_a_sentence(api, no_key_api, here, practice) -> None:
    nobody = sample.missing()["patient_id"]
    answers = [
        (400, api.post("/patients", {})),
        (401, no_key_api.get("/patients")),
        (404, api.get(f"/patients/{nobody}")),
        (422, api.post("/patients", {"first_name": "Jane", "phone_number": "+15551234567"})),
    ]
    practice.subscription_status = "past_due"
    practice.save(update_fields=["subscription_status"])
    answers.append((402, api.get("/patients")))
    for status, answer in answers:
        assert answer.status_code == status
        assert isinstance(answer.json()["error"], str)
        assert answer["Content-Type"] == "application/json"


def test_the_rate_limit_says_when(api: ApiClient, monkeypatch) -> None:
    monkeypatch.setattr("practices.key_check.LIMIT", 1)
    assert api.get("/usage").status_code == 200
    answer = api.get("/usage")
    assert answer.status_code == 429
    assert INSTANT.fullmatch(answer.json()["reset"])
    assert 1 <= int(answer["Retry-After"]) <= 60


def test_an_opt_out_outlives_the_erasure(api: ApiClient, here: sample.Sample, practice) -> None:
    opt_out.record(patient=here.patient, source="staff", actor=engine.ACTOR)
    api.delete(f"/patients/{sample.PATIENT}")
    erased = api.get(f"/patients/{sample.PATIENT}").json()["patient"]
    assert erased["opted_out"] is True
    assert "Canary" not in str(erased)
    again = records.upsert(
        practice=practice,
        data={"first_name": "Jane", "phone_number": "+447700900001"},
        source="api",
        actor=engine.ACTOR,
    )
    answer = api.post("/recall", {"patient_id": again.patient.public_id})
    assert answer.status_code == 409
