"""Fifty people want one time. With the lock or with the constraint exactly one gets it; with both
switched off more than one does, which shows that this race can be lost.
"""

import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from recall.booking import book, diary
from recall.models import Appointment, Attempt
from tests.recall.booking.conftest import STAFF
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

TUESDAY = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
CONSTRAINT = "one_live_appointment_per_slot"


def booking(practice, patient, starts_at=TUESDAY, diary_id=None):
    return lambda: book.book(
        practice=practice,
        patient=patient,
        diary_id=diary_id,
        starts_at=starts_at,
        source="link",
        actor=STAFF,
    )


@pytest.fixture
def checked_together(monkeypatch):
    """Nobody writes before everybody has found the time free: the widest window there can be."""

    def of(people: int) -> None:
        gate = threading.Barrier(people)
        look = diary.slot_at

        def look_and_wait(facts, **when):
            slot = look(facts, **when)
            if threading.current_thread() is not threading.main_thread():
                gate.wait(60)
            return slot

        monkeypatch.setattr(diary, "slot_at", look_and_wait)

    return of


@contextmanager
def without_constraint():
    """As if the model did not have it; put back when the rows that break it are gone."""
    constraint = next(c for c in Appointment._meta.constraints if c.name == CONSTRAINT)
    with connection.schema_editor() as editor:
        editor.remove_constraint(Appointment, constraint)
    try:
        yield
    finally:
        Appointment.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(Appointment, constraint)


def test_fifty_bookings_of_one_time_have_one_winner(practice, diary_row, make_patient):
    people = [make_patient() for _ in range(50)]
    results = at_once([booking(practice, person) for person in people])
    won = [result for result in results if isinstance(result, Appointment)]
    lost = [result for result in results if isinstance(result, book.SlotTaken)]
    assert (len(won), len(lost)) == (1, 49), results
    offered = {tuple(slot.start for slot in refusal.next_slots) for refusal in lost}
    half_hours = [TUESDAY + timedelta(minutes=30 * n) for n in (1, 2, 3)]
    assert offered == {tuple(half_hours)}
    assert Appointment.objects.get().patient_id == won[0].patient_id
    assert Attempt.objects.filter(purpose="confirmation").count() == 1


def test_the_lock_alone_lets_one_in(practice, diary_row, make_patient):
    people = [make_patient() for _ in range(8)]
    with without_constraint():
        results = at_once([booking(practice, person) for person in people])
        assert sum(isinstance(result, Appointment) for result in results) == 1
        assert Appointment.objects.count() == 1


def test_the_constraint_alone_lets_one_in(
    practice, diary_row, make_patient, monkeypatch, checked_together
):
    people = [make_patient() for _ in range(8)]
    monkeypatch.setattr(book, "_lock_diary", lambda practice, diary_id: None)
    checked_together(8)
    works = [booking(practice, person, diary_id=diary_row.pk) for person in people]
    results = at_once(works)
    assert sum(isinstance(result, Appointment) for result in results) == 1
    assert sum(isinstance(result, book.SlotTaken) for result in results) == 7


def test_without_lock_and_constraint_more_than_one_gets_in(
    practice, diary_row, make_patient, monkeypatch, checked_together
):
    people = [make_patient() for _ in range(8)]
    monkeypatch.setattr(book, "_lock_diary", lambda practice, diary_id: None)
    checked_together(8)
    with without_constraint():
        works = [booking(practice, person, diary_id=diary_row.pk) for person in people]
        at_once(works)
        assert Appointment.objects.filter(starts_at=TUESDAY).count() > 1


def test_overlapping_times_of_two_lengths_have_one_winner(practice, diary_row, make_patient):
    """The constraint does not know of overlaps; the lock does."""
    long = practice.__class__.objects.get(pk=practice.pk)
    long.appointment_minutes = 90
    start = datetime(2026, 11, 24, 13, 30, tzinfo=UTC)
    results = at_once(
        [
            booking(practice, make_patient(), start + timedelta(minutes=30), diary_row.pk),
            booking(long, make_patient(), start, diary_row.pk),
        ]
    )
    assert sum(isinstance(result, Appointment) for result in results) == 1


def test_one_patient_pressing_twice_has_one_appointment(practice, diary_row, jane):
    results = at_once([booking(practice, jane) for _ in range(6)])
    assert len({result.pk for result in results}) == 1
    assert Attempt.objects.filter(purpose="confirmation").count() == 1


def test_one_patient_choosing_two_times_at_once_gets_one(practice, diary_row, jane):
    results = at_once(
        [booking(practice, jane), booking(practice, jane, TUESDAY + timedelta(days=1))]
    )
    assert {type(result) for result in results} == {Appointment, book.AlreadyBooked}
    assert Appointment.objects.count() == 1
