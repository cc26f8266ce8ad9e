"""A system that refuses an appointment, is down, or has to be connected again."""

from datetime import timedelta

import pytest

from integrations import connections, registry
from integrations.models import ConnectionState
from recall.booking import book
from recall.booking.write_back import again, results
from recall.models import AppointmentCopy, CopyState, StaffTask, TaskKind
from sightsync.lib import clock
from sightsync.lib.errors import ProviderError
from tests.recall.booking.conftest import STAFF
from tests.recall.booking.other_system import (
    ALL,
    DOWN,
    REVOKED,
    TAKEN,
    OtherSystem,
    connection,
)
from tests.recall.booking.write_back.desk import (
    TUESDAY,
    cancel,
    move,
    noted,
    the_copy,
    work_off,
)

pytestmark = pytest.mark.django_db


# --- refused ------------------------------------------------------------------------------------


def test_a_time_taken_there_is_a_failure_with_a_reason_and_one_task(booked, there, jane, practice):
    there.before = [TAKEN]
    work_off()
    copy = the_copy()
    assert (copy.state, copy.reason, copy.standing) == (CopyState.FAILED, "taken", None)
    assert copy.next_try_at is None
    facts = {"system": "optix", "code": "taken", "version": 1}
    assert noted("appointment.write_failed") == [facts]
    task = StaffTask.objects.get()
    assert (task.kind, task.patient_id, task.practice_id) == (
        TaskKind.WRITE_BACK,
        jane.pk,
        practice.pk,
    )
    copy.connection.refresh_from_db()
    assert copy.connection.failing_since is None
    work_off()
    assert there.asked() == ["book"]


def test_tried_again_by_hand_it_is_written_and_the_task_is_done(booked, there):
    there.before = [TAKEN]
    work_off()
    assert again.try_again(appointment=booked, actor=STAFF) == 1
    assert StaffTask.objects.get().done_code == again.RETRIED
    work_off()
    assert the_copy().state == CopyState.WRITTEN
    assert again.try_again(appointment=booked, actor=STAFF) == 0
    assert len(noted("appointment.write_again")) == 1


def test_failing_again_opens_a_new_task(booked, there):
    there.before = [TAKEN, TAKEN]
    work_off()
    again.try_again(appointment=booked, actor=STAFF)
    work_off()
    assert StaffTask.objects.filter(done_at=None).count() == 1
    assert StaffTask.objects.count() == 2


def test_once_the_system_is_disconnected_there_is_nothing_to_do_about_it(booked, there, optix):
    there.before = [TAKEN]
    work_off()
    assert again.finish_overtaken(actor=STAFF) == 0
    connections.disconnect(connection=optix, actor=STAFF)
    assert again.finish_overtaken(actor=STAFF) == 1
    assert StaffTask.objects.get().done_code == "disconnected"


def test_a_failed_one_that_is_moved_is_tried_at_its_new_time_and_ends_the_task(booked, there):
    there.before = [TAKEN]
    work_off()
    move(booked)
    work_off()
    assert the_copy().state == CopyState.WRITTEN
    assert StaffTask.objects.get().done_code == "written"


def test_a_failed_one_that_is_cancelled_needs_nothing_more(booked, there):
    there.before = [TAKEN]
    work_off()
    cancel(booked)
    work_off()
    assert the_copy().state == CopyState.WRITTEN
    assert there.asked() == ["book"]
    assert StaffTask.objects.get().done_at is not None


def test_a_system_that_takes_no_bookings_is_not_asked(booked, there):
    there.capabilities = type(ALL)(reads_busy_times=True)
    work_off()
    assert (the_copy().state, the_copy().reason) == (CopyState.FAILED, "not_supported")
    assert there.said == []


# --- down ---------------------------------------------------------------------------------------


