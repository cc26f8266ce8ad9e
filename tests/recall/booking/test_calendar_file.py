"""The calendar file, read back by the library that others read it with."""

from datetime import UTC, datetime, timedelta

from icalendar import Calendar

from recall.booking import book, calendar_file
from tests.recall.booking.conftest import STAFF

TUESDAY = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)


def event_of(row):
    calendar = Calendar.from_ical(calendar_file.build(row))
    assert calendar["method"] == "PUBLISH"
    (event,) = calendar.walk("VEVENT")
    return event


def booked(practice, patient):
    return book.book(
        practice=practice,
        patient=patient,
        diary_id=None,
        starts_at=TUESDAY,
        source="link",
        actor=STAFF,
    )


def test_it_says_when_and_where_and_nothing_about_the_patient(practice, diary_row, jane):
    event = event_of(booked(practice, jane))
    assert event["dtstart"].dt == TUESDAY
    assert event["dtend"].dt == TUESDAY + timedelta(minutes=30)
    assert event["summary"] == "Appointment at Acuity Opticians"
    assert event["location"] == "14 Mill Lane, Reading"
    text = event.to_ical().decode().lower()
    assert not any(word in text for word in ("jane", "roe", "eye", "examination", "recall"))


def test_it_rings_two_hours_before(practice, diary_row, jane):
    (alarm,) = event_of(booked(practice, jane)).walk("VALARM")
    assert alarm["trigger"].dt == timedelta(hours=-2)


def test_a_newer_file_replaces_the_older_entry(practice, diary_row, jane):
    row = booked(practice, jane)
    first = event_of(row)
    later = TUESDAY + timedelta(days=1)
    row = book.move(appointment=row, diary_id=None, starts_at=later, actor=STAFF, source="link")
    moved = event_of(row)
    row = book.cancel(appointment=row, actor=STAFF, source="link")
    gone = event_of(row)
    assert first["uid"] == moved["uid"] == gone["uid"]
    assert [event["sequence"] for event in (first, moved, gone)] == [0, 2, 3]
    assert [event["status"] for event in (first, gone)] == ["CONFIRMED", "CANCELLED"]
    assert not gone.walk("VALARM")


def test_lines_are_of_the_standard(practice, diary_row, jane):
    practice.address = "Unit 7, The Very Long Parade; Next to the Station, " * 3
    practice.save(update_fields=["address"])
    lines = calendar_file.build(booked(practice, jane)).split(b"\r\n")
    assert lines[0] == b"BEGIN:VCALENDAR"
    assert all(len(line) <= 75 for line in lines)
