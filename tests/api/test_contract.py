"""Every documented example, part one: patients, recalls and calls. The request is sent as it is
printed, and the answer must have the printed keys, with values of the printed types, statuses and
enums. Further keys are welcome.
"""

from collections.abc import Callable

import pytest

from patients import opt_out
from patients.models import Patient
from practices.models import MonthlyUsage
from recall.models import Attempt, AttemptState
from sightsync.lib import clock
from tests import engine
from tests.api import sample
from tests.api.conftest import ApiClient
from tests.api.documented import INSTANT, here, matches

__all__ = ["here"]
pytestmark = pytest.mark.django_db


def test_the_comparison_can_fail() -> None:
    for documented, given in (
        ({"id": "pat_01H"}, {"ID": "pat_01KKDW5T0R2Y4Z6A8P1B3S5D7F"}),
        ({"id": "pat_01H"}, {"id": "c_01KKDW5T0R2Y4Z6A8P1B3S5D7F"}),
        ({"total": 1}, {"total": "1"}),
        ({"total": 1}, {"total": True}),
        ({"calls": [{"a": 1}]}, {"calls": []}),
        ({"calls": [{"a": 1}]}, {"calls": [{"a": 1}, {}]}),
        ({"at": "2026-03-11T09:00:00Z"}, {"at": "2026-03-11T09:00:00+00:00"}),
        ({"on": "2026-03-11"}, {"on": "2026-03-11T00:00:00Z"}),
        ({"sure": False}, {"sure": None}),
    ):
        with pytest.raises(AssertionError):
            matches(documented, given)


# --- patients -----------------------------------------------------------------------------------

ADDED = {
    "success": True,
    "patient": {
        "id": "pat_01HXYZ...",
        "first_name": "Jane",
        "last_name": "Smith",
        "phone_number": "+447700900001",
        "risk_category": "diabetic",
        "last_eye_test_date": "2024-01-15",
        "next_clinical_due_date": "2025-01-15",
        "opted_out": False,
        "created_at": "2026-03-11T09:00:00Z",
        "updated_at": "2026-03-11T09:00:00Z",
    },
}
ONE = {
    "patient": {
        "id": "pat_01HXYZ...",
        "first_name": "Jane",
        "last_name": "Smith",
        "phone_number": "+447700900001",
        "risk_category": "diabetic",
        "last_eye_test_date": "2024-01-15",
        "opted_out": False,
        "opted_out_at": None,
        "created_at": "2026-03-01T09:00:00Z",
    }
}
JANE = {
    "first_name": "Jane",
    "last_name": "Smith",
    "phone_number": "07700900001",
    "last_eye_test_date": "2024-01-15",
    "risk_category": "diabetic",
}


def test_add_a_patient(api: ApiClient, at: Callable[[str], None]) -> None:
    at("2026-03-11T09:00:00Z")
    for _ in ("created", "updated"):
        answer = api.post("/patients", JANE)
        assert answer.status_code == 200
        matches(ADDED, answer.json())
        printed = {k: v for k, v in ADDED["patient"].items() if k != "id"}
        assert printed.items() <= answer.json()["patient"].items()
    assert Patient.objects.count() == 1


@pytest.mark.parametrize("number", ["07700900000", "+447700900000", "020 7946 0000"])
def test_the_documented_spellings_of_a_number(api: ApiClient, number: str) -> None:
    answer = api.post("/patients", {"first_name": "Jane", "phone_number": number})
    assert answer.status_code == 200
    assert answer.json()["patient"]["phone_number"] in ("+447700900000", "+442079460000")
    assert answer.json()["patient"]["risk_category"] == "standard"


def test_get_a_patient(api: ApiClient, here: sample.Sample) -> None:
    answer = api.get(f"/patients/{sample.PATIENT}")
    assert answer.status_code == 200
    matches(ONE, answer.json())


def test_update_a_patient(api: ApiClient, here: sample.Sample) -> None:
    body = {"risk_category": "glaucoma_suspect", "last_eye_test_date": "2025-06-01"}
    answer = api.patch(f"/patients/{sample.PATIENT}", body)
    assert answer.status_code == 200
    matches(ADDED, answer.json())
    assert body.items() <= answer.json()["patient"].items()
    assert answer.json()["patient"]["first_name"] == "Jane"


def test_erase_a_patient(api: ApiClient, here: sample.Sample) -> None:
    answer = api.delete(f"/patients/{sample.PATIENT}")
    assert answer.status_code == 200
    assert answer.json() == {"success": True, "message": "Patient PII permanently erased."}


def test_list_patients(api: ApiClient, here: sample.Sample) -> None:
    answer = api.get("/patients?overdue_only=true&risk_category=diabetic&limit=50")
    assert answer.status_code == 200
    documented = {"patients": [ADDED["patient"]], "total": 23, "limit": 50, "offset": 0}
    matches(documented, answer.json())
    assert {**answer.json(), "patients": []} == {
        "patients": [],
        "total": 3,
        "limit": 50,
        "offset": 0,
    }


# --- recall -------------------------------------------------------------------------------------

RECALLED = {
    "success": True,
    "call_id": "c_01HABC...",
    "patient_id": "pat_01HXYZ...",
    "status": "calling",
}


