"""Somebody deletes or moves one of our events in Google: the staff hear of it, the patient's
appointment stands.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from integrations.models import Connection
from recall import copy_words
from recall.booking import book as booking
from recall.booking.write_back import again
from recall.models import Appointment, AppointmentCopy, CopyState, StaffTask
from sightsync.lib import clock
from tests.integrations.google.conftest import ACTOR, ROOM_1, ROOM_2, minutes
from tests.integrations.google.conftest import Diary as GoogleDiary
from tests.integrations.google.test_bookings import (
    TUESDAY,
    _copy,
    _read,
    book_jane,
    jane,
    room,
    work_off,
)

__all__ = ["book_jane", "jane", "room", "work_off"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def booked(connection: Connection, book_jane: Any, work_off: Any, at: Any) -> Appointment:
    """It stands in the calendar, and has been compared once."""
    appointment: Appointment = book_jane()
    work_off()
    at(clock.now() + timedelta(minutes=5))
    _read(connection)
    assert _copy().state == CopyState.WRITTEN
    return appointment


@pytest.fixture
def change(google: GoogleDiary) -> Callable[..., None]:
    def do(**body: Any) -> None:
        [event] = google.everything()
        if body:
            google.do("edit", calendar=ROOM_1, event=event["id"], body=body)
        else:
            google.do("remove", calendar=ROOM_1, event=event["id"])

    return do


def side(text: str) -> dict[str, str]:
    return {"dateTime": minutes(text).isoformat(), "timeZone": "Europe/London"}


def test_deleted_there_it_is_put_before_the_staff_once(
    connection: Connection, booked: Appointment, change: Any
) -> None:
    change()
    _read(connection)
    _read(connection)
    copy = _copy()
    assert (copy.state, copy.reason, copy.standing) == (CopyState.FAILED, "deleted_there", None)
    words = copy_words.of(copy)
    assert (words.status.word, words.can_retry) == ("Deleted there", True)
    assert "The appointment still stands" in words.why
    assert StaffTask.objects.count() == 1
    booked.refresh_from_db()
    assert (booked.status, booked.starts_at) == ("booked", TUESDAY)


def test_it_can_be_put_back(
    connection: Connection, booked: Appointment, change: Any, google: GoogleDiary, work_off: Any
) -> None:
    change()
    _read(connection)
    again.try_again(appointment=booked, actor=ACTOR)
    work_off()
    assert _copy().state == CopyState.WRITTEN
    assert [event["status"] for event in google.everything()] == ["confirmed"]


@pytest.mark.parametrize("put_back", [True, False])
def test_moved_there_it_is_put_back_or_moved_here_too(
    connection: Connection,
    booked: Appointment,
    change: Any,
    google: GoogleDiary,
    work_off: Any,
    put_back: bool,
) -> None:
    change(start=side("25 09:00"), end=side("25 09:30"))
    _read(connection)
    copy = _copy()
    assert (copy.state, copy.reason) == (CopyState.FAILED, "moved_there")
    assert "The patient was told another time" in copy_words.of(copy).why
    if put_back:
        again.try_again(appointment=booked, actor=ACTOR)
    else:
        booking.move(
            appointment=booked,
            diary_id=booked.diary_id,
            starts_at=minutes("25 10:00"),
            actor=ACTOR,
            source="staff",
        )
    work_off()
    booked.refresh_from_db()
    assert _copy().state == CopyState.WRITTEN
    [event] = google.events()
    assert event["start"]["dateTime"] == clock.london(booked.starts_at).isoformat()
    assert not StaffTask.objects.filter(done_at=None).exists()


def test_moved_there_and_cancelled_here_nothing_is_left(
    connection: Connection, booked: Appointment, change: Any, google: GoogleDiary, work_off: Any
) -> None:
    change(start=side("25 09:00"), end=side("25 09:30"))
    _read(connection)
    booking.cancel(appointment=booked, actor=ACTOR, source="staff")
    work_off()
    assert google.events() == []


def test_moved_back_there_by_hand_it_is_in_order_again(
    connection: Connection, booked: Appointment, change: Any
) -> None:
    change(start=side("25 09:00"), end=side("25 09:30"))
    _read(connection)
    change(start=side("24 14:30"), end=side("24 15:00"))
    _read(connection)
    assert (_copy().state, _copy().standing) == (CopyState.WRITTEN, 1)
    assert not StaffTask.objects.filter(done_at=None).exists()


def test_in_the_calendar_chosen_before_it_is_not_taken_for_deleted(
    connection: Connection, booked: Appointment, google: GoogleDiary
) -> None:
    settings = {**connection.settings, "calendar_id": ROOM_2, "earlier_calendars": [ROOM_1]}
    Connection.objects.update(settings=settings)
    _read(connection)
    assert _copy().state == CopyState.WRITTEN


def test_what_was_changed_here_meanwhile_is_not_touched(
    connection: Connection, booked: Appointment, change: Any
) -> None:
    change()
    AppointmentCopy.objects.update(written_at=clock.now() + timedelta(seconds=1))
    _read(connection)
    assert _copy().state == CopyState.WRITTEN
