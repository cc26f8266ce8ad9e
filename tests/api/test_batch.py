"""POST /recall/batch: who is queued, who is skipped and why, and a dry run that writes nothing."""

from datetime import date

import pytest
from django.db import connection

from patients import opt_out
from patients.models import Patient
from practices.models import JournalEntry, MonthlyUsage
from recall.models import Attempt, AttemptState, Episode
from sightsync.lib import ids
from tests import engine

pytestmark = pytest.mark.django_db
TOTALS = {"total", "triggered_count", "skipped_count"}


@pytest.fixture
def three(practice) -> list[Patient]:
    """Two who may be called, and one on the TPS."""
    engine.register()
    people = [engine.patient(practice, f"+44770090000{n}") for n in (1, 2, 3)]
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO tps_number VALUES (447700900003)")
    Patient.objects.filter(pk=people[2].pk).update(tps_listing=1)
    return people


def batch(api, people, **body):
    given = [one if isinstance(one, str) else one.public_id for one in people]
    return api.post("/recall/batch", {"patient_ids": given, **body})


def test_answers_as_documented(api, three) -> None:
    answer = batch(api, three, dry_run=False)
    assert answer.status_code == 202
    body = answer.json()
    calls = {row.patient_id: row for row in Attempt.objects.all()}
    assert body["triggered"] == [
        {"patient_id": one.public_id, "call_id": calls[one.pk].public_id} for one in three[:2]
    ]
    assert [(row["patient_id"], row["reason"], row["code"]) for row in body["skipped"]] == [
        (three[2].public_id, "TPS registered", "tps_listed")
    ]
    assert {name: body[name] for name in TOTALS} == {
        "total": 3,
        "triggered_count": 2,
        "skipped_count": 1,
    }
    assert {row.state for row in calls.values()} == {AttemptState.PLANNED}
    call = api.get(f"/calls/{body['triggered'][0]['call_id']}").json()
    assert (call["call_status"], call["is_complete"]) == ("queued", False)


def test_a_dry_run_writes_nothing(api, three) -> None:
    before = JournalEntry.objects.count()
    answer = batch(api, three, dry_run=True)
    assert answer.status_code == 200
    body = answer.json()
    assert [row["call_id"] for row in body["triggered"]] == [None, None]
    assert [row["code"] for row in body["skipped"]] == ["tps_listed"]
    assert (Attempt.objects.count(), Episode.objects.count()) == (0, 0)
    assert JournalEntry.objects.count() == before


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_row_for_everybody(api, three, other_practice, practice, dry_run) -> None:
    theirs = engine.patient(other_practice, "+447700900011")
    opted = engine.patient(practice, "+447700900012")
    opt_out.record(patient=opted, source="staff", actor=engine.ACTOR)
    twin = engine.patient(practice, three[0].phone_number)
    missing = ids.encode("pat", ids.new())
    given = [three[0], three[0].public_id.lower(), theirs, missing, "nonsense", opted, twin]
    body = batch(api, given, dry_run=dry_run).json()
    assert [row["patient_id"] for row in body["triggered"]] == [three[0].public_id]
    assert [row["code"] for row in body["skipped"]] == [
        "duplicate",
        *["patient_not_found"] * 3,
        "opted_out",
        "same_number",
    ]
    reasons = {row["code"]: row["reason"] for row in body["skipped"]}
    assert reasons["opted_out"] == "Opted out"
    assert body["total"] == 7


def test_no_more_than_the_month_has_left(api, three, practice) -> None:
    MonthlyUsage.objects.create(practice=practice, month=date(2026, 11, 1), calls_used=749)
    body = batch(api, three[:2]).json()
    assert body["triggered_count"] == 1
    assert [row["code"] for row in body["skipped"]] == ["quota_used_up"]


def test_out_of_hours_everybody_is_skipped_until_then(api, three, at) -> None:
    at("2026-11-18T19:00:00Z")
    answer = batch(api, three[:2])
    assert answer.status_code == 202
    rows = answer.json()["skipped"]
    assert {(row["code"], row["next_allowed_at"]) for row in rows} == {
        ("calling_hours", "2026-11-19T09:00:00Z")
    }
    assert not Attempt.objects.exists()


def test_a_second_batch_finds_the_first(api, three) -> None:
    batch(api, three[:2])
    body = batch(api, three[:2]).json()
    assert [row["code"] for row in body["skipped"]] == ["call_under_way"] * 2
    assert Attempt.objects.count() == 2


@pytest.mark.parametrize(
    "given",
    [None, [], "pat_1", {}, [1], [None], [["pat"]], ["pat_x"] * 51, ["x" * 101], [" " + "x" * 100]],
)
def test_bad_lists_are_400(api, given, assert_error) -> None:
    answer = api.post("/recall/batch", {"patient_ids": given})
    assert answer.status_code == 400
    assert any(name.startswith("patient_ids") for name in answer.json()["errors"])


@pytest.mark.parametrize("value", ["true", 1, None])
def test_dry_run_is_true_or_false(api, three, value, assert_error) -> None:
    assert_error(batch(api, three, dry_run=value), 400, "invalid", "dry_run")
    assert not Attempt.objects.exists()


def test_needs_the_recall_scope(read_only_api, three, assert_error) -> None:
    assert_error(batch(read_only_api, three), 403, "missing_scope")


def test_a_dry_run_costs_the_same_for_fifty(api, practice, django_assert_max_num_queries) -> None:
    engine.register()
    people = [engine.patient(practice, f"+4477009{n:05d}") for n in range(50)]
    with django_assert_max_num_queries(14):
        assert batch(api, people, dry_run=True).json()["triggered_count"] == 50
