"""POST, GET and PATCH of patients: the document's words, then what the contract settles."""

import orjson
import pytest

from patients import api_shape, opt_out
from patients.models import Patient
from practices.journal import Actor
from sightsync.lib import ids
from sightsync.lib.api import render
from tests import engine

JANE = {
    "first_name": "Jane",
    "last_name": "Smith",
    "phone_number": "07700900001",
    "last_eye_test_date": "2024-01-15",
    "risk_category": "diabetic",
}
NOW = "2026-11-18T10:04:00Z"


def add(api, **details) -> dict:
    answer = api.post("/patients", {**JANE, **details})
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_adds_a_patient_as_documented(api) -> None:
    body = add(api)
    assert body["success"] is True
    patient = body["patient"]
    assert patient.pop("id").startswith("pat_")
    documented = {
        "first_name": "Jane",
        "last_name": "Smith",
        "phone_number": "+447700900001",
        "risk_category": "diabetic",
        "last_eye_test_date": "2024-01-15",
        "next_clinical_due_date": "2025-01-15",
        "opted_out": False,
        "created_at": NOW,
        "updated_at": NOW,
    }
    assert {name: patient[name] for name in documented} == documented
    assert (body["result"], body["warnings"]) == ("created", [])


def test_fetches_a_patient_as_documented(api) -> None:
    made = add(api)["patient"]
    answer = api.get(f"/patients/{made['id']}")
    assert answer.status_code == 200
    assert answer.json() == {"patient": made}
    assert made["opted_out_at"] is None


def test_an_id_may_be_in_lower_case_or_a_bare_uuid(api) -> None:
    made = add(api)["patient"]
    key = ids.decode("pat", made["id"])
    for spelt in (made["id"].lower(), str(key), str(key).upper()):
        assert api.get(f"/patients/{spelt}").json() == {"patient": made}


def test_changes_a_patient_as_documented(api) -> None:
    made = add(api, email="jane@example.org")["patient"]
    answer = api.patch(
        f"/patients/{made['id']}",
        {"risk_category": "glaucoma_suspect", "last_eye_test_date": "2025-06-01"},
    )
    assert answer.status_code == 200
    body = answer.json()
    assert body["success"] is True
    assert body["patient"] == {
        **made,
        "risk_category": "glaucoma_suspect",
        "last_eye_test_date": "2025-06-01",
        "next_clinical_due_date": "2026-06-01",
    }
    assert body["patient"] == api.get(f"/patients/{made['id']}").json()["patient"]


def test_lists_patients_as_documented(api) -> None:
    made = add(api)["patient"]
    add(api, phone_number="07700900002", first_name="Early", last_eye_test_date="2026-11-01")
    answer = api.get(
        "/patients", {"overdue_only": "true", "risk_category": "diabetic", "limit": "50"}
    )
    assert answer.status_code == 200
    assert answer.json() == {"patients": [made], "total": 1, "limit": 50, "offset": 0}


def test_the_default_category_is_standard(api) -> None:
    body = {name: value for name, value in JANE.items() if name != "risk_category"}
    assert api.post("/patients", body).json()["patient"]["risk_category"] == "standard"


def test_the_number_is_the_key_in_any_spelling(api) -> None:
    first = add(api, clinical_notes="Wears lenses", extended={"a": 1})["patient"]
    again = add(api, phone_number="+44 7700 900001", last_name="Jones")
    assert again["result"] == "updated"
    assert again["patient"]["id"] == first["id"]
    assert again["patient"]["last_name"] == "Jones"
    assert again["patient"]["clinical_notes"] == "Wears lenses"
    assert again["patient"]["extended"] == {"a": 1}
    assert add(api, last_name="Jones")["result"] == "unchanged"
    assert Patient.objects.count() == 1


