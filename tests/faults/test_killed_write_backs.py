"""Writing appointments into a practice management system while workers are killed, connections drop
and two workers want the same. In the end it stands there once, and the system's log is the judge.
"""

import signal
from datetime import UTC, datetime, time, timedelta

import httpx
import pytest

from integrations import connections
from practices import job_tries
from recall import tasks
from recall.booking import book
from recall.booking.write_back import claim, due
from recall.models import (
    AppointmentCopy,
    Attempt,
    AttemptState,
    CopyState,
    Diary,
    DiaryHours,
    StaffTask,
    TaskKind,
)
from sightsync.lib import clock
from tests.engine import ACTOR
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

TUESDAY = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
KEY = "key-of-acuity"
JOB = "recall.tasks.write_copy"


@pytest.fixture
def optix(practice, sandbox):
    """Connected, and nobody has an appointment there yet."""
    sandbox.post("/pms/optix/size", {"patients": 0})
    return connections.connect(
        practice=practice,
        kind="optix",
        credential={"api_key": KEY},
        shown=KEY,
        settings={},
        user=None,
        actor=ACTOR,
    )


@pytest.fixture
def room(practice):
    diary = Diary.objects.create(practice=practice, name="Room 1")
    for weekday in range(5):
        DiaryHours.objects.create(
            practice=practice, diary=diary, weekday=weekday, opens=time(9), closes=time(17)
        )
    return diary


@pytest.fixture
def booked(practice, jane, room, optix):
    return book.book(
        practice=practice,
        patient=jane,
        diary_id=room.pk,
        starts_at=TUESDAY,
        source="call",
        actor=ACTOR,
    )


def the_copy() -> AppointmentCopy:
    return AppointmentCopy.objects.get()


def written(sandbox) -> list[dict]:
    """The requests that asked Optix for a booking, accepted or not."""
    return [
        row
        for row in sandbox.log("optix")
        if row["method"] == "POST" and row["path"].endswith("/appointments")
    ]


def standing(sandbox) -> list[str]:
    offices = sandbox.get("/pms/optix").values()
    return [
        row["starts_at"].replace(".000Z", "Z")
        for office in offices
        for row in office["appointments"]
        if row["state"] == "booked" and row["reference"]
    ]


def taken_by_the_front_desk(sandbox, starts_at: datetime, diary: str) -> None:
    httpx.post(
        f"{sandbox.url}/optix/v2/appointments",
        headers={"Authorization": f"Bearer {KEY}"},
        json={
            "startsAt": starts_at.isoformat(),
            "endsAt": (starts_at + timedelta(minutes=30)).isoformat(),
            "diaryId": diary,
            "patient": {"firstName": "Ann", "lastName": "Other", "mobile": "+447700900990"},
        },
        trust_env=False,
    ).raise_for_status()


def move(appointment, starts_at: datetime) -> None:
    book.move(
        appointment=appointment, diary_id=None, starts_at=starts_at, source="staff", actor=ACTOR
    )


def lease_runs_out() -> None:
    past = clock.real_now() - timedelta(seconds=1)
    AppointmentCopy.objects.filter(lease_until__isnull=False).update(lease_until=past)
    due.take_back()


def work_off(at) -> None:
    """Ticks and workers for a minute."""
    for _ in range(6):
        due.take_back()
        for key in due.keys(clock.now(), 50):
            tasks.write_copy(str(key))
        at(clock.now() + timedelta(seconds=10))


# Where it dies, the state it leaves, how many bookings had been asked for by then.
FAILPOINTS = [
    ("copy.claim.before_commit", CopyState.ACCEPTED, 0),
    ("copy.claim.after_commit", CopyState.WRITING, 0),
    ("copy.before_request", CopyState.WRITING, 0),
    ("copy.after_request", CopyState.WRITING, 1),
    ("copy.record.before_commit", CopyState.WRITING, 1),
    ("copy.record.after_commit", CopyState.WRITTEN, 1),
]


@pytest.mark.parametrize(("failpoint", "left_in", "asked"), FAILPOINTS)
def test_killed_there_it_is_written_once_in_the_end(
    booked, carrier, worker, at, failpoint, left_in, asked
):
    assert worker(JOB, the_copy().pk, failpoint) == -signal.SIGKILL

    assert the_copy().state == left_in
    assert len(written(carrier)) == asked

    # The queue delivers the job again at once; then the lease runs out.
    assert worker(JOB, the_copy().pk) == 0
    lease_runs_out()
    work_off(at)

    assert (the_copy().state, the_copy().standing) == (CopyState.WRITTEN, 1)
    assert len(written(carrier)) == 1
    assert len(standing(carrier)) == 1
    assert StaffTask.objects.filter(kind=TaskKind.WRITE_BACK).count() == 0


