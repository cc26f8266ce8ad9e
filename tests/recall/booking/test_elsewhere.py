"""Appointments that another system keeps: what they do here, and what they leave alone."""

from datetime import date, time, timedelta

import pytest

from recall.booking import book, elsewhere
from recall.models import Appointment, Attempt, Purpose
from sightsync.lib import clock
from sightsync.lib.errors import AppError
from tests import engine

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 24)


def record(practice, patient, wall=time(14, 30), day=DAY) -> Appointment:
    return elsewhere.record(
        practice=practice, patient=patient, day=day, wall=wall, actor=engine.ACTOR
    )


def test_takes_no_time_of_our_diary(practice, jane, diary_row, make_patient) -> None:
    record(practice, jane)
    at = clock.at_london(DAY, time(14, 30))
    other = book.book(
        practice=practice,
        patient=make_patient(),
        diary_id=diary_row.pk,
        starts_at=at,
        source="staff",
        actor=engine.ACTOR,
    )
    assert other.starts_at == at


def test_is_as_long_as_the_practices_appointments(practice, jane) -> None:
    row = record(practice, jane)
    assert row.ends_at - row.starts_at == timedelta(minutes=practice.appointment_minutes)


@pytest.mark.parametrize("day", [date(2027, 3, 28), date(2026, 10, 25), date(2027, 6, 21)])
def test_without_a_time_it_is_ahead_to_the_days_last_minute(practice, jane, at, day) -> None:
    at("2026-10-20T10:00:00Z")
    row = record(practice, jane, wall=None, day=day)
    local = clock.london(row.starts_at)
    assert (local.date(), local.time(), row.has_time) == (day, time(23, 59), False)


def test_a_time_that_does_not_exist(practice, jane) -> None:
    with pytest.raises(AppError) as error:
        record(practice, jane, wall=time(1, 30), day=date(2027, 3, 28))
    assert (error.value.code, error.value.status) == ("no_such_time", 400)


def test_moved_by_staff_it_becomes_ours(practice, jane, diary_row) -> None:
    row = record(practice, jane, wall=None)
    moved = book.move(
        appointment=row,
        diary_id=diary_row.pk,
        starts_at=clock.at_london(DAY, time(10)),
        actor=engine.ACTOR,
        source="staff",
    )
    assert (moved.has_time, moved.made_elsewhere, moved.diary_id) == (True, False, diary_row.pk)
    assert Attempt.objects.filter(purpose=Purpose.CONFIRMATION).exists()


def test_lost_it_lets_the_recall_go_on(practice, jane) -> None:
    engine.planned(jane)
    row = record(practice, jane)
    book.cancel(appointment=row, actor=engine.ACTOR, source="api")
    assert jane.episodes.get(closed_at=None).reason == "appointment_cancelled"
    assert not Attempt.objects.filter(purpose=Purpose.CANCELLATION).exists()
