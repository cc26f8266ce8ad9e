"""From a booking to Bookings and back, by the product's own road to the pretend Graph."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations import connections
from integrations.models import Connection, ConnectionState
from patients.models import Patient
from practices.journal import Actor
from practices.models import Practice
from recall import tasks
from recall.booking import book, diary, poll
from recall.booking.write_back import due
from recall.models import Appointment, AppointmentCopy, AppointmentStatus, CopyState, Diary
from sightsync.lib import clock
from tests import engine
from tests.integrations.microsoft.conftest import asked, standing_there
from tests.integrations.microsoft.names import SHAH
from tests.recall.booking.conftest import open_diary
from tests.sandbox import Sandbox

ACTOR = Actor.system("test")
TUESDAY = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
WEDNESDAY = datetime(2026, 11, 25, 11, 0, tzinfo=UTC)
Work = Callable[..., AppointmentCopy]


@pytest.fixture
def room(practice: Practice, connection: Connection) -> Diary:
    """Mrs Shah's, as Bookings has her."""
    engine.register()
    made = open_diary(practice, "Mrs Shah")
    connections.configure(
        connection=connection, settings={"diaries": {SHAH: made.public_id}}, actor=ACTOR
    )
    return made


@pytest.fixture
def jane(practice: Practice) -> Patient:
    return engine.patient(
        practice, number="+447700900123", email="jane@example.org", risk_category="diabetic"
    )


@pytest.fixture
def booked(practice: Practice, room: Diary, jane: Patient) -> Appointment:
    return book.book(
        practice=practice,
        patient=jane,
        diary_id=room.pk,
        starts_at=TUESDAY,
        source="call",
        actor=ACTOR,
    )


@pytest.fixture
def work_off(at: Any) -> Work:
    """Lets time pass and does what a tick would have done; the copy afterwards."""

    def work(**span: float) -> AppointmentCopy:
        at(clock.now() + timedelta(**span))
        due.take_back()
        due.wake_reconnected(clock.now())
        for key in due.keys(clock.now(), 50):
            tasks.write_copy(str(key))
        return AppointmentCopy.objects.get()

    return work


def _read(connection: Connection) -> None:
    """What happens every five minutes."""
    Connection.objects.filter(pk=connection.pk).update(next_poll_at=clock.now())
    poll.run(connection.pk, actor=ACTOR)


def test_booked_moved_and_cancelled_here_is_so_there(
    microsoft: Sandbox, booked: Appointment, room: Diary, work_off: Work
) -> None:
    copy = work_off(seconds=1)
    (row,) = standing_there(microsoft)
    assert (copy.state, copy.external_id) == (CopyState.WRITTEN, row["id"])
    assert booked.public_id in row["serviceNotes"]
    assert row["staffMemberIds"] == [SHAH]
    book.move(
        appointment=booked, diary_id=room.pk, starts_at=WEDNESDAY, actor=ACTOR, source="staff"
    )
    assert work_off(seconds=1).state == CopyState.WRITTEN
    (row,) = standing_there(microsoft)
    assert row["startDateTime"]["dateTime"].startswith("2026-11-25T11:00")
    booked.refresh_from_db()
    book.cancel(appointment=booked, actor=ACTOR, source="staff")
    assert work_off(seconds=1).state == CopyState.WRITTEN
    assert standing_there(microsoft) == []
    assert microsoft.get("/microsoft/bookings")["told"] == []


@pytest.mark.parametrize("mode", ["drop_after_accept", "broken_json", "drop_before_accept", "500"])
def test_a_booking_of_unknown_fate_is_looked_for_and_stands_there_once(
    microsoft: Sandbox, booked: Appointment, work_off: Work, mode: str
) -> None:
    microsoft.fault("graph", mode, match="POST /graph/v1.0")
    assert work_off(seconds=1).state == CopyState.UNKNOWN
    for _ in range(3):
        copy = work_off(minutes=1)
    assert copy.state == CopyState.WRITTEN
    assert len(standing_there(microsoft)) == 1


def test_a_time_taken_there_is_a_task_and_can_be_tried_again(
    microsoft: Sandbox, booked: Appointment, work_off: Work
) -> None:
    microsoft.post("/microsoft/bookings", {"start": TUESDAY.isoformat(), "staff": "Mrs Shah"})
    copy = work_off(seconds=1)
    assert (copy.state, copy.reason) == (CopyState.FAILED, "taken")
    assert asked(microsoft, "POST", "/appointments") == []


def test_a_consent_taken_back_loses_nothing(
    microsoft: Sandbox, connection: Connection, booked: Appointment, work_off: Work
) -> None:
    microsoft.post("/microsoft/consent", {"roles": []})
    work_off(seconds=1)
    connection.refresh_from_db()
    assert connection.state == ConnectionState.NEEDS_ATTENTION
    assert standing_there(microsoft) == []
    microsoft.post("/microsoft/consent", {})
    connections.mended(connection=connection, actor=ACTOR)
    for _ in range(3):
        copy = work_off(minutes=11)
    assert copy.state == CopyState.WRITTEN
    assert len(standing_there(microsoft)) == 1


def test_what_a_patient_books_there_is_known_here(
    microsoft: Sandbox, connection: Connection, room: Diary, jane: Patient, at: Any
) -> None:
    _read(connection)
    assert not Appointment.objects.exists()
    made = {"start": WEDNESDAY.isoformat(), "name": "Jane", "staff": "Mr Okafor"}
    row = microsoft.post("/microsoft/bookings", {**made, "phone": "+447700900123"})
    at(clock.now() + timedelta(minutes=5))
    _read(connection)
    appointment = Appointment.objects.get()
    assert (appointment.patient, appointment.starts_at) == (jane, WEDNESDAY)
    microsoft.post("/microsoft/bookings/remove", {"id": row["id"]})
    at(clock.now() + timedelta(minutes=5))
    _read(connection)
    appointment.refresh_from_db()
    assert appointment.status == AppointmentStatus.CANCELLED


def test_ours_cancelled_there_is_cancelled_here(
    microsoft: Sandbox, connection: Connection, booked: Appointment, work_off: Work, at: Any
) -> None:
    copy = work_off(seconds=1)
    at(clock.now() + timedelta(minutes=5))
    _read(connection)
    booked.refresh_from_db()
    assert booked.status == AppointmentStatus.BOOKED
    microsoft.post("/microsoft/bookings/remove", {"id": copy.external_id})
    at(clock.now() + timedelta(minutes=5))
    _read(connection)
    booked.refresh_from_db()
    assert booked.status == AppointmentStatus.CANCELLED


def test_busy_there_is_not_offered_here_and_our_own_do_not_count_twice(
    microsoft: Sandbox,
    connection: Connection,
    practice: Practice,
    booked: Appointment,
    work_off: Work,
) -> None:
    work_off(seconds=1)
    span = {"start": "2026-11-25T10:00:00Z", "end": "2026-11-25T12:00:00Z"}
    microsoft.post("/microsoft/absences", {"staff": "Mrs Shah", **span})
    before = {slot.start for slot in diary.free(practice=practice, now=clock.now())}
    assert WEDNESDAY in before
    _read(connection)
    after = {slot.start for slot in diary.free(practice=practice, now=clock.now())}
    assert sorted(f"{each:%d %H:%M}" for each in before - after) == [
        "25 10:00",
        "25 10:30",
        "25 11:00",
        "25 11:30",
    ]
    book.cancel(appointment=booked, actor=ACTOR, source="staff")
    assert TUESDAY in {slot.start for slot in diary.free(practice=practice, now=clock.now())}
