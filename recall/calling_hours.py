"""When a patient may be rung or written to: weekly windows, bank holidays and the practice's
closures.

Pure: wall-clock rules of Europe/London over aware instants. It must not read a clock, a setting or
a row.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

import holidays

from sightsync.lib.clock import LONDON, at_london

NATIONS = frozenset({"ENG", "WLS", "SCT", "NIR"})

# A window that opens on one weekday a week is closed for at most a few holiday weeks; past a year
# it never opens.
_SEARCH_DAYS = 400


@dataclass(frozen=True, slots=True)
class Window:
    """Opening times of a week: `start` inclusive, `end` exclusive, weekdays with Monday as 0."""

    start: time
    end: time
    weekdays: frozenset[int]

    def is_valid(self) -> bool:
        """Whether it can ever be open: a damaged window is closed, never unlimited."""
        in_week = all(day in range(7) for day in self.weekdays)
        no_zone = self.start.tzinfo is None and self.end.tzinfo is None
        return no_zone and self.start < self.end and bool(self.weekdays) and in_week

    def narrowed_to(self, limit: "Window") -> "Window | None":
        """The part of this window that lies inside `limit`; None when invalid or when they do not
        meet.
        """
        if not (self.is_valid() and limit.is_valid()):
            return None
        part = Window(
            start=max(self.start, limit.start),
            end=min(self.end, limit.end),
            weekdays=self.weekdays & limit.weekdays,
        )
        return part if part.is_valid() else None


# Seed 000 "OFCOM permitted hours": Monday to Friday, nine to six. A practice may narrow these,
# never widen them.
CALLS = Window(time(9), time(18), frozenset(range(5)))

# No regulation gives hours for messages. A recall is not urgent, so it keeps out of the night,
# Sundays and bank holidays; this is stricter than the Direct Marketing Association's outer hours
# for calls.
RECALL_MESSAGES = Window(time(8), time(20), frozenset(range(6)))

# A reminder belongs to an appointment: Monday's reminder has to be able to go on Sunday, in waking
# hours.
REMINDERS = Window(time(8), time(20), frozenset(range(7)))


@lru_cache(maxsize=64)
def _bank_holidays(nation: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("GB", subdiv=nation, years=year))


def is_bank_holiday(day: date, nation: str) -> bool:
    """Whether `day` is a bank holiday of ENG, WLS, SCT or NIR. An unknown nation raises ValueError.

    The nation is always passed on: the library's bare "GB" lacks Easter Monday and the summer
    holiday.
    """
    if nation not in NATIONS:
        raise ValueError(f"unknown nation {nation!r}")
    return day in _bank_holidays(nation, day.year)


def is_open(
    now: datetime,
    window: Window,
    nation: str,
    closures: Collection[date] = frozenset(),
    *,
    limit: Window = CALLS,
    bank_holidays: bool = True,
) -> bool:
    """Whether `now` (aware) is inside the window, the limit and a working day.

    Fails closed: an invalid window or an unknown nation is never open.
    """
    effective = _narrowed(window, limit)
    if effective is None:
        return False
    local = now.astimezone(LONDON)
    if not effective.start <= local.time() < effective.end:
        return False
    return _is_working_day(local.date(), effective, nation, closures, bank_holidays)


def next_open(
    after: datetime,
    window: Window,
    nation: str,
    closures: Collection[date] = frozenset(),
    *,
    limit: Window = CALLS,
    bank_holidays: bool = True,
) -> datetime | None:
    """The first instant (UTC) at or after `after` that is open; None when there is none within 400
    days.
    """
    return _next_open(after, window, limit, nation, frozenset(closures), bank_holidays)


_narrowed = lru_cache(maxsize=256)(Window.narrowed_to)


# A list of patients asks the same of every one of them.
@lru_cache(maxsize=1024)
def _next_open(
    after: datetime,
    window: Window,
    limit: Window,
    nation: str,
    closures: frozenset[date],
    bank_holidays: bool,
) -> datetime | None:
    effective = _narrowed(window, limit)
    if effective is None:
        return None
    if is_open(after, window, nation, closures, limit=limit, bank_holidays=bank_holidays):
        return after.astimezone(UTC)
    local = after.astimezone(LONDON)
    day = local.date() if local.time() < effective.start else local.date() + timedelta(days=1)
    for _ in range(_SEARCH_DAYS):
        if _is_working_day(day, effective, nation, closures, bank_holidays):
            return at_london(day, effective.start)
        day += timedelta(days=1)
    return None


def _is_working_day(
    day: date, window: Window, nation: str, closures: Collection[date], bank_holidays: bool
) -> bool:
    if day.weekday() not in window.weekdays or day in closures:
        return False
    if not bank_holidays:
        return True
    return nation in NATIONS and not is_bank_holiday(day, nation)
