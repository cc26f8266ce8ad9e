"""Free places in the demo's diaries, past and coming, each given away once. Pure."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import UUID

from recall.demo import stories
from sightsync.lib import clock

_STARTS = [
    time(hour, minute)
    for hour in (9, 10, 11, 12, 14, 15, 16, 17)
    for minute in (0, 30)
    if (hour, minute) < (17, 30)
]


@dataclass
class Book:
    """Half-hour places of several diaries."""

    diaries: list[UUID]
    taken: set[tuple[UUID, datetime]] = field(default_factory=set)

    def take(self, first_day: date, chance: random.Random) -> tuple[UUID, datetime]:
        """A free place on `first_day` or the working days after it."""
        for day in _working_days_from(first_day):
            starts = [clock.at_london(day, wall) for wall in _STARTS]
            free = [
                (diary, start)
                for diary in self.diaries
                for start in starts
                if (diary, start) not in self.taken
            ]
            # A third of each day stays free, so that there is always something to offer.
            if len(free) * 3 > len(starts) * len(self.diaries):
                place = chance.choice(free)
                self.taken.add(place)
                return place
        raise AssertionError("days do not end")


def _working_days_from(day: date) -> Iterator[date]:
    while True:
        if stories.is_working_day(day):
            yield day
        day += timedelta(days=1)
