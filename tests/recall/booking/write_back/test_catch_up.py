"""What is ahead when a system is connected, connected again, or set up anew."""

from datetime import timedelta

import pytest

from integrations import connections, registry
from integrations.models import Connection, ConnectionState, Kind
from patients.models import SyncRun, SyncScope, SyncState
from recall import staff_tasks, tasks
from recall.booking import book
from recall.booking.write_back import catch_up
from recall.models import CopyState, StaffTask, TheirAppointment
from sightsync.lib import clock
from sightsync.lib.errors import ProviderError
from tests.recall.booking.conftest import STAFF
from tests.recall.booking.other_system import OtherSystem
from tests.recall.booking.write_back.desk import (
    TUESDAY,
    WEDNESDAY,
    cancel,
    move,
    the_copy,
    work_off,
)

pytestmark = pytest.mark.django_db
REFUSED = ProviderError(ProviderError.Kind.REJECTED, "403", "no_write_permission")


@pytest.fixture
def before(practice, diary_row, jane, there: OtherSystem):
    """Booked while nothing was connected."""
    return book.book(
        practice=practice,
        patient=jane,
        diary_id=diary_row.pk,
        starts_at=TUESDAY,
        source="call",
        actor=STAFF,
    )


def connect(practice, kind: str = Kind.OPTIX, **settings) -> Connection:
    return connections.connect(
        practice=practice,
        kind=kind,
        credential={"api_key": "k"},
        shown="k",
        settings=settings,
        user=None,
        actor=STAFF,
    )


def read(connection: Connection) -> None:
    """It was read to the end."""
    SyncRun.objects.create(
        practice=connection.practice,
        connection=connection,
        scope=SyncScope.FULL,
        state=SyncState.DONE,
        due_at=clock.now(),
        started_at=clock.now(),
        finished_at=clock.now(),
    )


def catch_all_up() -> None:
    for key in catch_up.due():
        tasks.catch_up(str(key))
    work_off()


def test_what_was_booked_before_is_written_once_the_system_was_read(
    before, practice, there
) -> None:
    optix = connect(practice)
    catch_all_up()
    assert there.asked() == [], "it may stand there already"
    read(optix)
    catch_all_up()
    assert there.asked() == ["book"]
    assert the_copy().state == CopyState.WRITTEN
    optix.refresh_from_db()
    assert optix.catch_up_at is None
    catch_all_up()
    assert there.asked() == ["book"]


def test_a_calendar_need_not_be_read(before, practice, there) -> None:
    connect(practice, Kind.GOOGLE_CALENDAR)
    catch_all_up()
    assert there.asked() == ["book"]


def test_a_calendar_of_another_diary_gets_none(before, practice, there) -> None:
    connect(practice, Kind.GOOGLE_CALENDAR, diary="dia_01ARZ3NDEKTSV4RRFFQ69G5FAV")
    catch_all_up()
    assert there.asked() == []


def test_nothing_is_written_before_the_diaries_are_matched(
    before, practice, diary_row, there
) -> None:
    optix = connect(practice, their_diaries=[{"id": "R1", "name": "Room 1"}], diaries={})
    read(optix)
    catch_all_up()
    assert there.asked() == []
    connections.configure(
        connection=optix, settings={"diaries": {"R1": diary_row.public_id}}, actor=STAFF
    )
    catch_all_up()
    assert [entry.diary_id for entry in there.kept.values()] == ["R1"]


def test_what_came_from_the_system_is_not_written_into_it(before, practice, there) -> None:
    """Staff had typed it in by hand, and the first reading found it."""
    optix = connect(practice)
    TheirAppointment.objects.create(
        practice=practice,
        connection=optix,
        appointment=before,
        external_id="a-1",
        starts_at=before.starts_at,
        ends_at=before.ends_at,
        status="booked",
        noted_at=clock.now(),
    )
    read(optix)
    catch_all_up()
    assert there.asked() == []
    move(before)
    work_off()
    assert there.asked()[0] == "move"


def test_what_is_over_or_cancelled_is_not_written(before, practice, there, later) -> None:
    cancel(before)
    connect(practice, Kind.GOOGLE_CALENDAR)
    catch_all_up()
    assert there.asked() == []


def test_moved_or_cancelled_while_it_was_disconnected(booked, optix, practice, there) -> None:
    work_off()
    connections.disconnect(connection=optix, actor=STAFF)
    move(booked)
    work_off()
    assert there.asked() == ["book"]
    read(connect(practice))
    catch_all_up()
    assert [entry.starts_at for entry in there.kept.values()] == [WEDNESDAY]
    connections.disconnect(connection=optix, actor=STAFF)
    cancel(booked)
    read(connect(practice))
    catch_all_up()
    assert there.kept == {}


def test_refused_for_a_permission_it_is_tried_again_once_that_is_mended(
    booked, optix, practice, there
) -> None:
    there.before = [REFUSED]
    work_off()
    assert the_copy().state == CopyState.FAILED
    read(connect(practice))
    catch_all_up()
    assert the_copy().state == CopyState.WRITTEN
    assert StaffTask.objects.get().done_code == "written"


def test_not_what_somebody_has_entered_there_by_hand(booked, optix, practice, there) -> None:
    there.before = [REFUSED]
    work_off()
    staff_tasks.finish(task=StaffTask.objects.get(), actor=STAFF)
    read(connect(practice))
    catch_all_up()
    assert there.asked() == ["book"]


def test_nor_what_was_refused_for_its_own_sake(booked, optix, practice, there) -> None:
    there.before = [ProviderError(ProviderError.Kind.REJECTED, "409", "taken")]
    work_off()
    read(connect(practice))
    catch_all_up()
    assert there.asked() == ["book"]


def test_one_that_needs_attention_waits(before, practice, there) -> None:
    connection = connect(practice, Kind.GOOGLE_CALENDAR)
    connections.failed(connection=connection, code="auth", actor=STAFF, refused=True)
    assert catch_up.due() == []
    Connection.objects.update(state=ConnectionState.CONNECTED)
    assert catch_up.due() == [connection.pk]


def test_set_up_anew_meanwhile_it_is_looked_at_once_more(
    before, practice, there, monkeypatch
) -> None:
    connection = connect(practice, Kind.GOOGLE_CALENDAR)
    plan = catch_up.copies.plan_in

    def meanwhile(*given):
        Connection.objects.update(catch_up_at=clock.real_now() + timedelta(seconds=1))
        plan(*given)

    monkeypatch.setattr(catch_up.copies, "plan_in", meanwhile)
    tasks.catch_up(str(connection.pk))
    assert catch_up.due() == [connection.pk]
    assert registry.connector(connection) is there
