"""GET /calls and GET /calls/{id}: the documented keys, filters, both pagings."""

from datetime import timedelta

import pytest
from django.conf import settings

from recall.booking import elsewhere
from recall.models import Attempt, AttemptState, Outcome
from recall.models.attempts import LIVE_STATES
from recall.selectors import for_api
from sightsync.lib import clock, ids
from tests import engine

pytestmark = pytest.mark.django_db
DOCUMENTED = {
    "id",
    "patient_id",
    "call_status",
    "duration",
    "appointment_booked",
    "ai_summary",
    "recording_url",
    "created_at",
    "patient",
}


@pytest.fixture
def jane(practice):
    return engine.patient(practice, first_name="Jane", last_name="Smith")


def make(patient, n: int = 0, state=AttemptState.DONE, outcome="", **fields) -> Attempt:
    return engine.planned(
        patient, state=state, outcome=outcome, provider_ref=f"CA{n:032d}", **fields
    )


@pytest.fixture
def booked(practice, jane) -> Attempt:
    call = make(
        jane,
        outcome=Outcome.BOOKED,
        duration_seconds=74,
        summary="Booked Thursday 19 November at 2pm.",
        answered_at=clock.now(),
        ended_at=clock.now(),
        recording="RE" + "1" * 32,
    )
    elsewhere.record(
        practice=practice,
        patient=jane,
        day=clock.today() + timedelta(days=1),
        wall=None,
        attempt=call,
        actor=engine.ACTOR,
    )
    return call


def test_the_list_is_as_documented(api, booked, jane) -> None:
    body = api.get("/calls", {"status": "booked", "limit": 10}).json()
    assert {name: body[name] for name in ("total", "limit", "offset")} == {
        "total": 1,
        "limit": 10,
        "offset": 0,
    }
    (call,) = body["calls"]
    assert {name: call[name] for name in DOCUMENTED} == {
        "id": booked.public_id,
        "patient_id": jane.public_id,
        "call_status": "booked",
        "duration": 74,
        "appointment_booked": True,
        "ai_summary": "Booked Thursday 19 November at 2pm.",
        "recording_url": f"{settings.PUBLIC_BASE_URL}/api/v1/calls/{booked.public_id}/recording",
        "created_at": "2026-11-18T10:04:00Z",
        "patient": {"first_name": "Jane", "last_name": "Smith"},
    }
    assert call["extended"] == {}


def test_one_call_is_as_documented_and_without_envelope(api, booked, jane) -> None:
    call = api.get(f"/calls/{booked.public_id}").json()
    more = {"appointment_booked_at", "call_outcome_notes", "is_complete"}
    assert {name: call[name] for name in DOCUMENTED | more} == {
        "id": booked.public_id,
        "patient_id": jane.public_id,
        "call_status": "booked",
        "duration": 74,
        "appointment_booked": True,
        "appointment_booked_at": "2026-11-18T10:04:00Z",
        "ai_summary": "Booked Thursday 19 November at 2pm.",
        "call_outcome_notes": None,
        "recording_url": f"{settings.PUBLIC_BASE_URL}/api/v1/calls/{booked.public_id}/recording",
        "is_complete": True,
        "created_at": "2026-11-18T10:04:00Z",
        "patient": {"first_name": "Jane", "last_name": "Smith"},
    }
    assert api.get(f"/calls/{booked.pk}").json() == call


def test_the_recording_is_heard_with_the_key_at_its_url(api, booked) -> None:
    answer = api.get(f"/calls/{booked.public_id}/recording")
    assert (answer["Content-Type"], answer.content.decode()) == ("audio/mpeg", booked.recording)
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("change", [{"recording": ""}, {"dialogue": {"recording_declined": True}}])
def test_without_a_recording_or_against_the_patients_word_there_is_no_url(
    api, booked, change
) -> None:
    Attempt.objects.update(**change)
    assert api.get(f"/calls/{booked.public_id}").json()["recording_url"] is None
    answer = api.get(f"/calls/{booked.public_id}/recording")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_recording")


STATUSES = [
    (AttemptState.PLANNED, "", "queued", None),
    (AttemptState.CLAIMED, "", "calling", None),
    (AttemptState.SUBMITTING, "", "calling", None),
    (AttemptState.ACCEPTED, "", "calling", None),
    (AttemptState.ACCEPTED, Outcome.BOOKED, "calling", None),
    (AttemptState.UNKNOWN, "", "calling", None),
    (AttemptState.DONE, Outcome.BOOKED, "booked", None),
    (AttemptState.DONE, Outcome.DECLINED, "answered", "Declined"),
    (AttemptState.DONE, Outcome.CALL_BACK, "answered", "Call back"),
    (AttemptState.DONE, Outcome.WRONG_PERSON, "answered", "Wrong number"),
    (AttemptState.DONE, Outcome.HUNG_UP, "answered", "Hung up"),
    (AttemptState.DONE, Outcome.ANSWERED, "answered", "No decision"),
    (AttemptState.DONE, "", "answered", None),
    (AttemptState.DONE, Outcome.OPTED_OUT, "opted_out", None),
    (AttemptState.DONE, Outcome.VOICEMAIL, "voicemail", None),
    (AttemptState.DONE, Outcome.NO_ANSWER, "no_answer", None),
    (AttemptState.DONE, Outcome.BUSY, "no_answer", "Busy"),
    (AttemptState.DONE, Outcome.FAILED, "failed", None),
    (AttemptState.FAILED, Outcome.FAILED, "failed", None),
    (AttemptState.FAILED, "", "failed", None),
    (AttemptState.CANCELLED, "", "failed", None),
]