def test_a_job_that_kills_its_worker_is_stopped_after_five_tries_and_shown(booked, carrier, worker):
    for _ in range(job_tries.LIMIT):
        assert worker(JOB, the_copy().pk, "copy.claim.before_commit") == -signal.SIGKILL
    assert worker(JOB, the_copy().pk) == 0
    assert (the_copy().state, the_copy().reason) == (CopyState.FAILED, "job_failed")
    assert StaffTask.objects.get(kind=TaskKind.WRITE_BACK).patient_id == booked.patient_id
    assert written(carrier) == []


def test_the_connection_drops_after_it_was_taken_and_it_is_found(booked, sandbox, at):
    sandbox.fault("optix", "drop_after_accept", times=1, match="appointments")
    tasks.write_copy(str(the_copy().pk))
    assert the_copy().state == CopyState.UNKNOWN
    work_off(at)
    assert the_copy().state == CopyState.WRITTEN
    assert len(written(sandbox)) == 1
    assert len(standing(sandbox)) == 1


def test_the_connection_drops_before_it_was_taken_and_it_is_written_again(booked, sandbox, at):
    sandbox.fault("optix", "drop_before_accept", times=1, match="appointments")
    tasks.write_copy(str(the_copy().pk))
    assert the_copy().state == CopyState.UNKNOWN
    work_off(at)
    assert the_copy().state == CopyState.WRITTEN
    assert len(standing(sandbox)) == 1


def test_a_time_taken_there_is_refused_shown_and_mended_by_moving(booked, sandbox, at):
    tasks.write_copy(str(the_copy().pk))
    wednesday, thursday = (TUESDAY + timedelta(days=days) for days in (1, 2))
    for diary in ("R1", "R2"):
        taken_by_the_front_desk(sandbox, wednesday, diary)
    move(booked, wednesday)
    work_off(at)
    assert (the_copy().state, the_copy().reason) == (CopyState.FAILED, "taken")
    assert StaffTask.objects.get(kind=TaskKind.WRITE_BACK).done_at is None
    # The old time stands there until somebody decides.
    assert standing(sandbox) == ["2026-11-24T14:30:00Z"]

    move(booked, thursday)
    work_off(at)
    assert standing(sandbox) == ["2026-11-26T14:30:00Z"]
    assert StaffTask.objects.get(kind=TaskKind.WRITE_BACK).done_at is not None


def test_while_the_system_is_down_the_patient_is_told_and_nothing_is_lost(
    booked, carrier, jane, at
):
    carrier.fault("optix", "500", times=None)
    work_off(at)
    assert the_copy().state in (CopyState.ACCEPTED, CopyState.UNKNOWN)
    confirmation = Attempt.objects.get(purpose="confirmation")
    tasks.dial(str(confirmation.pk))
    confirmation.refresh_from_db()
    assert confirmation.state in (AttemptState.ACCEPTED, AttemptState.DONE)
    assert len(carrier.messages_to(jane.phone_number)) == 1

    carrier.clear_faults("optix")
    at(clock.now() + timedelta(minutes=20))
    work_off(at)
    assert the_copy().state == CopyState.WRITTEN
    assert len(standing(carrier)) == 1


def test_two_workers_write_one(booked, sandbox):
    key = str(the_copy().pk)
    at_once([lambda: tasks.write_copy(key) for _ in range(4)])
    assert the_copy().state == CopyState.WRITTEN
    assert len(written(sandbox)) == 1


def test_without_the_claim_two_workers_ask_twice(booked, sandbox, monkeypatch):
    """The guard off: every worker takes what it has read."""
    key = the_copy().pk

    def takes_all(copy_id, *, actor):
        copy = AppointmentCopy.objects.select_related(
            "connection__practice", "appointment__patient"
        ).get(pk=copy_id)
        return claim.Work(
            copy_id=copy.pk,
            lease=clock.real_now(),
            connection=copy.connection,
            deed=claim.states.Deed.BOOK,
            version=1,
            entry=claim.entries.build(copy.appointment, copy.connection),
            standing=claim.Standing(external_id=""),
        )

    monkeypatch.setattr(claim, "claim", takes_all)
    at_once([lambda: tasks.write_copy(str(key)) for _ in range(4)])
    assert len(written(sandbox)) > 1
