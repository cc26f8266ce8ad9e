"""GET /patients: who is in the list, in which order, and that totals and pages are exact."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from patients import opt_out
from patients.models import Patient
from practices.journal import Actor
from sightsync.lib import clock
from tests import engine

ACTOR = Actor.system("test")


@pytest.fixture
def crowd(practice) -> list[Patient]:
    """Twelve patients, the one of the highest number due first; two share a day."""
    return [
        engine.patient(
            practice,
            f"+4477009000{number:02d}",
            first_name=f"P{number}",
            next_clinical_due_date=date(2026, 12, 1) - timedelta(days=10 * (number // 2)),
            risk_category="diabetic" if number % 3 == 0 else "standard",
            external_id=f"E{number}",
        )
        for number in range(12)
    ]


def names(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    body = answer.json()
    return [row["first_name"] for row in body.get("patients", body.get("data"))]


def test_by_due_date_earliest_first(api, crowd) -> None:
    body = api.get("/patients").json()
    due = [row["next_clinical_due_date"] for row in body["patients"]]
    assert due == sorted(due)
    assert [row["first_name"] for row in body["patients"]][:4] == ["P10", "P11", "P8", "P9"]
    assert (body["total"], body["limit"], body["offset"]) == (12, 100, 0)


def test_pages_join_without_gap_or_overlap(api, crowd) -> None:
    whole = names(api.get("/patients"))
    by_limit = [
        name
        for offset in range(0, 15, 5)
        for name in names(api.get("/patients", {"limit": "5", "offset": str(offset)}))
    ]
    by_size = [
        name
        for start in range(1, 16, 5)
        for name in names(api.get("/patients", {"size": "5", "start": str(start)}))
    ]
    assert by_limit == by_size == whole
    body = api.get("/patients", {"size": "5", "start": "11"}).json()
    assert body["pagination"] == {
        "start": 11,
        "requested_size": 5,
        "returned_count": 2,
        "total": 12,
        "hasMore": False,
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"risk_category": "diabetic"}, {0, 3, 6, 9}),
        ({"overdue_only": "true"}, set(range(4, 12))),
        ({"overdue_only": "false"}, set(range(12))),
        ({"overdue_only": "true", "risk_category": "diabetic"}, {6, 9}),
        ({"due_from": "2026-11-11", "due_to": "2026-11-21"}, {2, 3, 4, 5}),
        ({"external_id": "E7"}, {7}),
        ({"external_id": "nobody"}, set()),
        ({"opted_out": "true"}, set()),
        ({"opted_out": "false"}, set(range(12))),
        ({"updated_since": "2026-11-18T10:04:00Z"}, set(range(12))),
        ({"updated_since": "2026-11-18T10:04:01+00:00"}, set()),
        ({"status": "all"}, set(range(12))),
        ({"status": "archived"}, set()),
    ],
)
def test_filters(api, crowd, query, found) -> None:
    body = api.get("/patients", query).json()
    assert {row["first_name"] for row in body["patients"]} == {f"P{n}" for n in found}
    assert body["total"] == len(found)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "501"}, "limit"),
        ({"limit": "0"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"offset": "-1"}, "offset"),
        ({"size": "501"}, "size"),
        ({"start": "0"}, "start"),
        ({"limit": "5", "size": "5"}, "size"),
        ({"risk_category": "all"}, "risk_category"),
        ({"overdue_only": "maybe"}, "overdue_only"),
        ({"opted_out": "maybe"}, "opted_out"),
        ({"due_from": "yesterday"}, "due_from"),
        ({"due_from": "2026-02-01", "due_to": "2026-01-01"}, "due_to"),
        ({"updated_since": "2026-01-01"}, "updated_since"),
        ({"status": "gone"}, "status"),
    ],
)
def test_a_wrong_parameter_is_named(api, assert_error, query, field) -> None:
    assert_error(api.get("/patients", query), 400, "invalid", field)


def test_due_today_is_not_overdue(api, practice) -> None:
    engine.patient(practice, next_clinical_due_date=clock.today())
    assert api.get("/patients", {"overdue_only": "true"}).json()["total"] == 0


@pytest.mark.parametrize("status", ["archived", "deceased", "erased"])
def test_who_is_no_patient_any_more_is_asked_for_by_name(api, crowd, status) -> None:
    Patient.objects.filter(first_name="P3").update(**{f"{status}_at": clock.now()})
    assert "P3" not in names(api.get("/patients"))
    assert names(api.get("/patients", {"status": status})) == ["P3"]
    assert api.get("/patients", {"status": "all"}).json()["total"] == 12


def test_the_total_follows_every_change_at_once(api, practice, crowd) -> None:
    def total(**query) -> int:
        return api.get("/patients", query).json()["total"]

    assert (total(), total(opted_out="true"), total(overdue_only="true")) == (12, 0, 8)
    opt_out.record(patient=crowd[0], source="staff", actor=ACTOR)
    assert total(opted_out="true") == 1
    sent = {"first_name": "New", "phone_number": "07700900099", "last_eye_test_date": "2020-01-01"}
    made = api.post("/patients", sent).json()["patient"]
    assert (total(), total(overdue_only="true")) == (13, 9)
    api.patch(f"/patients/{made['id']}", {"last_eye_test_date": "2026-11-01"})
    assert (total(), total(overdue_only="true")) == (13, 8)
    api.delete(f"/patients/{made['id']}")
    assert total() == 12


def test_a_day_later_more_are_overdue(api, practice, at) -> None:
    engine.patient(practice, next_clinical_due_date=date(2026, 11, 18))
    assert api.get("/patients", {"overdue_only": "true"}).json()["total"] == 0
    at("2026-11-19T10:00:00Z")
    assert api.get("/patients", {"overdue_only": "true"}).json()["total"] == 1


def test_a_list_costs_the_same_however_long_it_is(api, practice, crowd) -> None:
    api.get("/patients")
    with CaptureQueriesContext(connection) as few:
        assert len(names(api.get("/patients", {"limit": "2"}))) == 2
    with CaptureQueriesContext(connection) as many:
        assert len(names(api.get("/patients"))) == 12
    assert len(few) == len(many) <= 3


# --- what a write costs -------------------------------------------------------------------------

SENT = {
    "first_name": "Jane",
    "last_name": "Smith",
    "phone_number": "07700900001",
    "email": "jane@example.org",
    "risk_category": "diabetic",
    "last_eye_test_date": "2024-01-15",
}


def statements(api, body) -> list[str]:
    """What POST asks of the database beside the gate and the transaction's own words."""
    with CaptureQueriesContext(connection) as captured:
        answer = api.post("/patients", body)
    assert answer.status_code == 200, answer.content
    words = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")
    return [
        query["sql"] for query in captured.captured_queries if not query["sql"].startswith(words)
    ]


@pytest.mark.parametrize("external_id", ["", "P1"])
def test_a_post_asks_five_times_at_most(api, practice, external_id) -> None:
    engine.register()
    api.get("/usage")
    body = {**SENT, "external_id": external_id}
    for what, changes in (
        ("created", {}),
        ("updated", {"last_name": "Jones", "risk_category": "standard"}),
        ("updated", {"last_name": "Jones", "email": "new@example.org"}),
        ("unchanged", {"last_name": "Jones", "email": "new@example.org"}),
    ):
        asked = statements(api, {**body, **changes})
        assert len(asked) <= 5, (what, len(asked), asked)
