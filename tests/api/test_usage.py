"""GET /usage: the document's keys, and figures of the practice's own month."""

from datetime import date, timedelta

import pytest

from practices import quota
from practices.models import Practice
from recall.models import AttemptState, Outcome
from sightsync.lib import clock
from tests import engine

NOVEMBER = date(2026, 11, 1)


def test_answers_as_documented(api, practice) -> None:
    answer = api.get("/usage")
    assert answer.status_code == 200
    body = answer.json()
    assert body["period"] == {"start": "2026-11-01", "end": "2026-11-30"}
    assert body["plan"] == "growth"
    assert body["status"] == "active"
    assert body["calls"] == {"used": 0, "limit": 750, "remaining": 750, "overage": 0}
    assert [day["date"] for day in body["daily"]] == [f"2026-11-{day:02d}" for day in range(1, 19)]
    assert {(d["total"], d["completed"], d["failed"]) for d in body["daily"]} == {(0, 0, 0)}


def test_counts_what_was_taken_and_what_is_over(api, practice) -> None:
    for _ in range(3):
        quota.take(practice=practice, month=NOVEMBER)
    assert api.get("/usage").json()["calls"] == {
        "used": 3,
        "limit": 750,
        "remaining": 747,
        "overage": 0,
    }
    practice.usage.update(calls_used=760)
    assert api.get("/usage").json()["calls"] == {
        "used": 760,
        "limit": 750,
        "remaining": 0,
        "overage": 10,
    }


@pytest.mark.parametrize(
    ("state", "outcome", "completed", "failed"),
    [
        (AttemptState.DONE, Outcome.BOOKED, 1, 0),
        (AttemptState.DONE, Outcome.VOICEMAIL, 1, 0),
        (AttemptState.DONE, Outcome.NO_ANSWER, 0, 1),
        (AttemptState.FAILED, Outcome.FAILED, 0, 1),
        (AttemptState.ACCEPTED, "", 0, 0),
    ],
)
def test_a_days_calls(api, practice, state, outcome, completed, failed) -> None:
    call = engine.under_way(engine.patient(practice))
    type(call).objects.filter(pk=call.pk).update(
        state=state, outcome=outcome, submitted_at=clock.now()
    )
    days = {day.pop("date"): day for day in api.get("/usage").json()["daily"]}
    assert days["2026-11-18"] == {"total": 1, "completed": completed, "failed": failed}


def test_days_are_londons(api, practice, at) -> None:
    at("2026-06-30T23:30:00Z")  # already July in London
    assert api.get("/usage").json()["period"] == {"start": "2026-07-01", "end": "2026-07-31"}


def test_another_practices_calls_do_not_count(api, other_practice) -> None:
    quota.take(practice=other_practice, month=NOVEMBER)
    call = engine.under_way(engine.patient(other_practice))
    type(call).objects.filter(pk=call.pk).update(submitted_at=clock.now() - timedelta(hours=1))
    body = api.get("/usage").json()
    assert body["calls"]["used"] == 0
    assert sum(day["total"] for day in body["daily"]) == 0


def test_reads_in_few_queries(api, practice: Practice, django_assert_max_num_queries) -> None:
    api.get("/usage")
    with django_assert_max_num_queries(4):
        assert api.get("/usage").status_code == 200
