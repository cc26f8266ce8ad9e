"""Free times as staff choose them: by day, each with its diary.

A time shown here is not promised; `book` decides again.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from practices.models import Practice
from recall.booking import diary
from recall.booking.diary import DiarySlot
from sightsync.lib import clock

DAYS_SHOWN = 7


@dataclass(frozen=True, slots=True)
class Time:
    """`value` is what the form sends back: the instant and the diary."""

    value: str
    starts_at: datetime


@dataclass(frozen=True, slots=True)
class Day:
    date: date
    times: tuple[Time, ...]


def by_day(*, practice: Practice, first: date) -> list[Day]:
    """The free times of the seven days from `first` on, a time that several diaries have once."""
    last = first + timedelta(days=DAYS_SHOWN)
    ahead = (last - clock.today()).days
    found: dict[date, list[Time]] = {}
    for slot in diary.free(practice=practice, now=clock.now(), days=ahead):
        day = slot.local.date()
        if first <= day < last:
            found.setdefault(day, []).append(Time(_write(slot), slot.start))
    return [Day(day, tuple(times)) for day, times in sorted(found.items())]


def _write(slot: DiarySlot) -> str:
    return f"{slot.start.isoformat()}|{slot.diary_id}"


def read(value: str) -> tuple[datetime, UUID]:
    """What a form sent back. Raises ValueError when it is not of our making."""
    at, _, diary_id = value.partition("|")
    starts_at = datetime.fromisoformat(at)
    if starts_at.tzinfo is None:
        raise ValueError("a time needs its offset")
    return starts_at, UUID(diary_id)
