"""Booking, moving, cancelling: what is refused, what follows, and that a repeat changes nothing."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from practices.models import JournalEntry
from recall import episodes
from recall.booking import book, diary
from recall.models import (
    Appointment,
    AppointmentStatus,
    Attempt,
    AttemptState,
    Closure,
    Episode,
    EpisodeState,
    Purpose,
)
from sightsync.lib import clock
from sightsync.lib.errors import AppError
from tests.recall.booking.conftest import STAFF, open_diary

TUESDAY = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)


def book_in(practice, patient, starts_at=TUESDAY, diary_id=None, source="staff", **more):
    return book.book(
        practice=practice,
        patient=patient,
        diary_id=diary_id,
        starts_at=starts_at,
        source=source,
        actor=STAFF,
        **more,
    )


def actions(patient):
    return list(
        JournalEntry.objects.filter(patient_id=patient.pk)
        .order_by("id")
        .values_list("action", flat=True)
    )


def test_a_free_time_is_booked_for_the_length_of_an_appointment(practice, diary_row, jane):
    row = book_in(practice, jane, source="call")
    assert (row.starts_at, row.ends_at) == (TUESDAY, TUESDAY + timedelta(minutes=30))
    assert (row.status, row.version, row.source) == ("booked", 1, "call")
    assert row.diary_id == diary_row.pk


def test_booking_writes_one_journal_entry_without_personal_data(practice, diary_row, jane):
    row = book_in(practice, jane)
    entry = JournalEntry.objects.get(action="appointment.booked")
    assert entry.subject_id == str(row.pk)
    assert entry.facts == {
        "source": "staff",
        "starts_at": TUESDAY.isoformat(),
        "diary": diary_row.public_id,
    }


def test_booking_ends_the_open_recall_and_cancels_what_it_had_planned(practice, diary_row, jane):
    (episode,) = episodes.ensure_open(
        practice=practice, patients=[jane], campaign=None, actor=STAFF
    )
    planned = Attempt.objects.create(
        practice=practice,
        patient=jane,
        episode=episode,
        channel="whatsapp",
        due_at=clock.now(),
        created_at=clock.now(),
    )
    row = book_in(practice, jane)
    episode.refresh_from_db()
    planned.refresh_from_db()
    assert row.episode_id == episode.pk
    assert episode.state == EpisodeState.BOOKED
    assert planned.state == AttemptState.CANCELLED


def test_booking_plans_one_confirmation_by_text_for_now(practice, diary_row, jane):
    row = book_in(practice, jane)
    planned = Attempt.objects.get(purpose=Purpose.CONFIRMATION)
    assert (planned.channel, planned.state, planned.due_at) == ("sms", "planned", clock.now())
    assert (planned.appointment_id, planned.appointment_version) == (row.pk, 1)
    assert planned.episode_id is None  # a recall's end must not cancel it


@pytest.mark.parametrize(
    ("fields", "channel"),
    [
        ({"phone_number": "+441632960001", "email": "jane@example.org"}, "email"),
        ({"phone_number": "+441632960001"}, None),
        ({"phone_number": "", "email": "jane@example.org"}, "email"),
        ({"opted_out_channels": ["sms"], "email": "jane@example.org"}, "email"),
        ({"opted_out_at": datetime(2026, 1, 1, tzinfo=UTC), "email": "jane@example.org"}, None),
        ({"phone_wrong_at": datetime(2026, 1, 1, tzinfo=UTC)}, None),
    ],
)
def test_the_confirmation_goes_where_the_patient_can_and_will_be_reached(
    practice, diary_row, make_patient, fields, channel
):
    book_in(practice, make_patient(**fields))
    planned = Attempt.objects.filter(purpose=Purpose.CONFIRMATION).first()
    assert (planned.channel if planned else None) == channel


def test_asking_again_for_the_time_one_has_gives_the_same_appointment(practice, diary_row, jane):
    first = book_in(practice, jane)
    again = book_in(practice, jane)
    by_diary = book_in(practice, jane, diary_id=diary_row.pk)
    assert first.pk == again.pk == by_diary.pk
    assert actions(jane).count("appointment.booked") == 1
    assert Attempt.objects.filter(purpose=Purpose.CONFIRMATION).count() == 1


def test_a_second_appointment_ahead_is_refused_with_the_first(practice, diary_row, jane):
    first = book_in(practice, jane)
    with pytest.raises(book.AlreadyBooked) as refusal:
        book_in(practice, jane, TUESDAY + timedelta(days=1))
    assert refusal.value.appointment.pk == first.pk
    assert refusal.value.extra == {"appointment_id": first.public_id}
    assert Appointment.objects.count() == 1


def test_a_taken_time_is_refused_with_the_next_three(practice, diary_row, jane, make_patient):
    book_in(practice, make_patient())
    with pytest.raises(book.SlotTaken) as refusal:
        book_in(practice, jane)
    times = [slot.local.strftime("%a %H:%M") for slot in refusal.value.next_slots]
    assert times == ["Tue 15:00", "Tue 15:30", "Tue 16:00"]
    assert refusal.value.status == 409
    assert refusal.value.extra["next_slots"][0]["starts_at"] == "2026-11-24T15:00:00Z"
    assert "appointment.booked" not in actions(jane)


def test_at_the_end_of_the_horizon_earlier_times_are_offered(practice, diary_row, jane):
    last = diary.free(practice=practice, now=clock.now())[-1]
    with pytest.raises(book.SlotTaken) as refusal:
        book_in(practice, jane, last.start + timedelta(minutes=30))
    assert len(refusal.value.next_slots) == 3
    assert refusal.value.next_slots[0].local.date() == date(2026, 11, 18)


NOT_BOOKABLE = {
    "past": datetime(2026, 11, 17, 14, 30, tzinfo=UTC),
    "inside the notice": datetime(2026, 11, 18, 11, 30, tzinfo=UTC),
    "before opening": datetime(2026, 11, 24, 8, 30, tzinfo=UTC),
    "over closing": datetime(2026, 11, 24, 17, 15, tzinfo=UTC),
    "beside the grid": datetime(2026, 11, 24, 14, 37, tzinfo=UTC),
    "at the weekend": datetime(2026, 11, 21, 14, 30, tzinfo=UTC),
    "on Christmas Day": datetime(2026, 12, 25, 14, 30, tzinfo=UTC),
    "on a closed day": datetime(2026, 11, 26, 14, 30, tzinfo=UTC),
    "beyond the horizon": datetime(2027, 1, 26, 14, 30, tzinfo=UTC),
    "in another century": datetime(2126, 11, 24, 14, 30, tzinfo=UTC),
}


@pytest.mark.parametrize("starts_at", NOT_BOOKABLE.values(), ids=NOT_BOOKABLE.keys())
@pytest.mark.parametrize("by_diary", [True, False])
def test_only_times_of_the_diary_can_be_booked(practice, diary_row, jane, starts_at, by_diary):
    Closure.objects.create(
        practice=practice, first_day=date(2026, 11, 26), last_day=date(2026, 11, 26)
    )
    with pytest.raises(book.SlotTaken):
        book_in(practice, jane, starts_at, diary_id=diary_row.pk if by_diary else None)
    assert not Appointment.objects.exists()


def test_an_overlap_is_refused_though_it_starts_at_another_time(
    practice, diary_row, jane, make_patient
):
    start = TUESDAY - timedelta(minutes=10)
    Appointment.objects.create(
        practice=practice,
        diary=diary_row,
        patient=make_patient(),
        starts_at=start,
        ends_at=start + timedelta(minutes=30),
        source="pms",
        created_at=clock.now(),
    )
    with pytest.raises(book.SlotTaken):
        book_in(practice, jane)


def test_the_buffer_of_a_diary_keeps_appointments_apart(practice, diary_row, jane, make_patient):
    diary_row.buffer_minutes = 10
    diary_row.save(update_fields=["buffer_minutes"])
    first, second, *_ = diary.free(practice=practice, now=clock.now())
    assert second.start - first.start == timedelta(minutes=40)
    Appointment.objects.create(
        practice=practice,
        diary=diary_row,
        patient=make_patient(),
        starts_at=first.start - timedelta(minutes=35),
        ends_at=first.start - timedelta(minutes=5),
        source="pms",
        created_at=clock.now(),
    )
    with pytest.raises(book.SlotTaken):
        book_in(practice, jane, first.start)


def test_another_diary_takes_the_patient_when_the_first_is_full(
    practice, diary_row, jane, make_patient
):
    second = open_diary(practice, "Room 2")
    book_in(practice, make_patient())
    assert book_in(practice, jane).diary_id == second.pk


@pytest.mark.parametrize("field", ["erased_at", "deceased_at", "archived_at"])
def test_a_closed_record_is_not_booked(practice, diary_row, make_patient, field):
    gone = make_patient(**{field: clock.now()})
    with pytest.raises(AppError) as refusal:
        book_in(practice, gone)
    assert refusal.value.code == "patient_gone"


def test_nothing_of_another_practice_can_be_used(practice, other_practice, diary_row, jane):
    theirs = open_diary(other_practice, "Theirs")
    with pytest.raises(book.SlotTaken):
        book_in(practice, jane, diary_id=theirs.pk)
    with pytest.raises(AppError) as refusal:
        book_in(other_practice, jane)
    assert refusal.value.code == "patient_not_found"


def test_a_moved_appointment_has_a_new_version_and_a_new_confirmation(practice, diary_row, jane):
    row = book_in(practice, jane)
    book.confirm(appointment=row, actor=STAFF, source="reply")
    later = TUESDAY + timedelta(days=1)
    moved = book.move(appointment=row, diary_id=None, starts_at=later, actor=STAFF, source="link")
    assert (moved.pk, moved.starts_at, moved.version) == (row.pk, later, 2)
    assert moved.status == AppointmentStatus.BOOKED
    messages = Attempt.objects.filter(appointment=row).order_by("appointment_version")
    assert [(m.appointment_version, m.state) for m in messages] == [
        (1, "cancelled"),
        (2, "planned"),
    ]
    assert actions(jane)[-1] == "appointment.moved"


def test_moving_to_a_taken_time_keeps_the_old_one(practice, diary_row, jane, make_patient):
    later = TUESDAY + timedelta(days=1)
    book_in(practice, make_patient(), later)
    row = book_in(practice, jane)
    with pytest.raises(book.SlotTaken):
        book.move(appointment=row, diary_id=None, starts_at=later, actor=STAFF, source="link")
    row.refresh_from_db()
    assert (row.starts_at, row.version) == (TUESDAY, 1)


def test_an_appointment_does_not_stand_in_its_own_way(practice, diary_row, jane):
    practice.appointment_minutes = 60
    practice.save(update_fields=["appointment_minutes"])
    row = book_in(practice, jane, datetime(2026, 11, 24, 14, 0, tzinfo=UTC))
    practice.appointment_minutes = 30
    practice.save(update_fields=["appointment_minutes"])
    row = Appointment.objects.get(pk=row.pk)
    moved = book.move(
        appointment=row, diary_id=None, starts_at=TUESDAY, actor=STAFF, source="staff"
    )
    assert moved.starts_at == TUESDAY


def test_moving_to_the_same_time_changes_nothing(practice, diary_row, jane):
    row = book_in(practice, jane)
    again = book.move(appointment=row, diary_id=None, starts_at=TUESDAY, actor=STAFF, source="link")
    assert again.version == 1
    assert "appointment.moved" not in actions(jane)


def test_a_cancelled_time_is_free_again_and_a_second_cancel_changes_nothing(
    practice, diary_row, jane, make_patient
):
    row = book_in(practice, jane)
    book.cancel(appointment=row, actor=STAFF, source="link")
    book.cancel(appointment=row, actor=STAFF, source="link")
    assert actions(jane).count("appointment.cancelled") == 1
    assert not Attempt.objects.filter(state="planned").exists()
    assert book_in(practice, make_patient()).starts_at == TUESDAY


@pytest.mark.parametrize(("source", "told"), [("link", False), ("reply", False), ("staff", True)])
def test_the_patient_is_told_when_it_was_not_they_who_cancelled(
    practice, diary_row, jane, source, told
):
    row = book_in(practice, jane)
    book.cancel(appointment=row, actor=STAFF, source=source)
    assert Attempt.objects.filter(purpose=Purpose.CANCELLATION, state="planned").exists() is told


def test_a_lost_appointment_opens_the_recall_again_in_a_week(practice, diary_row, jane):
    episodes.ensure_open(practice=practice, patients=[jane], campaign=None, actor=STAFF)
    row = book_in(practice, jane)
    book.cancel(appointment=row, actor=STAFF, source="link")
    again = Episode.objects.get(patient=jane, closed_at=None)
    assert (again.state, again.reason) == (EpisodeState.WAITING, "appointment_cancelled")
    assert again.next_step_at == clock.now() + timedelta(days=7)
    assert not Attempt.objects.filter(purpose=Purpose.RECALL).exists()


def test_cancelling_starts_no_recall_that_nobody_started(practice, diary_row, jane, make_patient):
    row = book_in(practice, jane)
    book.cancel(appointment=row, actor=STAFF, source="link")
    early = make_patient(next_clinical_due_date=date(2027, 6, 1))
    episodes.ensure_open(practice=practice, patients=[early], campaign=None, actor=STAFF)
    row = book_in(practice, early)
    book.cancel(appointment=row, actor=STAFF, source="link")
    assert not Episode.objects.filter(closed_at=None).exists()


def test_confirming_twice_is_confirming_once(practice, diary_row, jane):
    row = book_in(practice, jane)
    book.confirm(appointment=row, actor=STAFF, source="reply")
    assert book.confirm(appointment=row, actor=STAFF, source="reply").status == "confirmed"
    assert actions(jane).count("appointment.confirmed") == 1


@pytest.mark.parametrize("change", [book.cancel, book.confirm])
def test_what_has_begun_cannot_be_changed(practice, diary_row, jane, at, change):
    row = book_in(practice, jane)
    at(TUESDAY)
    with pytest.raises(AppError) as refusal:
        change(appointment=row, actor=STAFF, source="link")
    assert refusal.value.code == "appointment_over"


def test_attending_makes_the_day_the_last_eye_test(practice, diary_row, jane, at):
    row = book_in(practice, jane)
    at(TUESDAY + timedelta(hours=1))
    book.mark_attended(appointment=row, actor=STAFF)
    jane.refresh_from_db()
    assert jane.last_eye_test_date == date(2026, 11, 24)
    assert jane.next_clinical_due_date > date(2027, 1, 1)


def test_not_attending_opens_the_recall_again_and_can_be_put_right(practice, diary_row, jane, at):
    episodes.ensure_open(practice=practice, patients=[jane], campaign=None, actor=STAFF)
    row = book_in(practice, jane)
    at(TUESDAY + timedelta(hours=1))
    book.mark_no_show(appointment=row, actor=STAFF)
    assert Episode.objects.get(patient=jane, closed_at=None).reason == "no_show"
    book.mark_attended(appointment=row, actor=STAFF)
    assert not Episode.objects.filter(patient=jane, closed_at=None).exists()


def test_nobody_attends_an_appointment_of_another_day(practice, diary_row, jane):
    row = book_in(practice, jane)
    with pytest.raises(AppError) as refusal:
        book.mark_attended(appointment=row, actor=STAFF)
    assert refusal.value.code == "appointment_ahead"


def test_free_times_take_five_queries_however_full_the_diaries_are(
    practice, diary_row, make_patient, django_assert_num_queries
):
    open_diary(practice, "Room 2", time(10), time(12))
    for hour in range(9, 14):
        book_in(practice, make_patient(), datetime(2026, 11, 24, hour, tzinfo=UTC))
    with django_assert_num_queries(5):
        assert diary.free(practice=practice, now=clock.now())
