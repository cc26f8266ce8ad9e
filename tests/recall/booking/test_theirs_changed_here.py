"""An appointment that the practice's system made, changed here: the system hears of it, or a person
is told to do it there.
"""

from datetime import timedelta

import pytest

from integrations import connections
from integrations.models import Connection
from integrations.pms.connector import RemoteStatus
from integrations.pms.optisoft.client import Optisoft
from integrations.pms.optix.client import Optix
from recall import copy_words
from recall.booking import book, diary, poll
from recall.booking.write_back import again, due, write
from recall.models import (
    Appointment,
    AppointmentCopy,
    AppointmentStatus,
    CopyState,
    StaffTask,
    TaskKind,
    TheirAppointment,
)
from sightsync.lib import clock
from sightsync.lib.errors import ProviderError
from tests.engine import ACTOR
from tests.recall.booking.test_from_pms import THAT_DAY, from_there, known, statuses, take, there

__all__ = ["from_there", "known", "there"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def theirs(connection, optix, from_there, diary_row) -> Appointment:
    """One that the front desk made in the system, read by us."""
    optix.appointment(from_there.external_id, "2026-11-25T10:00:00+00:00")
    poll_now(connection)
    return Appointment.objects.get(patient=from_there)


def poll_now(connection: Connection) -> None:
    Connection.objects.update(next_poll_at=clock.now())
    assert poll.run(connection.pk, actor=ACTOR)


def work_off() -> None:
    for key in due.keys(clock.now(), 10):
        write.run(key, actor=ACTOR)


def test_theirs_cancelled_here_is_cancelled_there(connection, optix, theirs, at) -> None:
    book.cancel(appointment=theirs, actor=ACTOR, source="call")
    work_off()
    copy = AppointmentCopy.objects.get()
    assert (copy.state, copy.standing) == (CopyState.WRITTEN, 0)
    at(clock.now() + timedelta(minutes=5))
    poll_now(connection)
    theirs.refresh_from_db()
    assert theirs.status == AppointmentStatus.CANCELLED
    assert TheirAppointment.objects.get(appointment=theirs).status == RemoteStatus.CANCELLED
    assert len([row for row in optix.requests() if row["path"].endswith("/cancel")]) == 1


def test_theirs_moved_here_is_moved_there_and_not_booked_twice(
    connection, optix, theirs, diary_row, at
) -> None:
    [slot, *_] = diary.next_free(practice=theirs.practice, now=clock.now(), near=THAT_DAY)
    book.move(
        appointment=theirs, diary_id=diary_row.pk, starts_at=slot.start, actor=ACTOR, source="staff"
    )
    work_off()
    assert AppointmentCopy.objects.get().state == CopyState.WRITTEN
    writes = [row["method"] for row in optix.requests() if row["method"] in ("POST", "PATCH")]
    assert writes[-1] == "PATCH" and "POST" not in writes
    at(clock.now() + timedelta(minutes=5))
    poll_now(connection)
    theirs.refresh_from_db()
    assert (theirs.starts_at, theirs.status) == (slot.start, AppointmentStatus.BOOKED)
    assert Appointment.objects.filter(patient=theirs.patient).count() == 1


def test_what_they_tell_us_is_not_told_to_them(connection, there, known) -> None:
    take(connection, there())
    take(
        connection,
        there(starts_at=THAT_DAY + timedelta(hours=1), ends_at=THAT_DAY + timedelta(hours=2)),
    )
    take(connection, there(status=RemoteStatus.CANCELLED))
    assert not AppointmentCopy.objects.exists()


def test_a_system_that_refuses_leaves_it_to_staff_in_words(connection, theirs, monkeypatch) -> None:
    def refuse(*given):
        raise ProviderError(ProviderError.Kind.REJECTED, "403", "refused")

    monkeypatch.setattr(Optix, "cancel", refuse)
    book.cancel(appointment=theirs, actor=ACTOR, source="call")
    work_off()
    copy = AppointmentCopy.objects.get()
    assert copy.state == CopyState.FAILED
    assert "Cancel it there" in copy_words.of(copy).why
    assert StaffTask.objects.get(done_at=None).kind == TaskKind.WRITE_BACK


def test_what_a_system_keeps_to_itself_is_a_persons_to_cancel(
    connection, optix, theirs, monkeypatch, at
) -> None:
    monkeypatch.setattr(Optix, "capabilities", Optisoft.capabilities)
    book.cancel(appointment=theirs, actor=ACTOR, source="call")
    work_off()
    copy = AppointmentCopy.objects.get()
    words = copy_words.of(copy)
    assert not [row for row in optix.requests() if row["path"].endswith("/cancel")]
    assert "lets nobody else change it. Cancel it there by hand." in words.why
    assert not words.can_retry
    assert StaffTask.objects.get(done_at=None).kind == TaskKind.WRITE_BACK
    their_number = TheirAppointment.objects.get(appointment=theirs).external_id
    optix.touch(int(their_number.rpartition("-")[2]), state="cancelled")
    at(clock.now() + timedelta(minutes=5))
    poll_now(connection)
    copy.refresh_from_db()
    assert (copy.state, copy.standing) == (CopyState.WRITTEN, 0)
    assert not StaffTask.objects.filter(done_at=None).exists()


def test_theirs_of_a_system_that_is_disconnected_is_a_persons_to_cancel(
    connection, optix, theirs
) -> None:
    connections.disconnect(connection=connection, actor=ACTOR)
    book.cancel(appointment=theirs, actor=ACTOR, source="call")
    work_off()
    assert again.finish_overtaken(actor=ACTOR) == 0
    words = copy_words.of(AppointmentCopy.objects.get())
    assert words.status.tone == "red" and "Cancel it there by hand" in words.why
    assert StaffTask.objects.get(done_at=None).kind == TaskKind.WRITE_BACK


def test_taken_up_again_there_it_is_a_new_appointment_here(
    connection, there, known, theirs_out
) -> None:
    take(connection, there(status=RemoteStatus.CANCELLED))
    take(connection, there())
    assert statuses(known) == [AppointmentStatus.CANCELLED, AppointmentStatus.BOOKED]


@pytest.fixture
def theirs_out(connection, there, known) -> AppointmentCopy:
    """Cancelled here, and taken out there at our word."""
    take(connection, there())
    book.cancel(appointment=Appointment.objects.get(), actor=ACTOR, source="call")
    AppointmentCopy.objects.update(state=CopyState.WRITTEN, standing=0, written_at=clock.now())
    return AppointmentCopy.objects.get()
