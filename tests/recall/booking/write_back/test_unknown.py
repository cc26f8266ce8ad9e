"""What is not known is looked for, and workers that die leave nothing behind."""

from datetime import timedelta

import pytest

from practices import job_tries
from recall import tasks
from recall.booking.write_back import again, copies, due, results
from recall.booking.write_back.states import Deed
from recall.models import AppointmentCopy, CopyState, StaffTask, TaskKind
from sightsync.lib import clock
from tests.recall.booking.conftest import STAFF
from tests.recall.booking.other_system import (
    ALL,
    DOWN,
    DROPPED,
)
from tests.recall.booking.write_back.desk import (
    WEDNESDAY,
    cancel,
    move,
    the_copy,
    work_off,
)

pytestmark = pytest.mark.django_db


# --- not known ----------------------------------------------------------------------------------


def test_dropped_after_it_was_taken_it_is_found_and_not_written_again(booked, there, later):
    there.after = [DROPPED]
    work_off()
    assert (the_copy().state, the_copy().reason) == (CopyState.UNKNOWN, "timeout")
    later(seconds=29)
    work_off()
    assert there.asked() == ["book"]
    later(seconds=1)
    work_off()
    assert there.asked() == ["book", "find"]
    copy = the_copy()
    assert (copy.state, copy.standing, copy.external_id) == (CopyState.WRITTEN, 1, "x1")


def test_dropped_before_it_was_taken_it_is_written_again_once_it_is_known_absent(
    booked, there, later
):
    there.before = [DROPPED]
    work_off()
    later(seconds=30)
    work_off()
    assert there.asked() == ["book", "find", "book"]
    assert len(there.kept) == 1
    assert the_copy().state == CopyState.WRITTEN


@pytest.mark.parametrize("was_taken", [True, False])
def test_a_move_of_unknown_fate_ends_at_the_new_time(booked, there, later, was_taken):
    work_off()
    move(booked)
    if was_taken:
        there.after = [DROPPED]
    else:
        there.before = [DROPPED]
    work_off()
    later(seconds=30)
    work_off()
    assert there.asked() == ["book", "move", "find"] + ([] if was_taken else ["move"])
    assert [entry.starts_at for entry in there.kept.values()] == [WEDNESDAY]
    assert (the_copy().state, the_copy().standing) == (CopyState.WRITTEN, 2)


@pytest.mark.parametrize("was_taken", [True, False])
def test_a_cancellation_of_unknown_fate_is_simply_made_again(booked, there, later, was_taken):
    work_off()
    cancel(booked)
    if was_taken:
        there.after = [DROPPED]
    else:
        there.before = [DROPPED]
    work_off()
    later(seconds=15)
    work_off()
    assert there.asked() == ["book", "cancel", "cancel"]
    assert there.kept == {}
    assert the_copy().state == CopyState.WRITTEN


@pytest.mark.parametrize("was_taken", [True, False])
def test_cancelled_while_it_is_not_known_nothing_stands_there_in_the_end(
    booked, there, later, was_taken
):
    if was_taken:
        there.after = [DROPPED]
    else:
        there.before = [DROPPED]
    work_off()
    cancel(booked)
    later(seconds=30)
    work_off()
    assert there.asked() == ["book", "find"] + (["cancel"] if was_taken else [])
    assert there.kept == {}
    assert (the_copy().state, the_copy().standing) == (CopyState.WRITTEN, 0)


def test_moved_while_it_is_not_known_the_new_time_stands_in_the_end(booked, there, later):
    there.after = [DROPPED]
    work_off()
    move(booked)
    later(seconds=30)
    work_off()
    assert there.asked() == ["book", "find", "move"]
    assert [entry.starts_at for entry in there.kept.values()] == [WEDNESDAY]


def test_what_cannot_be_found_out_in_half_an_hour_is_shown_to_staff(booked, there, later):
    there.after = [DROPPED]
    there.looks_fail = [DOWN] * results.LOOKS_BEFORE_STAFF
    work_off()
    for _ in range(results.LOOKS_BEFORE_STAFF):
        assert StaffTask.objects.count() == 0
        later(minutes=15)
        work_off()
    assert the_copy().state == CopyState.UNKNOWN
    assert StaffTask.objects.get().kind == TaskKind.WRITE_BACK
    later(minutes=15)
    work_off()
    assert the_copy().state == CopyState.WRITTEN
    assert StaffTask.objects.get().done_code == "written"
    assert there.asked().count("book") == 1