def test_an_external_id_lets_a_household_share_a_number(api) -> None:
    parent = add(api, external_id="P1")["patient"]
    child = add(api, external_id="P2", first_name="Tim")["patient"]
    assert parent["id"] != child["id"]
    assert parent["phone_number"] == child["phone_number"]
    moved = add(api, external_id="P2", first_name="Tim", phone_number="07700900009")["patient"]
    assert moved["id"] == child["id"]


def test_names_decide_who_of_a_household_is_meant(api, assert_error) -> None:
    parent = add(api, external_id="P1")["patient"]
    child = add(api, external_id="P2", first_name="Tim")["patient"]
    assert add(api, first_name="tim ")["patient"]["id"] == child["id"]
    answer = api.post("/patients", {**JANE, "first_name": "Nobody"})
    body = assert_error(answer, 409, "ambiguous_patient")
    assert sorted(body["candidates"]) == sorted([parent["id"], child["id"]])
    assert Patient.objects.count() == 2


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("12345", None),
        ("not a number", "not_a_number"),
        ("09061234567", "premium_rate"),
        ("07012345678", "personal_number"),
        ("+33612345678", None),
        ("x" * 64, "not_a_number"),
    ],
)
def test_a_number_that_cannot_be_used(api, assert_error, number, reason) -> None:
    body = assert_error(
        api.post("/patients", {**JANE, "phone_number": number}), 422, "invalid_phone"
    )
    assert body["reason"]
    if reason:
        assert body["reason"] == reason
    assert not Patient.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"first_name": None}, "first_name"),
        ({"first_name": ""}, "first_name"),
        ({"first_name": 7}, "first_name"),
        ({"first_name": "x" * 81}, "first_name"),
        ({"phone_number": None}, "phone_number"),
        ({"phone_number": ""}, "phone_number"),
        ({"phone_number": 7700900001}, "phone_number"),
        ({"phone_number": "0" * 5000}, "phone_number"),
        ({"email": "nobody"}, "email"),
        ({"email": ["a@example.org"]}, "email"),
        ({"last_eye_test_date": "15/01/2024"}, "last_eye_test_date"),
        ({"last_eye_test_date": "2024-02-30"}, "last_eye_test_date"),
        ({"last_eye_test_date": "2027-01-01"}, "last_eye_test_date"),
        ({"last_eye_test_date": 20240115}, "last_eye_test_date"),
        ({"date_of_birth": "2030-01-01"}, "date_of_birth"),
        ({"risk_category": "unknown"}, "risk_category"),
        ({"risk_category": None}, "risk_category"),
        ({"clinical_notes": "x" * 5001}, "clinical_notes"),
        ({"external_id": "x" * 65}, "external_id"),
        ({"extended": [1]}, "extended"),
        ({"extended": {"a": "x" * 17000}}, "extended"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_written(api, assert_error, changes, field) -> None:
    answer = api.post("/patients", {**JANE, **changes})
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {field}
    assert not Patient.objects.exists()


@pytest.mark.parametrize("field", ["first_name", "phone_number"])
def test_what_a_new_patient_needs(api, assert_error, field) -> None:
    body = {name: value for name, value in JANE.items() if name != field}
    assert_error(api.post("/patients", body), 400, "invalid", field)


def test_unknown_keys_are_ignored(api) -> None:
    assert add(api, shoe_size=41, opted_out=True, id="pat_x")["patient"]["opted_out"] is False


def test_null_clears_what_is_optional(api) -> None:
    made = add(
        api,
        email="j@example.org",
        clinical_notes="x",
        extended={"a": 1},
        date_of_birth="1980-02-03",
    )["patient"]
    cleared = dict.fromkeys(
        ["email", "clinical_notes", "extended", "date_of_birth", "last_name"], None
    )
    body = api.patch(f"/patients/{made['id']}", cleared).json()["patient"]
    assert {name: body[name] for name in cleared} == {**cleared, "extended": {}}


def test_a_change_is_refused_whole(api, assert_error) -> None:
    made = add(api)["patient"]
    path = f"/patients/{made['id']}"
    assert_error(api.patch(path, {"last_name": "New", "risk_category": "x"}), 400, "invalid")
    assert_error(api.patch(path, {"last_name": "New", "phone_number": "123"}), 422, "invalid_phone")
    assert api.get(path).json()["patient"] == made
    assert api.patch(path, {}).json()["result"] == "unchanged"


def test_an_external_id_that_is_taken(api, assert_error) -> None:
    first = add(api, external_id="P1")["patient"]
    second = add(api, external_id="P2", first_name="Tim")["patient"]
    answer = api.patch(f"/patients/{second['id']}", {"external_id": "P1"})
    assert assert_error(answer, 409, "external_id_taken")["candidates"] == [first["id"]]


@pytest.mark.parametrize("path", ["pat_01HXYZ5T4W0V8S2Q6R9K3M7N1B", "c_01HXYZ", "x", "%00", "1"])
def test_nobody_has_such_an_id(api, path) -> None:
    for method, body in (("GET", None), ("PATCH", {"last_name": "x"}), ("DELETE", None)):
        assert api.send(method, f"/patients/{path}", body=body).status_code == 404


def test_another_practice_sees_and_changes_nothing(api, other_api) -> None:
    made = add(api)["patient"]
    path = f"/patients/{made['id']}"
    missing = other_api.get("/patients/pat_01HXYZ5T4W0V8S2Q6R9K3M7N1B")
    for method, body in (("GET", None), ("PATCH", {"last_name": "x"}), ("DELETE", None)):
        answer = other_api.send(method, path, body=body)
        assert (answer.status_code, answer.content) == (404, missing.content)
    assert other_api.get("/patients").json()["patients"] == []
    assert add(other_api)["patient"]["id"] != made["id"]
    assert api.get(path).json()["patient"] == made


def test_reading_needs_read_and_writing_needs_write(read_only_api, api, assert_error) -> None:
    made = add(api)["patient"]
    assert read_only_api.get("/patients").status_code == 200
    assert_error(read_only_api.post("/patients", JANE), 403, "missing_scope")
    assert_error(read_only_api.patch(f"/patients/{made['id']}", {}), 403, "missing_scope")
    assert_error(read_only_api.delete(f"/patients/{made['id']}"), 403, "missing_scope")


def test_a_suppressed_number_is_taken_never_contacted_and_says_so(api, practice) -> None:
    opt_out.record_number(
        practice=practice, phone="+447700900001", source="sms_reply", actor=Actor.system("test")
    )
    body = add(api)
    assert body["patient"]["opted_out"] is True
    assert body["patient"]["contactable"] is False
    assert [warning["code"] for warning in body["warnings"]] == ["opted_out"]
    assert api.get(f"/patients/{body['patient']['id']}").json()["patient"] == body["patient"]


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"email": "a@example.org", "phone_number": ""},
        {"phone_number": ""},
        {"phone_wrong_at": NOW},
        {"phone_wrong_at": NOW, "email": "a@example.org"},
        {"email": "a@example.org", "email_bounced_at": NOW, "phone_number": ""},
        {"opted_out_at": NOW},
        {"opted_out_channels": ["sms", "voice"]},
        {"archived_at": NOW},
        {"deceased_at": NOW},
        {"erased_at": NOW},
        {"clinical_notes": 'Says "häm"', "extended": {"ü": [1, None]}, "title": "Dr"},
        {"last_name": "O'Brien\\ \u2028", "external_id": "a%b"},
    ],
)
def test_a_written_record_and_a_read_one_look_the_same(api, practice, details) -> None:
    number = details.get("phone_number", engine.JANE)
    rest = {n: v for n, v in details.items() if n not in ("phone_number", "email")}
    made = engine.patient(practice, number, details.get("email", ""), **rest)
    made.refresh_from_db()
    read = api.get(f"/patients/{made.public_id}").json()["patient"]
    assert orjson.loads(render.dump(api_shape.of(made))) == read
    assert set(read) == set(api_shape.PATIENTS.columns)
