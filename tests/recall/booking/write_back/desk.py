"""What happens to the appointment, and the tick and workers that bring it to the system."""

from datetime import UTC, datetime, timedelta

from practices.models import JournalEntry
from recall import tasks
from recall.booking import book
from recall.booking.write_back import due
from recall.models import AppointmentCopy
from sightsync.lib import clock
from tests.recall.booking.conftest import STAFF

TUESDAY = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
WEDNESDAY = TUESDAY + timedelta(days=1)


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
