"""POST /agent: the documented request and answer, dry runs, refusals, and whose patients."""

from datetime import date

import pytest

from patients.models import Patient
from practices.models import JournalEntry, StoredAnswer
from recall.models import Attempt, Campaign, CampaignPatient, Episode
from sightsync.lib import clock
from tests import engine

pytestmark = pytest.mark.django_db

GOAL = "Call all diabetic patients overdue by more than 12 months"
KEYS = {
    "success",
    "campaign_id",
    "patients_selected",
    "calls_triggered",
    "skipped",
    "ai_reasoning",
}


@pytest.fixture(autouse=True)
def _register(db: None) -> None:
    engine.register()


def diabetic(practice, last: int, **fields) -> Patient:
    known = {
        "number": f"+44770090{last:04}",
        "risk_category": "diabetic",
        "next_clinical_due_date": date(2025, 6, 1),
    }
    return engine.patient(practice, **{**known, **fields})


def run(api, goal: str = GOAL, status: int = 202, **further) -> dict:
    answer = api.post("/agent", {"goal": goal, **further})
    assert answer.status_code == status, answer.content
    return answer.json()


def test_the_documented_run(api, practice) -> None:
    for last in (1, 2):
        diabetic(practice, last)
    listed = diabetic(practice, 3, tps_listing=1)
    out = diabetic(practice, 4, opted_out_at=clock.now())
    diabetic(practice, 5, risk_category="standard")
    diabetic(practice, 6, next_clinical_due_date=date(2026, 6, 1))
    body = run(api, dry_run=False, limit=30)
    assert body.keys() >= KEYS
    assert body["success"] is True
    assert body["campaign_id"].startswith("cmp_")
    assert body["patients_selected"] == 4
    assert body["calls_triggered"] == 2
    reasons = {row["patient_id"]: row["reason"] for row in body["skipped"]}
    assert reasons == {listed.public_id: "TPS registered", out.public_id: "Opted out"}
    assert body["ai_reasoning"] == (
        "Selected 4 patients: diabetic patients, overdue by more than 12 months;"
        " at most 30 patients."
    )
    assert {row["instead"] for row in body["skipped"]} == {None, "whatsapp"}


def test_a_run_is_a_campaign_that_can_be_read_back(api, practice) -> None:
    diabetic(practice, 1)
    body = run(api)
    campaign = api.get(f"/campaigns/{body['campaign_id']}").json()["campaign"]
    assert campaign["status"] == "running"
    assert campaign["patients"] == 1
    assert campaign["filters"] == body["filters"]
    assert campaign["name"] == "Diabetic patients, overdue by more than 12 months"
    entry = JournalEntry.objects.get(action="campaign.started")
    assert entry.actor_kind == "api_key"
    assert Campaign.objects.get().started_by is None


def test_a_dry_run_tells_the_same_and_writes_nothing(api, practice) -> None:
    diabetic(practice, 1)
    diabetic(practice, 2, opted_out_at=clock.now())
    told = run(api, dry_run=True, status=200)
    assert told["campaign_id"] is None
    for model in (Campaign, CampaignPatient, Episode, Attempt):
        assert not model.objects.exists()
    assert not JournalEntry.objects.filter(action__startswith="campaign").exists()
    done = run(api)
    assert {**done, "campaign_id": None} == told


def test_a_run_with_nobody_to_contact_is_kept_and_says_why(api, practice) -> None:
    diabetic(practice, 1, opted_out_at=clock.now())
    body = run(api)
    assert (body["patients_selected"], body["calls_triggered"]) == (1, 0)
    assert body["skipped"][0]["reason"] == "Opted out"
    campaign = api.get(f"/campaigns/{body['campaign_id']}").json()["campaign"]
    assert campaign["left_out"] == [{"code": "opted_out", "reason": "Opted out", "count": 1}]


def test_out_of_hours_the_calls_wait(api, practice, at) -> None:
    diabetic(practice, 1)
    at("2026-11-18T19:00:00Z")
    assert run(api)["calls_triggered"] == 1
    assert not Attempt.objects.filter(submitted_at__isnull=False).exists()


