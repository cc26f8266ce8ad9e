"""When other systems keep a diary busy: read from them, kept as times, and heeded by the slots.

`refresh` is called by whoever reads a connection's changes (every few minutes) and does the one
request; nothing here decides when.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from integrations.models import Connection, ConnectionState
from integrations.pms.connector import Connector, Stretch
from practices.models import Practice
from recall.booking.slots import Span
from recall.booking.write_back import copies
from recall.models import AppointmentCopy, BusyTime, CopyState
from recall.models.appointments import LIVE_APPOINTMENT

Kept = tuple[UUID | None, datetime, datetime, str]
"""Diary (None for all), start, end, the system's own id."""
LONGEST_ID = 255


def refresh(connection: Connection, connector: Connector, now: datetime) -> int:
    """Read the busy times of the booking horizon and keep them in place of those known; how many
    were added or taken away. Raises ProviderError, and what is known then stays.
    """
    if not connector.capabilities.reads_busy_times:
        return 0
    end = now + timedelta(days=connection.practice.booking_horizon_days + 1)
    return keep(connection, connector.busy(start=now, end=end), now)


def keep(connection: Connection, stretches: Iterable[Stretch], now: datetime) -> int:
    """Make the kept times of one system be these, but for what stands there of our own."""
    with transaction.atomic():
        # One at a time: two readings at once would each keep theirs.
        Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
        wanted = _wanted(connection, stretches, now)
        rows = BusyTime.objects.filter(connection=connection)
        known: dict[Kept, int] = {
            (row.diary_id, row.starts_at, row.ends_at, row.external_id): row.pk for row in rows
        }
        gone = [key for kept, key in known.items() if kept not in wanted]
        new = [kept for kept in wanted if kept not in known]
        BusyTime.objects.filter(pk__in=gone).delete()
        BusyTime.objects.bulk_create(
            [
                BusyTime(
                    practice_id=connection.practice_id,
                    connection=connection,
                    diary_id=diary,
                    starts_at=start,
                    ends_at=end,
                    external_id=external_id,
                )
                for diary, start, end, external_id in new
            ],
            batch_size=1000,
        )
    return len(gone) + len(new)


def spans(practice: Practice, keys: Sequence[UUID], now: datetime) -> dict[UUID, list[Span]]:
    """By diary, what every connected system keeps busy from now on; one query."""
    rows = (
        BusyTime.objects.filter(practice=practice, ends_at__gt=now)
        .filter(Q(diary=None) | Q(diary_id__in=keys))
        .exclude(connection__state=ConnectionState.DISCONNECTED)
        .values_list("diary_id", "starts_at", "ends_at")
    )
    found: dict[UUID, list[Span]] = {key: [] for key in keys}
    for diary_id, start, end in rows:
        for key in keys if diary_id is None else (diary_id,):
            found[key].append(Span(start, end))
    return found


def _wanted(
    connection: Connection, stretches: Iterable[Stretch], now: datetime
) -> dict[Kept, None]:
    our_ids, our_times = _our_own(connection, now)
    diaries, only = copies.diary_map(connection), copies.own_diary(connection)
    found: dict[Kept, None] = {}
    for stretch in stretches:
        if stretch.external_id in our_ids:
            continue
        if stretch.diary_id and diaries and stretch.diary_id not in diaries:
            continue  # a diary of theirs that none of ours stands for
        diary, name = diaries.get(stretch.diary_id, only), stretch.external_id[:LONGEST_ID]
        whole = Span(stretch.starts_at, stretch.ends_at)
        # A system that names nothing tells of ours and of others' together.
        for part in _without(whole, () if name else our_times):
            found[(diary, part.start, part.end, name)] = None
    return found


def _our_own(connection: Connection, now: datetime) -> tuple[set[str], list[Span]]:
    """What stands there of ours, by its id and by its time: the appointment itself blocks it."""
    unsettled = ~Q(state=CopyState.WRITTEN)
    rows = (
        AppointmentCopy.objects.filter(connection=connection)
        .filter(unsettled | Q(appointment__ends_at__gt=now - timedelta(days=1)))
        .select_related("appointment")
    )
    times = [
        Span(copy.appointment.starts_at, copy.appointment.ends_at)
        for copy in rows
        if copy.standing and copy.appointment.status in LIVE_APPOINTMENT
    ]
    # What could not be taken out there keeps its time busy.
    ids = {copy.external_id for copy in rows if copy.wanted or copy.state != CopyState.FAILED}
    return ids - {""}, times


def _without(whole: Span, holes: Iterable[Span]) -> list[Span]:
    """What is left of a stretch when ours are taken out of it."""
    left, at = [], whole.start
    for hole in sorted(holes):
        if at < hole.end and hole.start < whole.end:
            left.append(Span(at, hole.start))
            at = hole.end
    return [span for span in [*left, Span(at, whole.end)] if span.start < span.end]