def test_a_system_that_cannot_be_asked_is_a_persons_to_look_at(booked, there, later):
    there.capabilities = type(ALL)(writes_appointments=True)
    there.after = [DROPPED]
    work_off()
    assert StaffTask.objects.get().kind == TaskKind.WRITE_BACK
    later(hours=3)
    work_off()
    again.try_again(appointment=booked, actor=STAFF)
    work_off()
    assert there.asked() == ["book"]
    assert the_copy().state == CopyState.UNKNOWN


# --- workers that die ---------------------------------------------------------------------------


def test_a_job_that_gave_up_is_out_of_reach_and_shown(booked, there):
    again.job_failed(the_copy().pk, actor=STAFF)
    assert (the_copy().state, the_copy().reason) == (CopyState.FAILED, "job_failed")
    assert StaffTask.objects.get().kind == TaskKind.WRITE_BACK
    work_off()
    assert there.said == []


def test_tried_again_by_hand_a_job_that_gave_up_runs_again(booked, there):
    key = str(the_copy().pk)
    for _ in range(job_tries.LIMIT):
        job_tries.begin(f"{again.JOB}:{key}")
    tasks.write_copy(key)
    assert the_copy().reason == "job_failed"
    again.try_again(appointment=booked, actor=STAFF)
    tasks.write_copy(key)
    assert the_copy().state == CopyState.WRITTEN


def test_a_job_that_gave_up_while_writing_is_looked_for_before_it_is_written(booked, there):
    def dies() -> None:
        raise ZeroDivisionError

    there.during = dies
    with pytest.raises(ZeroDivisionError):
        tasks.write_copy(str(the_copy().pk))
    again.job_failed(the_copy().pk, actor=STAFF)
    assert (the_copy().state, the_copy().reason) == (CopyState.UNKNOWN, "job_failed")
    there.during = None
    again.try_again(appointment=booked, actor=STAFF)
    work_off()
    assert there.asked() == ["book", "find", "book"]


def test_an_answer_that_comes_after_the_lease_was_taken_away_changes_nothing(booked, there):
    def overtaken() -> None:
        there.during = None
        AppointmentCopy.objects.update(lease_until=clock.real_now() - timedelta(seconds=1))
        assert due.take_back() == 1

    there.during = overtaken
    tasks.write_copy(str(the_copy().pk))
    assert (the_copy().state, the_copy().reason) == (CopyState.UNKNOWN, "worker_lost")
    work_off()
    assert there.asked() == ["book", "find"]
    assert (the_copy().state, the_copy().external_id) == (CopyState.WRITTEN, "x1")


def test_a_copy_that_is_being_written_is_not_taken_back(booked, there):
    there.during = due.take_back
    tasks.write_copy(str(the_copy().pk))
    assert the_copy().state == CopyState.WRITTEN


def test_no_move_that_the_table_does_not_have(booked):
    with pytest.raises(ValueError, match="no move"):
        copies.move(the_copy().pk, to=CopyState.FAILED, sources=(CopyState.UNKNOWN,))


def test_without_looking_first_an_unknown_one_would_stand_twice(booked, there, later):
    """The guard off: what is not known is taken for not written."""
    there.after = [DROPPED]
    work_off()
    AppointmentCopy.objects.update(state=CopyState.ACCEPTED, next_try_at=clock.now())
    there.kept["x1"] = there.kept["x1"].__class__(
        reference=booked.public_id, starts_at=WEDNESDAY, ends_at=WEDNESDAY
    )
    work_off()
    assert [entry.reference for entry in there.kept.values()] == [booked.public_id] * 2


def test_deeds() -> None:
    from recall.booking.write_back.states import deed

    cases = {
        (1, None): Deed.BOOK,
        (2, None): Deed.BOOK,
        (2, 0): Deed.BOOK,
        (2, 1): Deed.MOVE,
        (2, 2): Deed.NOTHING,
        (0, None): Deed.NOTHING,
        (0, 0): Deed.NOTHING,
        (0, 2): Deed.CANCEL,
    }
    assert {case: deed(wanted=case[0], standing=case[1]) for case in cases} == cases
