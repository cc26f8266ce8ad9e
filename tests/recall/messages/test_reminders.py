"""Reminders: one per version of a live appointment, in waking hours, for who may be reminded."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recall.booking import book
from recall.calling_hours import REMINDERS
from recall.messages import reminders
from recall.models import Appointment, Attempt, AttemptState, InboundMessage, Purpose
from recall.tick import Tick
from sightsync.lib import clock
from tests.recall.booking.conftest import STAFF

TUESDAY = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)


def reminder_rows():
    return list(Attempt.objects.filter(purpose=Purpose.REMINDER).order_by("appointment_version"))


@pytest.fixture
def row(practice, diary_row, jane) -> Appointment:
    return book_for(practice, jane)


def book_for(practice, patient, starts_at=TUESDAY) -> Appointment:
    return book.book(
        practice=practice,
        patient=patient,
        diary_id=None,
        starts_at=starts_at,
        source="call",
        actor=STAFF,
    )


@pytest.mark.parametrize(
    ("starts", "hours", "sent"),
    [
        ("2026-11-24T14:30:00Z", 24, "2026-11-23T14:30:00Z"),
        ("2026-11-23T09:00:00Z", 24, "2026-11-22T09:00:00Z"),  # Monday's goes on Sunday
        ("2026-11-24T09:00:00Z", 2, "2026-11-23T19:00:00Z"),  # 7am: the evening before
        ("2026-11-24T10:30:00Z", 3, "2026-11-24T08:00:00Z"),  # 7:30am: into the morning
        ("2026-11-24T09:30:00Z", 12, "2026-11-23T19:00:00Z"),  # 9:30pm, too late by the morning
        ("2026-11-24T14:30:00Z", 17, "2026-11-24T08:00:00Z"),  # 9:30pm: the morning will do
        ("2026-03-30T08:00:00Z", 24, "2026-03-29T08:00:00Z"),  # nine o'clock, both days, in spring
        ("2026-10-25T10:00:00Z", 24, "2026-10-24T10:00:00Z"),
    ],
)
def test_a_reminder_goes_so_many_hours_before_but_not_at_night(starts, hours, sent):
    found = reminders.send_at(starts_at=datetime.fromisoformat(starts), hours_before=hours)
    assert found == datetime.fromisoformat(sent)


@given(minutes=st.integers(0, 60 * 24 * 730), hours=st.integers(1, 168))
def test_a_reminder_is_always_before_the_appointment_and_in_waking_hours(minutes, hours):
    starts_at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    when = reminders.send_at(starts_at=starts_at, hours_before=hours)
    assert REMINDERS.start <= clock.london(when).time() < REMINDERS.end
    assert when < starts_at
    assert starts_at - when <= timedelta(hours=hours) + reminders.AHEAD


def test_it_is_planned_once_when_it_is_near(row, at):
    assert reminders.plan() == 0
    at("2026-11-23T09:00:00Z")
    assert reminders.plan() == 1
    assert reminders.plan() == 0
    (planned,) = reminder_rows()
    assert planned.due_at == datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
    assert (planned.channel, planned.appointment_version, planned.state) == ("sms", 1, "planned")


def test_a_moved_appointment_is_reminded_at_its_new_time_only(row, at):
    at("2026-11-23T09:00:00Z")
    reminders.plan()
    later = TUESDAY + timedelta(days=7)
    book.move(appointment=row, diary_id=None, starts_at=later, actor=STAFF, source="link")
    assert reminders.plan() == 0
    at("2026-11-30T09:00:00Z")
    reminders.plan()
    first, second = reminder_rows()
    assert first.state == AttemptState.CANCELLED
    assert (second.appointment_version, second.due_at) == (2, later - timedelta(hours=24))


@pytest.mark.parametrize("status", ["cancelled", "no_show", "attended"])
def test_what_is_not_ahead_is_not_reminded(row, at, status):
    Appointment.objects.filter(pk=row.pk).update(status=status)
    at("2026-11-23T15:00:00Z")
    assert reminders.plan() == 0


def test_a_confirmed_appointment_is_reminded(row, at):
    book.confirm(appointment=row, actor=STAFF, source="reply")
    at("2026-11-23T15:00:00Z")
    assert reminders.plan() == 1


def test_one_that_is_late_goes_at_once(row, at):
    at("2026-11-24T09:00:00Z")
    reminders.plan()
    assert reminder_rows()[0].due_at == clock.now()


def test_who_has_just_been_told_is_not_reminded(practice, diary_row, make_patient, at):
    at("2026-11-23T13:00:00Z")  # 25 and a half hours before
    book_for(practice, make_patient())
    at("2026-11-23T15:00:00Z")
    assert reminders.plan() == 0


@pytest.mark.parametrize("field", ["opted_out_at", "deceased_at", "archived_at", "erased_at"])
def test_who_must_not_be_written_to_is_not(row, jane, at, field):
    setattr(jane, field, clock.now())
    jane.save(update_fields=[field])
    at("2026-11-23T15:00:00Z")
    assert reminders.plan() == 0


@pytest.mark.parametrize(
    ("fields", "channel"),
    [
        ({"email": "jane@example.org", "opted_out_channels": ["sms"]}, "email"),
        ({"email": "jane@example.org", "phone_kind": "fixed_line"}, "email"),
        ({"phone_kind": "fixed_line"}, None),
        ({"email": "jane@example.org", "opted_out_channels": ["email", "sms"]}, None),
    ],
)
def test_the_channel_is_one_that_reaches_the_patient(row, jane, at, fields, channel):
    for name, value in fields.items():
        setattr(jane, name, value)
    jane.save(update_fields=list(fields))
    at("2026-11-23T15:00:00Z")
    reminders.plan()
    assert [planned.channel for planned in reminder_rows()] == ([channel] if channel else [])


def test_a_practice_can_do_without(row, practice, at):
    practice.reminder_hours_before = 0
    practice.save(update_fields=["reminder_hours_before"])
    at("2026-11-24T09:00:00Z")
    assert reminders.plan() == 0


@pytest.mark.parametrize("source", ["api", "pms"])
def test_what_another_system_keeps_it_reminds_of_itself(row, at, source):
    Appointment.objects.update(diary=None, source=source)
    at("2026-11-23T09:00:00Z")
    assert reminders.plan() == 0


def test_a_hundred_are_planned_in_two_queries(
    practice, diary_row, make_patient, at, django_assert_num_queries
):
    for place in range(12):
        book_for(practice, make_patient(), TUESDAY.replace(hour=9) + timedelta(minutes=30 * place))
    at("2026-11-23T09:00:00Z")
    with django_assert_num_queries(2):
        assert reminders.plan() == 12


def test_the_tick_plans_reminders_and_finishes_replies(row, jane, at):
    InboundMessage.objects.create(
        practice=row.practice,
        channel="sms",
        provider_ref="SM9",
        sender=jane.phone_number,
        body="YES",
        received_at=clock.now(),
    )
    at("2026-11-23T09:00:00Z")
    Tick()._messages()
    row.refresh_from_db()
    assert row.status == "confirmed"
    assert len(reminder_rows()) == 1
