"""The API's appointments: the documented shapes, recording, and every change through one door."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from practices.models import JournalEntry
from recall.booking import book
from recall.messages import reminders
from recall.models import (
    Appointment,
    Attempt,
    Diary,
    DiaryHours,
    Episode,
    EpisodeState,
    Purpose,
)
from sightsync.lib import ids
from tests import engine

pytestmark = pytest.mark.django_db
TEN = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
DOCUMENTED = {
    "id",
    "patient_id",
    "appointment_date",
    "appointment_time",
    "status",
    "patients",
    "created_at",
}


@pytest.fixture
def jane(practice):
    return engine.patient(practice, first_name="Jane", last_name="Smith", risk_category="diabetic")


@pytest.fixture
def diary(practice) -> Diary:
    """Monday to Friday, nine to half past five."""
    row = Diary.objects.create(practice=practice, name="Room 1")
    DiaryHours.objects.bulk_create(
        DiaryHours(practice=practice, diary=row, weekday=day, opens=time(9), closes=time(17, 30))
        for day in range(5)
    )
    return row


@pytest.fixture
def ours(practice, jane, diary) -> Appointment:
    """Booked on a call, in our diary."""
    return book.book(
        practice=practice,
        patient=jane,
        diary_id=diary.pk,
        starts_at=TEN,
        source="call",
        actor=engine.ACTOR,
    )


@pytest.fixture
def theirs(api, jane) -> str:
    """Recorded over the API: its id."""
    return record(api, jane).json()["appointment"]["id"]


def record(api, patient, **body):
    asked = {"appointment_date": "2026-11-24", "appointment_time": "14:30", **body}
    return api.post("/appointments", {"patient_id": patient.public_id, **asked})


def actions(*names: str) -> list[str]:
    rows = JournalEntry.objects.filter(action__startswith="appointment.").order_by("pk")
    return list(rows.values_list("action", flat=True))


def test_the_list_is_as_documented(api, ours, jane) -> None:
    body = api.get("/appointments", {"from_date": "2026-11-24", "status": "booked"}).json()
    assert {name: body[name] for name in ("total", "limit", "offset")} == {
        "total": 1,
        "limit": 100,
        "offset": 0,
    }
    (row,) = body["appointments"]
    assert {name: row[name] for name in DOCUMENTED} == {
        "id": ours.public_id,
        "patient_id": jane.public_id,
        "appointment_date": "2026-11-24",
        "appointment_time": "10:00",
        "status": "booked",
        "patients": {
            "first_name": "Jane",
            "last_name": "Smith",
            "phone_number": "+447700900001",
            "risk_category": "diabetic",
        },
        "created_at": "2026-11-18T10:04:00Z",
    }
    assert api.get(f"/appointments/{ours.public_id}").json() == {"appointment": row}


def test_recording_is_as_documented(api, jane) -> None:
    answer = record(api, jane, status="booked", appointment_date="2027-04-15")
    assert answer.status_code == 201
    body = answer.json()
    assert body["success"] is True
    made = body["appointment"]
    row = Appointment.objects.get()
    assert {name: made[name] for name in DOCUMENTED - {"patients"}} == {
        "id": row.public_id,
        "patient_id": jane.public_id,
        "appointment_date": "2027-04-15",
        "appointment_time": "14:30",
        "status": "booked",
        "created_at": "2026-11-18T10:04:00Z",
    }
    assert made["starts_at"] == "2027-04-15T13:30:00Z"  # summer time
    assert (row.source, row.diary_id) == ("api", None)
    entry = JournalEntry.objects.get(action="appointment.booked")
    assert (entry.actor_kind, entry.patient_id) == ("api_key", jane.pk)


def test_recording_ends_the_recall_and_sends_nothing(api, jane) -> None:
    planned = engine.planned(jane)
    assert record(api, jane).status_code == 201
    planned.refresh_from_db()
    assert planned.state == "cancelled"
    assert planned.episode.state == EpisodeState.BOOKED
    assert Appointment.objects.get().episode_id == planned.episode_id
    assert not Attempt.objects.filter(appointment__isnull=False).exists()


def test_no_reminder_for_what_another_system_reminds_of(api, jane, at) -> None:
    record(api, jane)
    at("2026-11-23T15:00:00Z")
    assert reminders.plan() == 0


def test_a_day_without_a_time(api, jane, at) -> None:
    made = record(api, jane, appointment_time=None).json()["appointment"]
    assert made["appointment_date"] == "2026-11-24"
    assert (made["appointment_time"], made["starts_at"], made["ends_at"]) == (None, None, None)
    at("2026-11-24T12:00:00Z")  # expected all day
    assert book.ahead(patient=jane) is not None


def test_a_past_one_is_kept_and_ends_nothing(api, jane) -> None:
    planned = engine.planned(jane)
    assert record(api, jane, appointment_date="2026-11-10").status_code == 201
    assert Episode.objects.get(pk=planned.episode_id).closed_at is None


def test_the_same_again_is_the_same(api, jane, ours) -> None:
    first = record(api, jane).json()["appointment"]["id"]
    again = record(api, jane, status="confirmed").json()["appointment"]
    assert (again["id"], again["status"]) == (first, "confirmed")
    pushed_back = record(api, jane, appointment_time="10:00").json()["appointment"]
    assert (pushed_back["id"], pushed_back["source"]) == (ours.public_id, "call")
    assert Appointment.objects.count() == 2


def test_links_the_call(api, jane) -> None:
    call = engine.under_way(jane, state="done", outcome="answered")
    made = record(api, jane, call_id=call.public_id).json()["appointment"]
    assert made["call_id"] == call.public_id
    shown = api.get(f"/calls/{call.public_id}").json()
    assert (shown["appointment_booked"], shown["appointment_id"]) == (True, made["id"])


def test_a_call_must_be_the_patients_own(api, jane, practice, other_practice, assert_error) -> None:
    johns = engine.under_way(engine.patient(practice, "+447700900002"))
    answer = record(api, jane, call_id=johns.public_id)
    assert_error(answer, 400, "invalid", "call_id")
    foreign = engine.planned(engine.patient(other_practice, "+447700900003"))
    for missing in (foreign.public_id, ids.encode("c", ids.new())):
        assert_error(record(api, jane, call_id=missing), 404, "not_found")
    assert not Appointment.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("appointment_date", None),
        ("appointment_date", "24/11/2026"),
        ("appointment_date", "2026-02-30"),
        ("appointment_date", "9999-12-31"),
        ("appointment_date", 20261124),
        ("appointment_time", "25:00"),
        ("appointment_time", "2pm"),
        ("appointment_time", 1430),
        ("appointment_time", ""),
        ("status", "cancelled"),
        ("status", None),
        ("call_id", "pat_01KKDW5T0R2Y4Z6A8P1B3S5D7F"),
        ("patient_id", "jane"),
    ],
)
def test_bad_fields_are_400(api, jane, field, value, assert_error) -> None:
    assert_error(record(api, jane, **{field: value}), 400, "invalid", field)
    assert not Appointment.objects.exists()


def test_a_time_that_the_clocks_skip(api, jane, assert_error) -> None:
    answer = record(api, jane, appointment_date="2027-03-28", appointment_time="01:30")
    assert_error(answer, 400, "no_such_time")


def test_a_closed_record_is_409(api, jane, assert_error) -> None:
    type(jane).objects.filter(pk=jane.pk).update(archived_at=TEN)
    assert_error(record(api, jane), 409, "patient_gone")


def test_anothers_are_404(api, other_api, ours, jane, assert_error) -> None:
    path = f"/appointments/{ours.public_id}"
    assert_error(other_api.get(path), 404, "not_found")
    assert_error(other_api.patch(path, {"status": "cancelled"}), 404, "not_found")
    assert_error(record(other_api, jane), 404, "patient_not_found")
    assert other_api.get("/appointments").json()["total"] == 0
    for missing in ("nonsense", jane.public_id, ids.encode("apt", ids.new())):
        assert_error(api.get(f"/appointments/{missing}"), 404, "not_found")
    assert actions() == ["appointment.booked"]


def test_filters_and_pagings(api, jane, practice) -> None:
    john = engine.patient(practice, "+447700900002")
    for day, who in (("2026-11-24", jane), ("2026-11-25", john), ("2026-11-26", jane)):
        record(api, who, appointment_date=day, appointment_time="00:00")

    def found(**query: object) -> list[str]:
        rows = api.get("/appointments", query).json()["appointments"]
        return [row["appointment_date"][-2:] for row in rows]

    assert found() == ["24", "25", "26"]
    assert found(patient_id=jane.public_id) == ["24", "26"]
    assert found(from_date="2026-11-25", to_date="2026-11-25") == ["25"]
    assert found(to_date="9999-12-31", limit=2, offset=1) == ["25", "26"]
    assert found(status="attended") == []
    by_size = api.get("/appointments", {"size": 1, "start": 3}).json()
    assert by_size["pagination"]["total"] == 3
    assert by_size["data"][0]["appointment_date"] == "2026-11-26"


@pytest.mark.parametrize(
    ("name", "value"), [("limit", "501"), ("status", "done"), ("from_date", "1"), ("size", "0")]
)
def test_bad_parameters_are_400(api, name, value, assert_error) -> None:
    assert_error(api.get("/appointments", {name: value}), 400, "invalid", name)


# --- changing one ---------------------------------------------------------------------------------


def change(api, appointment_id, **body):
    return api.patch(f"/appointments/{appointment_id}", body)


def test_moving_in_our_diary(api, ours) -> None:
    answer = change(api, ours.public_id, appointment_time="11:00")
    assert answer.status_code == 200
    body = answer.json()
    assert body["success"] is True
    assert body["appointment"]["appointment_date"] == "2026-11-24"
    assert body["appointment"]["appointment_time"] == "11:00"
    assert actions() == ["appointment.booked", "appointment.moved"]
    assert Attempt.objects.filter(purpose=Purpose.CONFIRMATION, state="planned").count() == 1


def test_a_taken_time_is_409_with_free_ones(api, ours, practice, diary, assert_error) -> None:
    book.book(
        practice=practice,
        patient=engine.patient(practice, "+447700900002"),
        diary_id=diary.pk,
        starts_at=TEN + timedelta(hours=1),
        source="staff",
        actor=engine.ACTOR,
    )
    body = assert_error(change(api, ours.public_id, appointment_time="11:00"), 409, "slot_taken")
    assert len(body["next_slots"]) == 3
    assert_error(
        change(api, ours.public_id, appointment_time=None), 400, "invalid", "appointment_time"
    )


def test_moving_one_made_elsewhere(api, theirs) -> None:
    moved = change(api, theirs, appointment_date="2026-11-28").json()["appointment"]
    assert (moved["appointment_date"], moved["appointment_time"]) == ("2026-11-28", "14:30")
    moved = change(api, theirs, appointment_time=None).json()["appointment"]
    assert moved["appointment_time"] is None
    moved = change(api, theirs, appointment_time="08:05", status="confirmed").json()["appointment"]
    assert (moved["appointment_time"], moved["status"]) == ("08:05", "confirmed")
    assert actions() == ["appointment.booked", *["appointment.moved"] * 3, "appointment.confirmed"]
    assert not Attempt.objects.exists()


@pytest.mark.parametrize("kind", ["ours", "theirs"])
def test_confirming_and_cancelling(api, jane, request, kind) -> None:
    made = request.getfixturevalue(kind)
    key = made if kind == "theirs" else made.public_id
    assert change(api, key, status="confirmed").json()["appointment"]["status"] == "confirmed"
    assert change(api, key, status="confirmed").status_code == 200
    gone = change(api, key, status="cancelled").json()["appointment"]
    assert gone["status"] == "cancelled"
    assert gone["cancelled_at"] == "2026-11-18T10:04:00Z"
    assert change(api, key, status="cancelled").status_code == 200
    assert actions() == [
        "appointment.booked",
        "appointment.confirmed",
        "appointment.cancelled",
    ]
    told = Attempt.objects.filter(purpose=Purpose.CANCELLATION).exists()
    assert told is (kind == "ours")


@pytest.mark.parametrize("status", ["attended", "no_show"])
def test_marking(api, ours, theirs, jane, at, assert_error, status) -> None:
    assert_error(change(api, theirs, status=status), 409, "appointment_ahead")
    at("2026-11-24T17:00:00Z")
    for key in (ours.public_id, theirs):
        assert change(api, key, status=status).json()["appointment"]["status"] == status
    jane.refresh_from_db()
    assert (jane.last_eye_test_date == date(2026, 11, 24)) is (status == "attended")
    assert_error(change(api, theirs, status="cancelled"), 409, "appointment_over")


def test_what_cannot_be_said_together(api, theirs, assert_error) -> None:
    answer = change(api, theirs, appointment_time="09:00", status="cancelled")
    assert_error(answer, 400, "invalid", "status")
    change(api, theirs, status="confirmed")
    assert_error(change(api, theirs, status="booked"), 409, "status_conflict")
    assert_error(change(api, theirs, status="gone"), 400, "invalid", "status")
    assert change(api, theirs).status_code == 200


def test_needs_the_write_scope(read_only_api, theirs, jane, assert_error) -> None:
    assert_error(change(read_only_api, theirs, status="cancelled"), 403, "missing_scope")
    assert_error(record(read_only_api, jane), 403, "missing_scope")


def test_constant_queries(api, practice, django_assert_num_queries) -> None:
    for n in range(5):
        record(api, engine.patient(practice, f"+44770090010{n}"))
    for limit in (1, 5):
        with django_assert_num_queries(3):
            assert api.get("/appointments", {"limit": limit}).json()["total"] == 5
