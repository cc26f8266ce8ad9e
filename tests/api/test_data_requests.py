"""Data subject requests and DELETE of a patient over the API."""

import zipfile
from io import BytesIO

import pytest

from gdpr import data_requests
from gdpr.models import DataRequest
from patients.models import Patient
from practices.models import StoredAnswer
from sightsync.lib import clock
from tests import engine
from tests.api.conftest import make_client


def submit(api, patient, kind="erasure") -> dict:
    answer = api.post("/data-requests", {"patient_id": patient.public_id, "type": kind})
    assert answer.status_code == 202, answer.content
    return answer.json()


def run(request: dict) -> None:
    """What the job does."""
    row = DataRequest.objects.get(patient__pk__isnull=False, status="processing")
    assert row.public_id == request["id"]
    data_requests.answer(row.pk)


@pytest.fixture
def jane(practice) -> Patient:
    return engine.patient(practice, last_name="Smith", email="jane@example.org")


def test_takes_a_request_in_as_documented(api, jane) -> None:
    body = submit(api, jane)
    assert body.pop("id").startswith("dsr_")
    assert body == {
        "patient_id": jane.public_id,
        "type": "erasure",
        "status": "processing",
        "submitted_at": "2026-11-18T10:04:00Z",
        "completed_at": None,
        "due_date": "2026-12-18",
    }


def test_lists_requests_as_documented(api, jane) -> None:
    made = submit(api, jane)
    run(made)
    body = api.get("/data-requests").json()
    assert body["requests"] == [
        {**made, "status": "completed", "completed_at": "2026-11-18T10:04:00Z"}
    ]
    assert (body["total"], body["limit"], body["offset"]) == (1, 100, 0)


def test_lists_pages_and_filters_the_latest_first(api, practice, jane, at) -> None:
    other = engine.patient(practice, "+447700900002")
    first = submit(api, jane, "access")
    at("2026-11-18T11:00:00Z")
    second = submit(api, other)
    listed = api.get("/data-requests").json()["requests"]
    assert [row["id"] for row in listed] == [second["id"], first["id"]]
    for query, found in (
        ({"type": "access"}, [first]),
        ({"status": "completed"}, []),
        ({"patient_id": other.public_id}, [second]),
        ({"limit": "1", "offset": "1"}, [first]),
    ):
        assert [r["id"] for r in api.get("/data-requests", query).json()["requests"]] == [
            row["id"] for row in found
        ]
    body = api.get("/data-requests", {"size": "1", "start": "2"}).json()
    assert [row["id"] for row in body["data"]] == [first["id"]]
    assert body["pagination"]["total"] == 2


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"type": "x"}, "type"),
        ({"status": "x"}, "status"),
        ({"patient_id": "x"}, "patient_id"),
        ({"limit": "501"}, "limit"),
    ],
)
def test_a_wrong_filter_is_named(api, assert_error, query, field) -> None:
    assert_error(api.get("/data-requests", query), 400, "invalid", field)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": "erasure"}, "patient_id"),
        ({"patient_id": None, "type": "erasure"}, "patient_id"),
        ({"patient_id": "dsr_01HXYZ8C3D4E5F6G7H8J9K0M1N", "type": "erasure"}, "patient_id"),
        ({"patient_id": 7, "type": "erasure"}, "patient_id"),
        ({"patient_id": "pat_01HXYZ8C3D4E5F6G7H8J9K0M1N"}, "type"),
        ({"patient_id": "pat_01HXYZ8C3D4E5F6G7H8J9K0M1N", "type": "export"}, "type"),
        ({"patient_id": "pat_01HXYZ8C3D4E5F6G7H8J9K0M1N", "type": ["access"]}, "type"),
    ],
)
def test_a_wrong_body_is_refused(api, assert_error, body, field) -> None:
    assert_error(api.post("/data-requests", body), 400, "invalid", field)
    assert not DataRequest.objects.exists()


def test_an_access_request_is_downloaded(api, jane, assert_error) -> None:
    made = submit(api, jane, "access")
    path = f"/data-requests/{made['id']}"
    assert api.get(path).json() == {**made, "download_path": None, "download_expires_at": None}
    assert_error(api.get(f"{path}/download"), 409, "export_not_ready")
    run(made)
    ready = api.get(path).json()
    assert ready["status"] == "completed"
    assert ready["download_expires_at"] == "2026-11-25T10:04:00Z"

    answer = api.get(ready["download_path"])
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
    assert answer["Content-Disposition"] == f'attachment; filename="{made["id"]}.zip"'
    assert answer["Cache-Control"] == "no-store"
    with zipfile.ZipFile(BytesIO(answer.content)) as archive:
        assert b"Smith" in archive.read("personal-data.html")
    as_json = api.get(ready["download_path"], {"as": "json"}).json()
    assert as_json["patient_id"] == jane.public_id
    assert b"Smith" in api.get(ready["download_path"], {"as": "html"}).content
    assert_error(api.get(ready["download_path"], {"as": "pdf"}), 400, "invalid", "as")


def test_a_download_is_over_after_a_week(api, jane, at, assert_error) -> None:
    made = submit(api, jane, "access")
    run(made)
    at("2026-11-25T10:04:00Z")
    assert api.get(f"/data-requests/{made['id']}").json()["download_path"] is None
    assert_error(api.get(f"/data-requests/{made['id']}/download"), 410, "export_gone")


