"""Both ways of paging, exact totals while others write, and pages that cost the same everywhere."""

import json
import threading
from datetime import date, timedelta

import orjson
import pytest
from django.db import connection, connections, transaction
from django.db.models import F

from patients.models import Patient
from practices import journal
from practices.journal import Actor
from practices.models import Practice
from sightsync.lib import clock, ids
from sightsync.lib.api import lists, render
from sightsync.lib.api.paging import Window
from tests.api import toy

pytestmark = pytest.mark.urls("tests.api.toy")
URL = "/toy"
FIRST = date(2025, 1, 1)


def fill(practice: Practice, count: int, **values) -> None:
    """Patients 1, 2, 3... in order of their due dates, four to a date, written with a journal."""
    Patient.objects.bulk_create(
        Patient(
            practice=practice,
            first_name=f"P{number}",
            next_clinical_due_date=FIRST + timedelta(days=number // 4),
            due_source="never_tested",
            created_at=clock.now(),
            updated_at=clock.now(),
            **values,
        )
        for number in range(1, count + 1)
    )
    change(practice)


def change(practice: Practice) -> None:
    with transaction.atomic():
        journal.record(practice=practice, action="patient.updated", actor=Actor.system("test"))


def every(practice: Practice) -> list[str]:
    rows = Patient.objects.filter(practice=practice).order_by("next_clinical_due_date", "pk")
    return [row.public_id for row in rows]


def test_limit_and_offset(api, practice) -> None:
    fill(practice, 7)
    body = api.get(URL, {"limit": 3, "offset": 3}).json()
    assert [row["id"] for row in body.pop("patients")] == every(practice)[3:6]
    assert body == {"total": 7, "limit": 3, "offset": 3}
    assert api.get(URL).json()["limit"] == 2


def test_size_and_start(api, practice) -> None:
    fill(practice, 7)
    body = api.get(URL, {"size": 3, "start": 4}).json()
    assert [row["id"] for row in body.pop("data")] == every(practice)[3:6]
    assert body == {
        "pagination": {
            "start": 4,
            "requested_size": 3,
            "returned_count": 3,
            "total": 7,
            "hasMore": True,
        }
    }
    last = api.get(URL, {"size": 5, "start": 6}).json()["pagination"]
    assert (last["returned_count"], last["hasMore"]) == (2, False)


def test_beyond_the_end_is_empty_with_the_total(api, practice) -> None:
    fill(practice, 3)
    for offset in (3, 400, 100_000):
        body = api.get(URL, {"offset": offset}).json()
        assert (body["patients"], body["total"]) == ([], 3)
    assert api.get(URL, {"risk": "diabetic"}).json()["total"] == 0


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "6"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"limit": ""}, "limit"),
        ({"limit": "1.5"}, "limit"),
        ({"limit": "٣"}, "limit"),
        ({"limit": "9" * 400}, "limit"),
        ({"offset": "-1"}, "offset"),
        ({"offset": "x"}, "offset"),
        ({"offset": str(2**40)}, "offset"),
        ({"size": "0"}, "size"),
        ({"size": "6"}, "size"),
        ({"start": "0"}, "start"),
        ({"size": "2", "limit": "2"}, "size"),
        ({"start": "2", "offset": "2"}, "size"),
        ({"risk": "unknown"}, "risk"),
    ],
)
def test_wrong_numbers_are_400(api, assert_error, query, field) -> None:
    assert_error(api.get(URL, query), 400, "invalid", field)


def test_every_page_of_a_long_list_joins_up(api, practice, monkeypatch) -> None:
    monkeypatch.setattr(lists, "MARK_EVERY", 7)
    fill(practice, 50)
    found = []
    for offset in range(0, 50, 5):
        body = api.get(URL, {"limit": 5, "offset": offset}).json()
        assert body["total"] == 50
        found += [row["id"] for row in body["patients"]]
    assert found == every(practice)


def test_values_are_written_as_documented(api, practice) -> None:
    fill(practice, 1, extended={"a": [1, "é"]}, opted_out_at=clock.now())
    Patient.objects.update(created_at="2026-07-01T00:30:15.999+01:00")
    assert api.get(URL).json()["patients"] == [
        {
            "id": every(practice)[0],
            "first_name": "P1",
            "next_clinical_due_date": "2025-01-01",
            "extended": {"a": [1, "é"]},
            "created_at": "2026-06-30T23:30:15Z",
            "opted_out_at": "2026-11-18T10:04:00Z",
        }
    ]


def test_filtered_lists_have_totals_of_their_own(api, practice) -> None:
    fill(practice, 3)
    fill(practice, 4, risk_category="diabetic")
    assert api.get(URL).json()["total"] == 7
    assert api.get(URL, {"risk": "diabetic"}).json()["total"] == 4
    assert api.get(URL, {"risk": "standard"}).json()["total"] == 3


def test_practices_do_not_share_totals(api, other_api, practice, other_practice) -> None:
    fill(practice, 3)
    fill(other_practice, 5)
    assert api.get(URL).json()["total"] == 3
    assert other_api.get(URL).json()["total"] == 5