@pytest.mark.parametrize(("state", "outcome", "status", "notes"), STATUSES)
def test_statuses(api, jane, state, outcome, status, notes) -> None:
    call = make(jane, state=state, outcome=outcome)
    found = api.get(f"/calls/{call.public_id}").json()
    assert (found["call_status"], found["call_outcome_notes"]) == (status, notes)
    complete = state not in (AttemptState.PLANNED, *LIVE_STATES)
    assert found["is_complete"] is complete


def test_every_state_and_outcome_has_exactly_one_status(practice, jane) -> None:
    """The words of the answer and the conditions of the filter are the same table."""
    n = 0
    for state in AttemptState:
        for outcome in ("", *Outcome):
            n += 1
            if state in (AttemptState.PLANNED, *LIVE_STATES):
                continue
            make(jane, n, state=state, outcome=outcome)
    texts = (Outcome.SENT, Outcome.DELIVERED, Outcome.READ, Outcome.UNDELIVERED)
    rows = Attempt.objects.exclude(outcome__in=texts, state__in=("done", "failed"))
    for row in rows:
        fitting = [
            name
            for name, condition in for_api.CALL_STATUSES.items()
            if Attempt.objects.filter(condition, pk=row.pk).exists()
        ]
        assert fitting == [for_api.call_status(row.state, row.outcome)], (row.state, row.outcome)


def test_a_cancelled_call_says_why(api, jane) -> None:
    call = make(jane, state=AttemptState.CANCELLED, reason="opted_out")
    found = api.get(f"/calls/{call.public_id}").json()
    assert (found["call_outcome_notes"], found["reason"]) == ("Opted out", "opted_out")


def test_filters(api, practice, jane) -> None:
    john = engine.patient(practice, "+447700900002", first_name="John")
    days = {"2026-11-10": jane, "2026-11-11": john, "2026-11-12": jane}
    for n, (day, who) in enumerate(days.items()):
        call = make(who, n, outcome=Outcome.NO_ANSWER)
        Attempt.objects.filter(pk=call.pk).update(created_at=f"{day}T23:30:00Z")

    def found(**query: str) -> list[str]:
        answer = api.get("/calls", query)
        assert answer.status_code == 200, answer.content
        return [call["created_at"][:10] for call in answer.json()["calls"]]

    assert found() == ["2026-11-12", "2026-11-11", "2026-11-10"]
    assert found(patient_id=jane.public_id) == ["2026-11-12", "2026-11-10"]
    assert found(**{"from": "2026-11-11"}) == ["2026-11-12", "2026-11-11"]
    assert found(**{"from": "2026-11-11", "to": "2026-11-11"}) == ["2026-11-11"]
    assert found(to="9999-12-31") == ["2026-11-12", "2026-11-11", "2026-11-10"]
    assert found(status="booked") == []
    assert found(status="no_answer", patient_id=str(john.pk)) == ["2026-11-11"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "201"),
        ("limit", "0"),
        ("limit", "many"),
        ("offset", "-1"),
        ("status", "ringing"),
        ("patient_id", "c_01KKE70B5Q3S8V1X6Z9C2N4M7K"),
        ("from", "yesterday"),
        ("to", "2026-02-30"),
    ],
)
def test_bad_parameters_are_400(api, name, value, assert_error) -> None:
    assert_error(api.get("/calls", {name: value}), 400, "invalid", name)


def test_both_pagings(api, practice) -> None:
    for n in range(3):
        make(engine.patient(practice, f"+44770090010{n}"), n)
    whole = api.get("/calls").json()
    assert (whole["limit"], whole["total"]) == (50, 3)
    last = api.get("/calls", {"limit": 1, "offset": 2}).json()
    assert last["calls"] == whole["calls"][2:]
    by_size = api.get("/calls", {"size": 2, "start": 2}).json()
    assert by_size["data"] == whole["calls"][1:]
    assert by_size["pagination"] == {
        "start": 2,
        "requested_size": 2,
        "returned_count": 2,
        "total": 3,
        "hasMore": False,
    }


def test_messages_are_no_calls(api, jane) -> None:
    letter = engine.planned(jane, "email")
    assert api.get("/calls").json()["total"] == 0
    assert api.get(f"/calls/{letter.public_id}").status_code == 404


def test_anothers_and_malformed_ids_are_404(api, other_api, booked, jane, assert_error) -> None:
    theirs = assert_error(other_api.get(f"/calls/{booked.public_id}"), 404, "not_found")
    for missing in (ids.encode("c", ids.new()), jane.public_id, "nonsense", "c_"):
        assert assert_error(api.get(f"/calls/{missing}"), 404, "not_found") == theirs
    assert other_api.get("/calls").json()["total"] == 0
    assert other_api.get("/calls", {"patient_id": jane.public_id}).json()["total"] == 0


def test_constant_queries(api, practice, django_assert_num_queries) -> None:
    for n in range(5):
        make(engine.patient(practice, f"+44770090010{n}"), n)
    api.get("/calls")
    for limit in (1, 5):
        with django_assert_num_queries(3):
            api.get("/calls", {"limit": limit})