def test_an_erasure_has_nothing_to_download(api, jane, assert_error) -> None:
    made = submit(api, jane)
    run(made)
    assert_error(api.get(f"/data-requests/{made['id']}/download"), 404, "no_export")


def test_a_request_does_what_delete_does(api, practice, jane) -> None:
    other = engine.patient(practice, "+447700900002", last_name="Smith", email="j@example.org")
    run(submit(api, jane))
    api.delete(f"/patients/{other.public_id}")
    one, two = (
        api.get(f"/patients/{who.public_id}").json()["patient"] | {"id": ""}
        for who in (jane, other)
    )
    assert one == two


def test_erases_as_documented(api, jane) -> None:
    path = f"/patients/{jane.public_id}"
    for _ in range(2):
        answer = api.delete(path)
        assert answer.status_code == 200
        assert answer.json() == {"success": True, "message": "Patient PII permanently erased."}
    patient = api.get(path).json()["patient"]
    assert (patient["first_name"], patient["last_name"]) == ("Erased", "Patient")
    for name in ("phone_number", "email", "date_of_birth", "next_clinical_due_date"):
        assert patient[name] is None
    assert (patient["opted_out"], patient["contactable"]) == (True, False)
    assert patient["erased_at"] == "2026-11-18T10:04:00Z"


def test_an_erased_patient_is_in_no_list_and_cannot_be_changed(api, jane, assert_error) -> None:
    api.delete(f"/patients/{jane.public_id}")
    assert api.get("/patients").json()["total"] == 0
    assert api.get("/patients", {"status": "erased"}).json()["total"] == 1
    assert_error(api.patch(f"/patients/{jane.public_id}", {"last_name": "X"}), 409, "erased")


def test_a_number_that_was_erased_is_taken_never_contacted_and_says_so(api, jane) -> None:
    api.delete(f"/patients/{jane.public_id}")
    body = api.post("/patients", {"first_name": "Jane", "phone_number": jane.phone_number}).json()
    assert body["result"] == "created"
    assert body["patient"]["id"] != jane.public_id
    assert (body["patient"]["opted_out"], body["patient"]["contactable"]) == (True, False)
    assert [warning["code"] for warning in body["warnings"]] == ["opted_out"]
    path = f"/patients/{body['patient']['id']}/eligibility"
    assert api.get(path).json()["allowed"] is False


def test_an_opt_out_survives(api, jane) -> None:
    Patient.objects.filter(pk=jane.pk).update(opted_out_at=clock.now(), opted_out_source="staff")
    api.delete(f"/patients/{jane.public_id}")
    jane.refresh_from_db()
    assert (jane.opted_out_source, jane.opted_out_at) == ("staff", clock.now())


def test_a_stored_answer_is_not_replayed_after_an_erasure(api) -> None:
    sent = {"first_name": "Jane", "phone_number": "07700900001"}
    first = api.post("/patients", sent, Idempotency_Key="k1").json()
    assert StoredAnswer.objects.count() == 1
    api.delete(f"/patients/{first['patient']['id']}")
    assert StoredAnswer.objects.count() == 0
    again = api.post("/patients", sent, Idempotency_Key="k1").json()
    assert again["patient"]["opted_out"] is True


def test_everything_works_without_a_subscription(api, practice, jane, assert_error) -> None:
    practice.subscription_status = "cancelled"
    practice.save(update_fields=["subscription_status"])
    made = submit(api, jane, "access")
    run(made)
    for path in ("/data-requests", f"/data-requests/{made['id']}"):
        assert api.get(path).status_code == 200
    assert api.get(f"/data-requests/{made['id']}/download").status_code == 200
    assert api.delete(f"/patients/{jane.public_id}").status_code == 200
    assert_error(api.get("/patients"), 402, "subscription_inactive")


def test_only_admin_keys(practice, jane, assert_error) -> None:
    client = make_client(practice, ["read", "write", "recall"])
    body = {"patient_id": jane.public_id, "type": "access"}
    assert_error(client.get("/data-requests"), 403, "missing_scope")
    assert_error(client.post("/data-requests", body), 403, "missing_scope")
    assert_error(client.get("/data-requests/x"), 403, "missing_scope")
    assert_error(client.get("/data-requests/x/download"), 403, "missing_scope")
    assert_error(client.delete(f"/patients/{jane.public_id}"), 403, "missing_scope")
    jane.refresh_from_db()
    assert jane.erased_at is None


def test_another_practice_sees_and_erases_nothing(api, other_api, jane, assert_error) -> None:
    made = submit(api, jane, "access")
    run(made)
    body = {"patient_id": jane.public_id, "type": "erasure"}
    assert_error(other_api.post("/data-requests", body), 404, "patient_not_found")
    assert other_api.get("/data-requests").json()["requests"] == []
    missing = other_api.get("/data-requests/dsr_01HXYZ8C3D4E5F6G7H8J9K0M1N")
    for path in ("", "/download"):
        answer = other_api.get(f"/data-requests/{made['id']}{path}")
        assert (answer.status_code, answer.content) == (404, missing.content)
    assert_error(other_api.delete(f"/patients/{jane.public_id}"), 404, "patient_not_found")
    jane.refresh_from_db()
    assert jane.erased_at is None
