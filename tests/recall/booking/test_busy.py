"""Busy times of other systems: kept in place of those known before, heeded by the slots."""

from datetime import UTC, datetime, timedelta

import pytest

from integrations import connections
from integrations.pms.connector import Stretch
from recall.booking import book, busy, diary
from recall.models import AppointmentCopy, BusyTime, CopyState
from sightsync.lib import clock
from sightsync.lib.errors import ProviderError
from tests.recall.booking.conftest import STAFF, open_diary
from tests.recall.booking.other_system import ALL, DOWN, OtherSystem, connection

pytestmark = pytest.mark.django_db

TUESDAY = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)


@pytest.fixture
def calendar(practice):
    return connection(practice, "google_calendar")


def stretch(start=TUESDAY, length=HALF_HOUR, **fields) -> Stretch:
    return Stretch(starts_at=start, ends_at=start + length, **fields)


def read(conn, *stretches: Stretch) -> int:
    return busy.refresh(conn, OtherSystem(busy_times=list(stretches)), clock.now())


def is_free(practice, start=TUESDAY) -> bool:
    return any(slot.start == start for slot in diary.free(practice=practice, now=clock.now()))


def book_it(practice, patient, start=TUESDAY, diary_id=None):
    return book.book(
        practice=practice,
        patient=patient,
        diary_id=diary_id,
        starts_at=start,
        source="link",
        actor=STAFF,
    )


def test_a_busy_time_is_offered_to_nobody_and_cannot_be_booked(practice, diary_row, jane, calendar):
    assert is_free(practice)
    assert read(calendar, stretch(external_id="e1")) == 1
    assert not is_free(practice)
    assert is_free(practice, TUESDAY + HALF_HOUR)
    with pytest.raises(book.SlotTaken):
        book_it(practice, jane)


def test_a_reading_replaces_the_one_before_and_an_equal_one_writes_nothing(
    practice, diary_row, calendar
):
    read(calendar, stretch(external_id="e1"), stretch(TUESDAY + HALF_HOUR, external_id="e2"))
    before = set(BusyTime.objects.values_list("pk", flat=True))
    assert (
        read(calendar, stretch(TUESDAY + HALF_HOUR, external_id="e2"), stretch(external_id="e1"))
        == 0
    )
    assert set(BusyTime.objects.values_list("pk", flat=True)) == before
    assert read(calendar, stretch(TUESDAY + HALF_HOUR, external_id="e2")) == 1
    assert is_free(practice)
    assert read(calendar) == 1
    assert BusyTime.objects.count() == 0


def test_a_system_that_does_not_answer_keeps_what_is_known(practice, diary_row, calendar):
    read(calendar, stretch())
    with pytest.raises(ProviderError):
        busy.refresh(calendar, OtherSystem(before=[DOWN]), clock.now())
    assert not is_free(practice)


def test_a_system_that_tells_no_busy_times_is_not_asked(practice, calendar):
    silent = OtherSystem(capabilities=type(ALL)(writes_appointments=True))
    assert busy.refresh(calendar, silent, clock.now()) == 0
    assert silent.said == []


def test_all_of_the_horizon_is_asked_for(practice, calendar):
    practice.booking_horizon_days = 20
    practice.save(update_fields=["booking_horizon_days"])
    asked = {}

    class Noting(OtherSystem):
        def busy(self, *, start, end):
            asked.update(start=start, end=end)
            return []

    calendar.refresh_from_db()
    busy.refresh(calendar, Noting(), clock.now())
    assert asked == {"start": clock.now(), "end": clock.now() + timedelta(days=21)}


def test_a_disconnected_system_keeps_nothing_busy(practice, diary_row, calendar):
    read(calendar, stretch())
    connections.disconnect(connection=calendar, actor=STAFF)
    assert is_free(practice)


def test_one_that_needs_attention_still_does(practice, diary_row, calendar):
    read(calendar, stretch())
    connections.failed(connection=calendar, code="auth", actor=STAFF, refused=True)
    assert not is_free(practice)


def test_a_diary_of_theirs_stands_for_one_of_ours(practice, diary_row, make_patient):
    other = open_diary(practice, "Room 2")
    optix = connection(practice, "optix", diaries={"a": diary_row.public_id, "b": other.public_id})
    read(optix, stretch(diary_id="a", external_id="1"), stretch(diary_id="c", external_id="2"))
    assert BusyTime.objects.get().diary_id == diary_row.pk
    assert diary.diaries_free_at(practice=practice, now=clock.now(), starts_at=TUESDAY) == [
        other.pk
    ]
    assert book_it(practice, make_patient()).diary_id == other.pk


def test_a_calendar_of_one_diary_leaves_the_others_alone(practice, diary_row):
    other = open_diary(practice, "Room 2")
    mine = connection(practice, "google_calendar", diary=other.public_id)
    read(mine, stretch())
    assert diary.diaries_free_at(practice=practice, now=clock.now(), starts_at=TUESDAY) == [
        diary_row.pk
    ]


def test_diaries_that_were_never_matched_keep_all_of_ours_busy(practice, diary_row):
    open_diary(practice, "Room 2")
    read(connection(practice, "optix"), stretch(diary_id="a"))
    assert not is_free(practice)


@pytest.mark.parametrize("named", [True, False])
def test_our_own_appointment_there_does_not_stand_in_its_own_way(
    practice, diary_row, jane, calendar, named
):
    practice.appointment_minutes = 60
    practice.save(update_fields=["appointment_minutes"])
    made = book_it(practice, jane, TUESDAY - HALF_HOUR)
    AppointmentCopy.objects.update(state=CopyState.WRITTEN, standing=1, external_id="ours")
    ours = Stretch(
        starts_at=made.starts_at, ends_at=made.ends_at, external_id="ours" if named else ""
    )
    assert read(calendar, ours) == 0
    # Without a name the two are told as one; what is left is theirs.
    both = stretch(made.starts_at, timedelta(minutes=90), external_id="" if not named else "e")
    read(calendar, both)
    row = BusyTime.objects.get()
    assert (row.starts_at, row.ends_at) == (
        made.starts_at if named else made.ends_at,
        made.starts_at + timedelta(minutes=90),
    )


def test_what_we_have_not_written_yet_is_somebody_elses(practice, diary_row, jane, calendar):
    book_it(practice, jane)
    assert read(calendar, stretch()) == 1


def test_of_a_cancelled_one_that_still_stands_there_the_time_is_free(
    practice, diary_row, jane, calendar
):
    made = book_it(practice, jane)
    AppointmentCopy.objects.update(state=CopyState.WRITTEN, standing=1, external_id="ours")
    book.cancel(appointment=made, actor=STAFF, source="staff")
    assert read(calendar, stretch(external_id="ours")) == 0
    assert is_free(practice)


def test_another_practices_busy_times_are_not_ours(practice, other_practice, diary_row):
    theirs = connection(other_practice, "google_calendar")
    read(theirs, stretch())
    assert is_free(practice)


def test_an_empty_stretch_is_none(practice, calendar):
    assert read(calendar, stretch(length=timedelta(0)), stretch(length=-HALF_HOUR)) == 0


@pytest.mark.parametrize("readings", [1, 400])
def test_the_number_of_queries_does_not_grow(
    practice, diary_row, calendar, django_assert_num_queries, readings
):
    read(
        calendar,
        *(stretch(TUESDAY + n * HALF_HOUR, external_id=str(n)) for n in range(readings)),
    )
    with django_assert_num_queries(5):
        diary.free(practice=practice, now=clock.now())