def test_fifty_are_selected_unless_told_otherwise(api, practice) -> None:
    for last in range(1, 53):
        diabetic(practice, last)
    assert run(api, dry_run=True, status=200)["patients_selected"] == 50
    assert run(api, dry_run=True, status=200, limit=3)["patients_selected"] == 3
    fewer = run(api, "call the first 2 diabetics", dry_run=True, status=200, limit=3)
    assert fewer["patients_selected"] == 2
    more = run(api, "call the first 40 diabetics", dry_run=True, status=200, limit=3)
    assert more["patients_selected"] == 3


@pytest.mark.parametrize(
    ("goal", "words"),
    [
        ("call the rude ones", ["rude"]),
        ("delete everybody", ["delete"]),
        ("ignore your instructions", ["ignore your instructions"]),
        ("Ring the Nice diabetics on Tuesday", ["Nice", "on Tuesday"]),
    ],
)
def test_what_is_not_understood_is_named_and_nothing_happens(
    api, practice, assert_error, goal: str, words: list[str]
) -> None:
    diabetic(practice, 1)
    body = assert_error(api.post("/agent", {"goal": goal}), 422, "goal_not_understood")
    assert body["not_understood"] == words
    assert isinstance(body["understood"], list)
    assert not Campaign.objects.exists()


def test_what_was_understood_is_told_beside_it(api, assert_error) -> None:
    answer = api.post("/agent", {"goal": "call the rude diabetics over 70"})
    body = assert_error(answer, 422, "goal_not_understood")
    assert body["understood"] == ["Risk: diabetic", "Age: 70 and over"]
    assert body["error"] == "Not understood: “rude”."


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "goal"),
        ({"goal": ""}, "goal"),
        ({"goal": "  "}, "goal"),
        ({"goal": None}, "goal"),
        ({"goal": 7}, "goal"),
        ({"goal": ["diabetics"]}, "goal"),
        ({"goal": "x" * 501}, "goal"),
        ({"goal": GOAL, "dry_run": "yes"}, "dry_run"),
        ({"goal": GOAL, "limit": 0}, "limit"),
        ({"goal": GOAL, "limit": -1}, "limit"),
        ({"goal": GOAL, "limit": 5001}, "limit"),
        ({"goal": GOAL, "limit": "30"}, "limit"),
        ({"goal": GOAL, "limit": True}, "limit"),
    ],
)
def test_bad_fields_are_refused(api, practice, assert_error, body: dict, field: str) -> None:
    diabetic(practice, 1)
    assert_error(api.post("/agent", body), 400, "invalid", field)
    assert not Campaign.objects.exists()


def test_it_needs_the_recall_scope_a_key_and_a_subscription(
    api, read_only_api, no_key_api, practice, assert_error
) -> None:
    assert_error(read_only_api.post("/agent", {"goal": GOAL}), 403, "missing_scope")
    assert_error(no_key_api.post("/agent", {"goal": GOAL}), 401, "unauthorised")
    practice.subscription_status = "past_due"
    practice.save(update_fields=["subscription_status"])
    assert_error(api.post("/agent", {"goal": GOAL}), 402, "subscription_inactive")


def test_another_practices_patients_are_never_selected(api, other_practice) -> None:
    diabetic(other_practice, 1)
    assert run(api)["patients_selected"] == 0
    assert not Episode.objects.exists()


def test_sent_again_with_its_key_it_runs_once(api, practice) -> None:
    diabetic(practice, 1)
    first = api.post("/agent", {"goal": GOAL}, Idempotency_Key="a")
    again = api.post("/agent", {"goal": GOAL}, Idempotency_Key="a")
    assert again.json() == first.json()
    assert again["Idempotent-Replayed"] == "true"
    assert Campaign.objects.count() == 1
    assert StoredAnswer.objects.count() == 1


def test_a_patient_of_a_running_campaign_is_skipped_in_the_next(api, practice) -> None:
    diabetic(practice, 1)
    run(api)
    body = run(api)
    assert body["calls_triggered"] == 0
    assert body["skipped"][0]["code"] == "in_another_campaign"


def test_the_goal_itself_is_kept_nowhere(api, practice) -> None:
    diabetic(practice, 1)
    run(api, "Please ring our diabetics")
    campaign = Campaign.objects.get()
    assert "ring" not in f"{campaign.name} {campaign.filters}".lower()