def test_trigger_a_call(api: ApiClient, here: sample.Sample) -> None:
    answer = api.post("/recall", {"patient_id": sample.PATIENT})
    assert answer.status_code == 202
    matches(RECALLED, answer.json())
    assert answer.json()["status"] == "calling"
    assert answer.json()["patient_id"] == sample.PATIENT


def test_out_of_hours(api: ApiClient, here: sample.Sample, at: Callable[[str], None]) -> None:
    at("2026-03-11T18:00:00Z")
    answer = api.post("/recall", {"patient_id": sample.PATIENT})
    assert answer.status_code == 425
    printed = {
        "error": "Outside permitted calling hours",
        "reason": "Calls permitted Mon–Fri 9am–6pm UK time only",
        "next_allowed_at": "2026-03-12T09:00:00Z",
    }
    assert printed.items() <= answer.json().items()


def test_tps(api: ApiClient, here: sample.Sample) -> None:
    answer = api.post("/recall", {"patient_id": sample.TPS})
    assert answer.status_code == 451
    assert answer.json()["error"] == (
        "Patient number is registered on the TPS/CTPS — call blocked per PECR regulations"
    )


def test_quota(api: ApiClient, here: sample.Sample, practice) -> None:
    practice.plan = "starter"
    practice.save(update_fields=["plan"])
    MonthlyUsage.objects.create(practice=practice, month="2026-11-01", calls_used=300)
    answer = api.post("/recall", {"patient_id": sample.PATIENT})
    assert answer.status_code == 429
    printed = {"error": "Monthly call limit reached", "calls_used": 300, "monthly_limit": 300}
    assert printed.items() <= answer.json().items()


def test_opted_out_is_409_and_a_day_between_calls_429(api, here) -> None:
    opt_out.record(patient=here.tps, source="staff", actor=engine.ACTOR)
    assert api.post("/recall", {"patient_id": sample.TPS}).status_code == 409
    call = api.post("/recall", {"patient_id": sample.PATIENT}).json()["call_id"]
    Attempt.objects.filter(pk=sample.key(call)).update(
        state=AttemptState.DONE, outcome="no_answer", ended_at=clock.now()
    )
    answer = api.post("/recall", {"patient_id": sample.PATIENT})
    assert answer.status_code == 429
    assert INSTANT.fullmatch(answer.json()["next_allowed_at"])


def test_batch(api: ApiClient, here: sample.Sample, practice) -> None:
    fourth = engine.patient(practice, "+447700900004")
    wanted = [sample.PATIENT, fourth.public_id, sample.TPS]
    answer = api.post("/recall/batch", {"patient_ids": wanted, "dry_run": False})
    assert answer.status_code == 202
    triggered = {"patient_id": "pat_01H...", "call_id": "c_01H..."}
    skipped = {"patient_id": "pat_03H...", "reason": "TPS registered"}
    documented = {
        "triggered": [triggered],
        "skipped": [skipped],
        "total": 3,
        "triggered_count": 2,
        "skipped_count": 1,
    }
    matches(documented, answer.json())
    body = answer.json()
    assert (body["total"], body["triggered_count"], body["skipped_count"]) == (3, 2, 1)
    assert body["skipped"][0]["reason"] == "TPS registered"
    assert [row["patient_id"] for row in body["triggered"]] == wanted[:2]


# --- calls --------------------------------------------------------------------------------------

LISTED_CALL = {
    "id": "c_01H...",
    "patient_id": "pat_01H...",
    "call_status": "booked",
    "duration": 74,
    "appointment_booked": True,
    "ai_summary": "Patient agreed to book — Thursday 2pm confirmed.",
    "recording_url": "https://...",
    "created_at": "2026-03-15T10:22:00Z",
    "patient": {"first_name": "Jane", "last_name": "Smith"},
}
ONE_CALL = {
    **LISTED_CALL,
    "appointment_booked_at": "2026-03-15T10:23:14Z",
    "call_outcome_notes": None,
    "is_complete": True,
}


def test_list_calls(api: ApiClient, here: sample.Sample) -> None:
    answer = api.get("/calls?status=booked&limit=10")
    assert answer.status_code == 200
    documented = {"calls": [LISTED_CALL], "total": 1, "limit": 10, "offset": 0}
    matches(documented, answer.json())
    assert {**answer.json(), "calls": []} == {**documented, "calls": []}
    assert answer.json()["calls"][0]["call_status"] == "booked"


def test_get_a_call(api: ApiClient, here: sample.Sample) -> None:
    answer = api.get(f"/calls/{sample.CALL}")
    assert answer.status_code == 200
    matches(ONE_CALL, answer.json())
    printed = {"call_status": "booked", "duration": 74, "appointment_booked": True}
    assert printed.items() <= answer.json().items()


def test_poll_a_call_that_was_just_triggered(api: ApiClient, here: sample.Sample) -> None:
    made = api.post("/recall", {"patient_id": sample.PATIENT}).json()["call_id"]
    body = api.get(f"/calls/{made}").json()
    assert ONE_CALL.keys() <= body.keys()
    assert (body["call_status"], body["is_complete"]) == ("calling", False)
