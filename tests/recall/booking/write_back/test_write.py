"""Our appointments in a connected system: written once, in the latest version, never forgotten."""

from datetime import timedelta

import pytest

from gdpr import erasure
from integrations import connections, registry
from patients.models import PmsRecord
from recall import tasks
from recall.booking import book
from recall.models import AppointmentCopy, Attempt, CopyState, Purpose
from sightsync.lib import clock
from tests.recall.booking.conftest import STAFF, open_diary
from tests.recall.booking.other_system import (
    OtherSystem,
    connection,
)
from tests.recall.booking.write_back.desk import (
    TUESDAY,
    WEDNESDAY,
    cancel,
    move,
    noted,
    the_copy,
    work_off,
)

pytestmark = pytest.mark.django_db


# --- the straight way ---------------------------------------------------------------------------


def test_a_booking_is_written_once_and_the_patient_did_not_wait_for_it(booked, there):
    assert the_copy().state == CopyState.ACCEPTED
    assert there.said == []
    assert Attempt.objects.get(purpose=Purpose.CONFIRMATION).appointment_id == booked.pk

    work_off()

    copy = the_copy()
    assert (copy.state, copy.standing, copy.external_id) == (CopyState.WRITTEN, 1, "x1")
    assert (copy.reason, copy.next_try_at, copy.lease_until) == ("", None, None)
    assert there.said == [("book", booked.public_id)]
    assert noted("appointment.written") == [{"system": "optix", "version": 1}]
    copy.connection.refresh_from_db()
    assert copy.connection.last_used_at == clock.now()


def test_a_job_run_twice_writes_once(booked, there):
    key = str(the_copy().pk)
    tasks.write_copy(key)
    tasks.write_copy(key)
    assert there.asked() == ["book"]


def test_what_is_told_is_what_is_needed(practice, booked, there, jane, optix, diary_row):
    jane.risk_category = "diabetic"
    jane.save(update_fields=["risk_category"])
    PmsRecord.objects.create(
        practice=practice, connection=optix, patient=jane, external_id="P7", digest=b"0"
    )
    connections.configure(
        connection=optix, settings={"diaries": {"room-a": diary_row.public_id}}, actor=STAFF
    )
    work_off()
    entry = there.kept["x1"]
    assert (entry.reference, entry.starts_at, entry.ends_at) == (
        booked.public_id,
        TUESDAY,
        TUESDAY + timedelta(minutes=30),
    )
    assert (entry.first_name, entry.last_name, entry.phone) == ("Jane", "Roe", jane.phone_number)
    assert (entry.patient_id, entry.diary_id, entry.booked_by_call) == ("P7", "room-a", True)
    assert entry.risk == ""


def test_the_risk_is_told_where_the_practice_wants_it(booked, there, jane, optix):
    connections.configure(connection=optix, settings={"risk_in_description": True}, actor=STAFF)
    work_off()
    assert there.kept["x1"].risk == jane.risk_category


def test_a_move_and_a_cancellation_follow(booked, there):
    work_off()
    move(booked)
    work_off()
    assert the_copy().standing == 2
    assert there.kept["x1"].starts_at == WEDNESDAY
    cancel(booked)
    work_off()
    copy = the_copy()
    assert (copy.state, copy.wanted, copy.standing) == (CopyState.WRITTEN, 0, 0)
    assert there.kept == {}
    assert there.asked() == ["book", "move", "cancel"]
    assert [facts["version"] for facts in noted("appointment.written")] == [1, 2, 0]


def test_every_connected_system_gets_its_own(practice, diary_row, jane, there):
    connection(practice, "optix")
    connection(practice, "google_calendar")
    old = connection(practice, "microsoft_bookings")
    connections.disconnect(connection=old, actor=STAFF)
    book.book(
        practice=practice,
        patient=jane,
        diary_id=diary_row.pk,
        starts_at=TUESDAY,
        source="link",
        actor=STAFF,
    )
    kinds = {copy.connection.kind for copy in AppointmentCopy.objects.select_related("connection")}
    assert kinds == {"optix", "google_calendar"}


def test_a_calendar_of_one_diary_has_the_appointments_of_that_diary(
    practice, diary_row, make_patient, there
):
    other = open_diary(practice, "Room 2")
    connection(practice, "google_calendar", diary=diary_row.public_id)
    moving = book.book(
        practice=practice,
        patient=make_patient(),
        diary_id=diary_row.pk,
        starts_at=TUESDAY,
        source="staff",
        actor=STAFF,
    )
    book.book(
        practice=practice,
        patient=make_patient(),
        diary_id=other.pk,
        starts_at=TUESDAY,
        source="staff",
        actor=STAFF,
    )
    work_off()
    assert list(there.kept) == ["x1"]
    move(moving, diary_id=other.pk)
    work_off()
    assert there.kept == {}


# --- overtaken ----------------------------------------------------------------------------------


def test_cancelled_before_it_was_written_nothing_is_written(booked, there):
    cancel(booked)
    work_off()
    assert there.said == []
    copy = the_copy()
    assert (copy.state, copy.wanted, copy.standing) == (CopyState.WRITTEN, 0, None)


def test_moved_before_it_was_written_the_new_time_is_written_once(booked, there):
    move(booked)
    work_off()
    assert there.asked() == ["book"]
    assert there.kept["x1"].starts_at == WEDNESDAY
    assert the_copy().standing == 2


def test_moved_twice_while_it_is_being_written_the_latest_time_stands(booked, there):
    thursday = WEDNESDAY + timedelta(days=1)

    def overtaken() -> None:
        there.during = None
        move(booked)
        move(booked, thursday)

    there.during = overtaken
    tasks.write_copy(str(the_copy().pk))
    copy = the_copy()
    assert (copy.state, copy.wanted, copy.standing) == (CopyState.ACCEPTED, 3, 1)
    work_off()
    assert there.asked() == ["book", "move"]
    assert [entry.starts_at for entry in there.kept.values()] == [thursday]
    assert (the_copy().state, the_copy().standing) == (CopyState.WRITTEN, 3)


def test_cancelled_while_it_is_being_written_it_is_taken_out_again(booked, there):
    def overtaken() -> None:
        there.during = None
        cancel(booked)

    there.during = overtaken
    work_off()
    assert there.asked() == ["book", "cancel"]
    assert there.kept == {}


def test_gone_there_by_hand_a_moved_one_is_written_anew(booked, there):
    work_off()
    there.kept.clear()
    move(booked)
    work_off()
    assert there.asked() == ["book", "move", "book"]
    assert [entry.starts_at for entry in there.kept.values()] == [WEDNESDAY]


def test_an_erased_patient_is_taken_out_of_calendars_and_stays_in_the_practices_record(
    practice, diary_row, jane, there, monkeypatch, at
):
    connection(practice, "optix")
    connection(practice, "google_calendar")
    by_kind = {"optix": there, "google_calendar": OtherSystem()}
    monkeypatch.setattr(registry, "connector", lambda connection: by_kind[connection.kind])
    made = book.book(
        practice=practice,
        patient=jane,
        diary_id=diary_row.pk,
        starts_at=TUESDAY,
        source="call",
        actor=STAFF,
    )
    work_off()
    at("2026-11-25T10:00:00Z")
    book.mark_attended(appointment=made, actor=STAFF)
    erasure.erase(patient=jane, actor=STAFF)
    work_off()
    assert by_kind["google_calendar"].kept == {}
    assert len(there.kept) == 1
