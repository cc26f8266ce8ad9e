"""Free appointment times of one diary, and the three of them worth saying aloud on the phone.

Pure: the diary's rules and what is taken go in, slots come out. It must not read rows or a clock,
and it promises nothing: `book` decides again under the diary's lock.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from sightsync.lib.clock import LONDON, at_london

NOON = time(12)

Part = Literal["morning", "afternoon"]


@dataclass(frozen=True, slots=True)
class Opening:
    """One stretch of a diary's week in wall-clock time; Monday is 0."""

    weekday: int
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class DiaryRules:
    """How a diary may be booked. Minutes and days are whole numbers."""

    openings: tuple[Opening, ...]
    slot_minutes: int
    buffer_before_minutes: int = 0
    buffer_after_minutes: int = 0
    minimum_notice: timedelta = timedelta(0)
    horizon_days: int = 60


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A taken stretch of time, aware, end exclusive."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """A free appointment time in UTC, end exclusive, without the buffers."""

    start: datetime
    end: datetime

    @property
    def local(self) -> datetime:
        """The start as the patient's clock shows it."""
        return self.start.astimezone(LONDON)

    @property
    def part(self) -> Part:
        return "morning" if self.local.time() < NOON else "afternoon"


@dataclass(frozen=True, slots=True)
class Preference:
    """What a patient asked for. Empty fields accept everything."""

    weekdays: frozenset[int] = frozenset()
    part: Part | None = None
    after: time | None = None
    from_day: date | None = None
    not_on: frozenset[date] = field(default_factory=frozenset)

    def accepts(self, slot: Slot) -> bool:
        local = slot.local
        return (
            (not self.weekdays or local.weekday() in self.weekdays)
            and (self.part is None or slot.part == self.part)
            and (self.after is None or local.time() >= self.after)
            and (self.from_day is None or local.date() >= self.from_day)
            and local.date() not in self.not_on
        )


ANY_TIME = Preference()


def free_slots(
    rules: DiaryRules,
    *,
    now: datetime,
    closures: Collection[date] = frozenset(),
    busy: Iterable[Span] = (),
    limit: int | None = None,
) -> list[Slot]:
    """Free slots in order, at least the minimum notice away and within the horizon.

    `busy` is every live appointment of the diary and every busy time read from its calendars, in
    any order, overlaps allowed. Buffers keep new appointments apart from those, and from the ends
    of the opening only by being part of the step from one slot to the next. A diary whose numbers
    make no sense has no slots.
    """
    if rules.slot_minutes <= 0 or min(rules.buffer_before_minutes, rules.buffer_after_minutes) < 0:
        return []
    earliest = now + rules.minimum_notice
    taken = _merged(busy)
    found: list[Slot] = []
    at = 0
    for slot in _grid(rules, now, closures):
        if slot.start < earliest:
            continue
        start = slot.start - timedelta(minutes=rules.buffer_before_minutes)
        end = slot.end + timedelta(minutes=rules.buffer_after_minutes)
        while at < len(taken) and taken[at].end <= start:
            at += 1
        if at < len(taken) and taken[at].start < end:
            continue
        found.append(slot)
        if limit is not None and len(found) >= limit:
            break
    return found


def _grid(rules: DiaryRules, now: datetime, closures: Collection[date]) -> Iterator[Slot]:
    """Every slot of the horizon, taken or not, in order and without overlaps.

    Only the ends of an opening are wall-clock times; between them real minutes are counted, so a
    clock change inside an opening neither doubles an hour nor offers one that does not exist.
    """
    length = timedelta(minutes=rules.slot_minutes)
    buffers = timedelta(minutes=rules.buffer_before_minutes + rules.buffer_after_minutes)
    openings = sorted(rules.openings, key=lambda opening: opening.start)
    today = now.astimezone(LONDON).date()
    free_from = datetime.min.replace(tzinfo=UTC)
    for offset in range(rules.horizon_days + 1):
        day = today + timedelta(days=offset)
        if day in closures:
            continue
        for opening in openings:
            if opening.weekday != day.weekday():
                continue
            closes = at_london(day, opening.end)
            start = max(at_london(day, opening.start), free_from)
            while start + length <= closes:
                yield Slot(start, start + length)
                start += length + buffers
            free_from = max(free_from, start)


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def pick_three(slots: Sequence[Slot], preference: Preference = ANY_TIME) -> list[Slot]:
    """Up to three slots to read out, in order, spread over days and parts of the day.

    When the patient's wish can be met only slots that meet it are offered; when it cannot, the
    nearest others are, and the caller sees by `preference.accepts` that it has to say so.
    """
    wanted = [slot for slot in slots if preference.accepts(slot)] or list(slots)
    if not wanted:
        return []
    picks = [min(wanted)]
    while len(picks) < 3:
        rest = [slot for slot in wanted if slot not in picks]
        if not rest:
            break
        picks.append(min(rest, key=lambda slot: (_cost(slot, picks), slot.start)))
    return sorted(picks)


def _cost(slot: Slot, picks: Sequence[Slot]) -> int:
    """How poor a companion of the chosen ones a slot is, in days' worth of waiting.

    Two slots on one day are hardly a choice (worth waiting four days more), nor are three mornings
    (worth two), and two within three hours of each other are the least of all.
    """
    first = picks[0].local.date()
    days = (slot.local.date() - first).days
    same_day = any(slot.local.date() == pick.local.date() for pick in picks)
    same_part = all(slot.part == pick.part for pick in picks)
    close = any(abs(slot.start - pick.start) < timedelta(hours=3) for pick in picks)
    return days + 4 * same_day + 2 * same_part + 8 * close
