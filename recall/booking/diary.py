"""The facts that slots are computed from, and the free times of a practice's diaries.

It reads, in a fixed number of queries, and never writes. A time listed here is not promised:
`book` looks again under the diary's lock.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from practices.models import Practice
from recall.booking import busy as external_busy
from recall.booking.slots import DiaryRules, Opening, Preference, Slot, Span, free_slots
from recall.calling_hours import is_bank_holiday
from recall.models import Appointment, Closure, Diary, DiaryHours
from recall.models.appointments import LIVE_APPOINTMENT
from sightsync.lib import clock


@dataclass(frozen=True, slots=True, order=True)
class DiarySlot(Slot):
    """A free time and the diary that has it."""

    diary_id: UUID


@dataclass(frozen=True, slots=True)
class DiaryFacts:
    """One diary as `free_slots` wants it: its rules, its closed days, what is taken."""

    diary_id: UUID
    rules: DiaryRules
    closures: frozenset[date]
    busy: tuple[Span, ...]


def free(
    *,
    practice: Practice,
    now: datetime,
    days: int | None = None,
    limit: int | None = None,
    preference: Preference | None = None,
) -> list[DiarySlot]:
    """Free times over all of the practice's diaries, in order. A time that several have is listed
    once. `days` shortens the practice's horizon; five queries whatever is in the diaries.
    """
    found: dict[datetime, DiarySlot] = {}
    for facts in read(practice=practice, now=now):
        for slot in free_in(facts, now=now, days=days):
            if preference is None or preference.accepts(slot):
                found.setdefault(slot.start, slot)
    return sorted(found.values())[:limit]


def next_free(
    *, practice: Practice, now: datetime, near: datetime, limit: int = 3
) -> list[DiarySlot]:
    """The first free times from `near` on; when the horizon ends first, the earliest ones too."""
    times = free(practice=practice, now=now)
    later = [slot for slot in times if slot.start >= near][:limit]
    earlier = [slot for slot in times if slot.start < near]
    return sorted(later + earlier[: limit - len(later)])


def diaries_free_at(*, practice: Practice, now: datetime, starts_at: datetime) -> list[UUID]:
    """The diaries in which an appointment can begin at that instant, in the practice's order."""
    return [
        facts.diary_id
        for facts in read(practice=practice, now=now)
        if slot_at(facts, now=now, starts_at=starts_at) is not None
    ]


def slot_at(facts: DiaryFacts, *, now: datetime, starts_at: datetime) -> DiarySlot | None:
    """The diary's free slot that begins exactly then, or None: the one test that booking trusts."""
    days = (clock.london(starts_at).date() - clock.london(now).date()).days
    if days < 0:
        return None
    slots = free_in(facts, now=now, days=days)
    return next((slot for slot in slots if slot.start == starts_at), None)


def free_in(facts: DiaryFacts, *, now: datetime, days: int | None = None) -> Iterator[DiarySlot]:
    """One diary's free times, in order."""
    rules = facts.rules
    if days is not None:
        rules = replace(rules, horizon_days=min(days, rules.horizon_days))
    for slot in free_slots(rules, now=now, closures=facts.closures, busy=facts.busy):
        yield DiarySlot(slot.start, slot.end, facts.diary_id)


def read(
    *,
    practice: Practice,
    now: datetime,
    diary_id: UUID | None = None,
    leaving_out: UUID | None = None,
) -> list[DiaryFacts]:
    """The facts of every active diary, or of one. `leaving_out` is an appointment that is being
    moved and so does not stand in its own way.
    """
    diaries = Diary.objects.filter(practice=practice, active=True)
    if diary_id is not None:
        diaries = diaries.filter(pk=diary_id)
    diaries = diaries.order_by("name", "pk")
    keys = [diary.pk for diary in diaries]
    openings = _openings(keys)
    closures = _closures(practice, now)
    busy = _busy(keys, now, leaving_out)
    elsewhere = external_busy.spans(practice, keys, now)
    buffers = {diary.pk: timedelta(minutes=diary.buffer_minutes) for diary in diaries}
    return [
        DiaryFacts(
            diary_id=diary.pk,
            rules=DiaryRules(
                openings=tuple(openings[diary.pk]),
                slot_minutes=practice.appointment_minutes,
                buffer_after_minutes=diary.buffer_minutes,
                minimum_notice=timedelta(minutes=practice.booking_notice_minutes),
                horizon_days=practice.booking_horizon_days,
            ),
            closures=frozenset(closures[None] | closures[diary.pk]),
            # What is taken needs its own buffer too: not every appointment is on our grid.
            busy=tuple(
                Span(span.start, span.end + buffers[diary.pk])
                for span in [*busy[diary.pk], *elsewhere[diary.pk]]
            ),
        )
        for diary in diaries
    ]


def _openings(keys: Iterable[UUID]) -> dict[UUID, list[Opening]]:
    openings: dict[UUID, list[Opening]] = defaultdict(list)
    for hours in DiaryHours.objects.filter(diary_id__in=keys):
        openings[hours.diary_id].append(Opening(hours.weekday, hours.opens, hours.closes))
    return openings


def _closures(practice: Practice, now: datetime) -> dict[UUID | None, set[date]]:
    """Closed days of the horizon by diary; under None those of the whole practice, to which the
    bank holidays of its nation belong.
    """
    first = clock.london(now).date()
    horizon = [first + timedelta(days=n) for n in range(practice.booking_horizon_days + 1)]
    closed: dict[UUID | None, set[date]] = defaultdict(set)
    closed[None] = {day for day in horizon if is_bank_holiday(day, practice.nation)}
    rows = Closure.objects.filter(
        practice=practice, last_day__gte=first, first_day__lte=horizon[-1]
    )
    for row in rows:
        closed[row.diary_id] |= {day for day in horizon if row.first_day <= day <= row.last_day}
    return closed


def _busy(keys: Iterable[UUID], now: datetime, leaving_out: UUID | None) -> dict[UUID, list[Span]]:
    rows = Appointment.objects.filter(
        diary_id__in=keys, status__in=LIVE_APPOINTMENT, ends_at__gt=now - timedelta(days=1)
    )
    if leaving_out is not None:
        rows = rows.exclude(pk=leaving_out)
    busy: dict[UUID, list[Span]] = defaultdict(list)
    for diary_id, start, end in rows.values_list("diary_id", "starts_at", "ends_at"):
        if diary_id is not None:
            busy[diary_id].append(Span(start, end))
    return busy
