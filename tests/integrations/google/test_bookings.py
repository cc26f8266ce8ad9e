"""From a booking to the calendar and back, by the product's own road to the pretend Google."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from integrations import connections
from integrations.google_calendar import account
from integrations.models import Connection, ConnectionState
from patients.models import Patient
from practices.models import Practice, User
from recall import tasks
from recall.booking import book, diary, poll
from recall.booking.write_back import due
from recall.models import Appointment, AppointmentCopy, CopyState, Diary
from sightsync.lib import clock
from tests import engine
from tests.integrations.google.conftest import ACTOR, ROOM_1, ROOM_2, Connect, minutes, sign_in
from tests.integrations.google.conftest import Diary as GoogleDiary
from tests.recall.booking.conftest import open_diary

pytestmark = pytest.mark.django_db
TUESDAY = minutes("24 14:30")


@pytest.fixture
def room(practice: Practice) -> Diary:
    engine.register()
    return open_diary(practice, "Room 1")


@pytest.fixture
def jane(practice: Practice) -> Patient:
    return engine.patient(
        practice, first_name="Jane", last_name="Smith", risk_category="glaucoma_suspect"
    )


@pytest.fixture
def book_jane(practice: Practice, room: Diary, jane: Patient) -> Callable[..., Appointment]:
    def make(starts_at: datetime = TUESDAY, source: str = "call") -> Appointment:
        return book.book(
            practice=practice,
            patient=jane,
            diary_id=room.pk,
            starts_at=starts_at,
            source=source,
            actor=ACTOR,
        )

    return make


@pytest.fixture
def work_off(at: Any) -> Callable[..., None]:
    """Lets time pass and does what a tick would have done."""

    def work(**span: float) -> None:
        at(clock.now() + timedelta(**span))
        due.take_back()
        due.wake_reconnected(clock.now())
        for key in due.keys(clock.now(), 50):
            tasks.write_copy(str(key))

    return work


def _copy() -> AppointmentCopy:
    return AppointmentCopy.objects.get()


def _read(connection: Connection) -> None:
    """What happens every five minutes."""
    Connection.objects.filter(pk=connection.pk).update(next_poll_at=clock.now())
    poll.run(connection.pk, actor=ACTOR)


def _free(practice: Practice) -> set[datetime]:
    return {slot.start for slot in diary.free(practice=practice, now=clock.now())}


def test_a_booking_by_call_is_an_event_that_moves_and_goes_with_it(
    connection: Connection, google: GoogleDiary, book_jane: Any, work_off: Any
) -> None:
    appointment = book_jane()
    assert google.events() == []  # the patient's call does not wait for Google
    work_off()
    [event] = google.events()
    assert event["summary"] == "Jane Smith"
    assert "Booked by AI recall call." in event["description"]
    assert "laucoma" not in str(event)
    assert appointment.public_id in event["description"]
    assert _copy().state == CopyState.WRITTEN
    appointment = book.move(
        appointment=appointment,
        diary_id=None,
        starts_at=minutes("25 10:00"),
        source="link",
        actor=ACTOR,
    )
    work_off()
    [event] = google.events()
    assert event["start"]["dateTime"] == "2026-11-25T10:00:00+00:00"
    assert event["end"]["dateTime"] == "2026-11-25T10:30:00+00:00"
    book.cancel(appointment=appointment, source="link", actor=ACTOR)
    work_off()
    assert google.events() == []
    assert _copy().state == CopyState.WRITTEN
    assert [row["method"] for row in google.requests(part="/events")] == ["POST", "PATCH", "DELETE"]


def test_the_risk_category_is_written_where_the_practice_confirmed_it(
    connect: Connect, google: GoogleDiary, book_jane: Any, work_off: Any
) -> None:
    connection = connect()
    account.tell_risk(connection=connection, told=True, actor=ACTOR)
    book_jane(source="staff")
    work_off()
    assert "Risk category: Glaucoma suspect" in google.events()[0]["description"]
    assert "AI recall call" not in google.events()[0]["description"]


@pytest.mark.parametrize("mode", ["drop_after_accept", "broken_json"])
def test_an_event_whose_answer_was_lost_is_looked_up_and_stands_once(
    connection: Connection, google: GoogleDiary, book_jane: Any, work_off: Any, mode: str
) -> None:
    google.sandbox.fault("google", mode, match="POST /google/calendar", accept=True)
    book_jane()
    work_off()
    assert _copy().state == CopyState.UNKNOWN
    work_off(minutes=5)
    assert _copy().state == CopyState.WRITTEN
    assert len(google.events()) == 1
    assert len(google.requests("POST", "/events")) == 1


@pytest.mark.parametrize(
    ("status", "reason"), [(429, "rateLimitExceeded"), (403, "userRateLimitExceeded")]
)
def test_a_busy_google_is_asked_again_when_it_said(
    connection: Connection,
    google: GoogleDiary,
    book_jane: Any,
    work_off: Any,
    status: int,
    reason: str,
) -> None:
    google.do("refuse", status=status, reason=reason, retry_after=120)
    book_jane()
    work_off()
    assert _copy().state == CopyState.ACCEPTED
    work_off(seconds=60)
    assert len(google.requests("POST", "/events")) == 1
    work_off(seconds=90)
    assert _copy().state == CopyState.WRITTEN


def test_what_is_booked_while_the_permission_is_gone_waits_for_the_new_one(
    connection: Connection,
    practice: Practice,
    alice: User,
    google: GoogleDiary,
    book_jane: Any,
    work_off: Any,
) -> None:
    google.do("revoke")
    appointment = book_jane()
    work_off()
    assert _copy().state == CopyState.ACCEPTED
    client = Client()
    client.force_login(alice)
    page = client.get(f"/appointments/{appointment.public_id}").content.decode()
    assert "Google Calendar" in page
    assert "Connect it again" in page
    assert "Connect again" in client.get("/settings/integrations").content.decode()
    account.connect(practice=practice, tokens=sign_in(practice), user=alice, actor=ACTOR)
    work_off()
    assert [event["summary"] for event in google.events()] == ["Jane Smith"]
    assert _copy().state == CopyState.WRITTEN


def test_a_deleted_calendar_loses_no_booking(
    connection: Connection, google: GoogleDiary, book_jane: Any, work_off: Any
) -> None:
    google.do("remove", calendar=ROOM_1)
    book_jane()
    work_off()
    connection.refresh_from_db()
    assert (connection.state, connection.error_code) == (
        ConnectionState.NEEDS_ATTENTION,
        "no_calendar",
    )
    account.reload(connection=connection, actor=ACTOR)
    account.choose(
        connection=connection, calendar_id=ROOM_2, diary="", title="initials", actor=ACTOR
    )
    work_off()
    assert [event["summary"] for event in google.events(ROOM_2)] == ["J. S."]


def test_before_a_calendar_is_chosen_a_booking_waits(
    practice: Practice, alice: User, google: GoogleDiary, book_jane: Any, work_off: Any
) -> None:
    connection = account.connect(
        practice=practice, tokens=sign_in(practice), user=alice, actor=ACTOR
    )
    book_jane()
    work_off()
    assert _copy().state == CopyState.ACCEPTED
    account.choose(connection=connection, calendar_id=ROOM_1, diary="", title="name", actor=ACTOR)
    work_off()
    assert len(google.events()) == 1


def test_a_calendar_of_one_diary_has_only_its_bookings(
    connect: Connect, practice: Practice, google: GoogleDiary, book_jane: Any, work_off: Any
) -> None:
    other = open_diary(practice, "Room 2")
    connect(diary=other.public_id)
    book_jane()  # in room 1
    work_off()
    assert google.events() == []


def test_after_disconnecting_events_stay_and_nothing_more_is_asked(
    connection: Connection, google: GoogleDiary, book_jane: Any, work_off: Any
) -> None:
    appointment = book_jane()
    work_off()
    account.disconnect(connection=connection, actor=ACTOR)
    before = len(google.requests())
    book.cancel(appointment=appointment, source="link", actor=ACTOR)
    work_off(minutes=5)
    assert len(google.events()) == 1
    assert len(google.requests()) == before


def test_busy_times_are_not_offered_and_our_own_events_block_nobody_else(
    connection: Connection,
    practice: Practice,
    room: Diary,
    google: GoogleDiary,
    book_jane: Any,
    work_off: Any,
) -> None:
    open_diary(practice, "Room 2")
    book_jane()  # half past two in room 1
    work_off()
    google.do(
        "events",
        calendar=ROOM_1,
        start=minutes("24 10:00").isoformat(),
        end=minutes("24 11:00").isoformat(),
    )
    assert {minutes("24 10:00"), minutes("24 10:30")} <= _free(practice)
    _read(connection)
    free = _free(practice)
    assert not {minutes("24 10:00"), minutes("24 10:30")} & free
    assert minutes("24 11:00") in free
    assert TUESDAY in free  # in room 2


def test_a_busy_time_that_lies_under_our_own_event_still_counts(
    connection: Connection,
    practice: Practice,
    room: Diary,
    google: GoogleDiary,
    book_jane: Any,
    work_off: Any,
) -> None:
    open_diary(practice, "Room 2")
    book_jane()
    work_off()
    google.do(
        "events",
        calendar=ROOM_1,
        start=minutes("24 14:00").isoformat(),
        end=minutes("24 15:00").isoformat(),
    )
    _read(connection)
    assert not {minutes("24 14:00"), TUESDAY} & _free(practice)


def test_a_reading_that_fails_keeps_what_is_known_and_says_so(
    connection: Connection, practice: Practice, room: Diary, google: GoogleDiary
) -> None:
    google.do(
        "events",
        calendar=ROOM_1,
        start=minutes("24 10:00").isoformat(),
        end=minutes("24 11:00").isoformat(),
    )
    _read(connection)
    google.sandbox.fault("google", "500", match="/freeBusy")
    _read(connection)
    assert minutes("24 10:00") not in _free(practice)
    connection.refresh_from_db()
    assert (connection.state, connection.error_code) == ("connected", "server_error")
    _read(connection)
    connection.refresh_from_db()
    assert connection.error_code == ""
    assert connections.of(practice, connection.kind) == connection
