"""Our appointments in a connected system: written once, in the latest version, never forgotten."""

from datetime import UTC, datetime, timedelta

import pytest

from gdpr import erasure
from integrations import connections, registry
from integrations.models import ConnectionState
from patients.models import PmsRecord
from practices import job_tries
from practices.models import JournalEntry
from recall import tasks
from recall.booking import book
from recall.booking.write_back import again, copies, due, results
from recall.booking.write_back.states import Deed
from recall.models import AppointmentCopy, Attempt, CopyState, Purpose, StaffTask, TaskKind
from sightsync.lib import clock
from sightsync.lib.errors import ProviderError
from tests.recall.booking.conftest import STAFF, open_diary
from tests.recall.booking.other_system import (
    ALL,
    DOWN,
    DROPPED,
    REVOKED,
    TAKEN,
    OtherSystem,
    connection,
)

pytestmark = pytest.mark.django_db

TUESDAY = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
WEDNESDAY = TUESDAY + timedelta(days=1)


@pytest.fixture
def optix(practice):
    return connection(practice)


@pytest.fixture
def there(monkeypatch):
    system = OtherSystem()
    monkeypatch.setattr(registry, "connector", lambda connection: system)
    return system


@pytest.fixture
def later(at):
    """Lets time pass, as the tick and the workers see it."""

    def pass_by(**span: float) -> None:
        at(clock.now() + timedelta(**span))

    return pass_by


def work_off() -> None:
    """What a tick wakes, run at once, until nothing is due."""
    for _ in range(10):
        due.take_back()
        due.wake_reconnected(clock.now())
        keys = due.keys(clock.now(), 50)
        if not keys:
            return
        for key in keys:
            tasks.write_copy(str(key))
    raise AssertionError("There is always more to do.")


@pytest.fixture
def booked(practice, diary_row, jane, optix, there):
    return book.book(
        practice=practice,
        patient=jane,
        diary_id=diary_row.pk,
        starts_at=TUESDAY,
        source="call",
        actor=STAFF,
    )


def move(appointment, starts_at=WEDNESDAY, diary_id=None):
    return book.move(
        appointment=appointment, diary_id=diary_id, starts_at=starts_at, actor=STAFF, source="staff"
    )


def cancel(appointment):
    return book.cancel(appointment=appointment, actor=STAFF, source="staff")


def the_copy() -> AppointmentCopy:
    return AppointmentCopy.objects.get()


def noted(action: str) -> list[dict]:
    rows = JournalEntry.objects.filter(action=action).order_by("id")
    return [row.facts for row in rows]


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