def test_a_system_that_is_down_is_tried_again_more_and_more_slowly(booked, there, later):
    there.before = [DOWN] * 5
    waits = []
    for _ in range(5):
        work_off()
        copy = the_copy()
        assert (copy.state, copy.reason) == (CopyState.ACCEPTED, "unavailable")
        waits.append((copy.next_try_at - clock.now()).total_seconds())
        later(seconds=waits[-1])
    assert waits == [15, 30, 60, 120, 240]
    copy.connection.refresh_from_db()
    assert copy.connection.error_code == "unavailable"
    work_off()
    assert the_copy().state == CopyState.WRITTEN
    copy.connection.refresh_from_db()
    assert copy.connection.error_code == ""
    assert StaffTask.objects.count() == 0


def test_it_waits_as_long_as_the_system_asks(booked, there):
    there.before = [ProviderError(DOWN.kind, "429", "rate_limited", retry_after=700)]
    work_off()
    assert the_copy().next_try_at == clock.now() + timedelta(seconds=700)


def test_one_request_finds_out_whether_a_system_is_back(
    practice, diary_row, make_patient, optix, there, later
):
    for place in range(4):
        book.book(
            practice=practice,
            patient=make_patient(),
            diary_id=diary_row.pk,
            starts_at=TUESDAY + timedelta(minutes=30 * place),
            source="staff",
            actor=STAFF,
        )
    there.before = [DOWN]
    work_off()
    assert len(there.said) == 1
    later(seconds=14)
    work_off()
    assert len(there.said) == 1
    later(seconds=1)
    work_off()
    assert len(there.kept) == 4


def test_a_system_that_is_down_holds_up_no_other(
    practice, other_practice, diary_row, jane, there, monkeypatch
):
    connection(practice, "optix")
    connection(practice, "google_calendar")
    down = OtherSystem(before=[DOWN] * 9)
    by_kind = {"optix": down, "google_calendar": there}
    monkeypatch.setattr(registry, "connector", lambda connection: by_kind[connection.kind])
    book.book(
        practice=practice,
        patient=jane,
        diary_id=diary_row.pk,
        starts_at=TUESDAY,
        source="link",
        actor=STAFF,
    )
    work_off()
    assert len(there.kept) == 1
    states = dict(AppointmentCopy.objects.values_list("connection__kind", "state"))
    assert states == {"optix": CopyState.ACCEPTED, "google_calendar": CopyState.WRITTEN}


def test_a_system_that_was_down_until_the_appointment_was_over_is_a_failure(booked, there, at):
    there.before = [DOWN]
    work_off()
    at("2026-11-24T15:00:00Z")
    work_off()
    assert (the_copy().state, the_copy().reason) == (CopyState.FAILED, "too_late")
    assert StaffTask.objects.get().kind == TaskKind.WRITE_BACK


def test_a_revoked_credential_waits_for_a_person_and_then_goes_on_by_itself(
    booked, there, optix, later
):
    there.before = [REVOKED]
    work_off()
    optix.refresh_from_db()
    assert optix.state == ConnectionState.NEEDS_ATTENTION
    copy = the_copy()
    assert (copy.state, copy.reason) == (CopyState.ACCEPTED, results.CONNECT_AGAIN)
    for _ in range(3):
        later(minutes=20)
        work_off()
    assert there.asked() == ["book"]
    assert StaffTask.objects.count() == 0

    connections.connect(
        practice=booked.practice,
        kind="optix",
        credential={"api_key": "new"},
        shown="new",
        settings={},
        user=None,
        actor=STAFF,
    )
    work_off()
    assert the_copy().state == CopyState.WRITTEN


def test_disconnecting_leaves_what_stands_there_and_writes_nothing_more(booked, there, optix):
    work_off()
    connections.disconnect(connection=optix, actor=STAFF)
    move(booked)
    cancel(booked)
    work_off()
    assert there.asked() == ["book"]
    assert list(there.kept) == ["x1"]


def test_disconnected_before_it_was_written_it_is_not_written_and_nobody_is_bothered(
    booked, there, optix
):
    connections.disconnect(connection=optix, actor=STAFF)
    work_off()
    assert (the_copy().state, the_copy().reason) == (CopyState.FAILED, "disconnected")
    assert there.said == []
    assert StaffTask.objects.count() == 0