def test_a_known_list_costs_one_statement_and_a_change_is_seen_at_once(
    api, practice, django_assert_num_queries
) -> None:
    fill(practice, 3)
    assert api.get(URL).json()["total"] == 3
    with django_assert_num_queries(2):  # the key, the page
        assert api.get(URL).json()["total"] == 3
    fill(practice, 1)
    assert api.get(URL).json()["total"] == 4
    journal.seal()
    with django_assert_num_queries(2):  # sealing changes nothing
        assert api.get(URL).json()["total"] == 4
    Patient.objects.filter(first_name="P3").delete()
    change(practice)
    assert api.get(URL).json()["total"] == 3


def test_rows_that_did_not_change_are_not_written_again(
    api, practice, django_assert_num_queries
) -> None:
    fill(practice, 4)
    api.get(f"{URL}?limit=4")
    with django_assert_num_queries(2):  # the key, the versions
        api.get(f"{URL}?limit=4")
    # A change behind the journal's back, so that the total's version stays what it was.
    Patient.objects.filter(first_name="P2").update(first_name="Changed")
    with django_assert_num_queries(3):  # and the page
        names = [row["first_name"] for row in api.get(f"{URL}?limit=4").json()["patients"]]
    assert sorted(names) == ["Changed", "P1", "P3", "P4"]
    with django_assert_num_queries(2):
        assert api.get(f"{URL}?limit=4").json()["patients"][0]["id"].startswith("pat_")


def test_rows_are_kept_in_bounds(practice, monkeypatch) -> None:
    monkeypatch.setattr(lists, "_KEPT_ROWS", 3)
    fill(practice, 5)
    rows = Patient.objects.filter(practice=practice)
    for offset in range(4):
        found, _ = toy.TABLE.page(rows, Window(2, offset, False), journal.version(practice.pk))
        assert len(found) == 2
        assert len(toy.TABLE._rows) <= 3


@pytest.mark.django_db(transaction=True)
def test_a_change_that_commits_late_is_counted(other_practice) -> None:
    """Its journal id is lower than one that was seen already: the newest id would hide it."""
    practice = other_practice
    fill(practice, 2)
    begun, go_on = threading.Event(), threading.Event()

    def slow_writer() -> None:
        try:
            with transaction.atomic():
                fill(practice, 1)
                begun.set()
                go_on.wait(10)
        finally:
            connections.close_all()

    def total() -> int:
        rows = Patient.objects.filter(practice=practice)
        return toy.TABLE.page(rows, Window(5, 0, False), journal.version(practice.pk))[1]

    thread = threading.Thread(target=slow_writer)
    thread.start()
    assert begun.wait(10)
    fill(practice, 1)
    assert total() == 3
    go_on.set()
    thread.join()
    assert total() == 4


def _plan_cost(offset: int, practice: Practice) -> int:
    """Index entries and rows that PostgreSQL reads for a page, of those in its cache."""
    rows = Patient.objects.filter(practice=practice)
    connection.force_debug_cursor = True
    try:
        for _ in range(2):
            found, total = toy.TABLE.page(
                rows, Window(5, offset, False), journal.version(practice.pk)
            )
        sql = connection.queries[-1]["sql"]
    finally:
        connection.force_debug_cursor = False
    assert total == 3000
    assert len(found) == 5
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        plan = cursor.fetchone()[0]
    plan = plan[0]["Plan"] if isinstance(plan, list) else json.loads(plan)[0]["Plan"]
    return max(_actual_rows(plan))


def _actual_rows(plan: dict) -> list[int]:
    inner = [count for child in plan.get("Plans", []) for count in _actual_rows(child)]
    return [int(plan["Actual Rows"]), *inner]


def test_a_deep_page_reads_no_more_than_a_stretch(practice) -> None:
    fill(practice, 3000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE patients_patient")
    assert _plan_cost(2995, practice) <= lists.MARK_EVERY + 5


def test_a_list_filtered_through_another_table(practice, other_practice) -> None:
    fill(practice, 3)
    fill(other_practice, 2)
    rows = Patient.objects.filter(practice__name=practice.name).exclude(first_name="P2")
    found, total = toy.TABLE.page(rows, Window(5, 1, False), journal.version(practice.pk))
    assert ([row["first_name"] for row in orjson.loads(render.dump(found))], total) == (["P3"], 2)
    none = toy.TABLE.page(Patient.objects.none(), Window(5, 0, False), journal.version(practice.pk))
    assert none == ([], 0)


def test_one_row(practice, other_practice) -> None:
    fill(practice, 1)
    key = Patient.objects.values_list("pk", flat=True).get(practice=practice)
    found = toy.TABLE.one(practice=practice.pk, id=key, erased_at=None)
    assert found is not None
    assert orjson.loads(render.dump(found))["id"] == ids.encode("pat", key)
    assert toy.TABLE.one(practice=other_practice.pk, id=key) is None
    assert Patient.objects.filter(pk=key, created_at=F("created_at")).exists()
