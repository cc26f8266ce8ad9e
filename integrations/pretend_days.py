"""Working mornings to set the sandbox's clock to. Pure.

When calls are lawful is decided in `recall.calling_hours`, not here.
"""

from datetime import date, datetime, time, timedelta

import holidays

from sightsync.lib import clock

MORNING = time(10)
_OPENS, _CLOSES = time(9), time(18)


def is_working_time(moment: datetime, nation: str = "ENG") -> bool:
    """Whether calls would be allowed: a working day from nine to six in London."""
    local = clock.london(moment)
    return _is_working_day(local.date(), nation) and _OPENS <= local.time() < _CLOSES


def last_morning(moment: datetime, nation: str = "ENG") -> datetime:
    """Ten o'clock on the last working day, today's if it has passed (UTC)."""
    day = clock.london(moment).date()
    while not _is_working_day(day, nation) or clock.at_london(day, MORNING) > moment:
        day -= timedelta(days=1)
    return clock.at_london(day, MORNING)


def next_morning(moment: datetime, nation: str = "ENG") -> datetime:
    """Ten o'clock on the next working day, today's if it is still to come (UTC)."""
    day = clock.london(moment).date()
    while not _is_working_day(day, nation) or clock.at_london(day, MORNING) <= moment:
        day += timedelta(days=1)
    return clock.at_london(day, MORNING)


def _is_working_day(day: date, nation: str) -> bool:
    return day.weekday() < 5 and day not in holidays.country_holidays(
        "GB", subdiv=nation, years=day.year
    )
