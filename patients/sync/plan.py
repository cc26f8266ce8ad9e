"""When a system is read: each night from two o'clock in London, spread over half an hour; and when
somebody asks.

By the product's clock, so that a jump of the sandbox's clock over a night is a night. Every night
has one run for each connection; a missed one is made up for when the machine is back, and of
several missed nights only the last.
"""

import hashlib
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef

from integrations.models import PMS_KINDS, Connection, ConnectionState, Kind
from patients.models import SyncRun, SyncScope, SyncState
from sightsync.lib import clock

NIGHTLY_KINDS = (*PMS_KINDS, Kind.MICROSOFT_BOOKINGS)
"""Systems that keep patients or appointments; a calendar has busy times only, which are polled."""

AT = time(2)
SPREAD = timedelta(minutes=30)
FULL_EVERY = timedelta(days=7)
OVERLAP = timedelta(minutes=5)
"""How far a reading goes back behind the last: a change may commit there after it was stamped."""

OPEN = (SyncState.PLANNED, SyncState.RUNNING)


def night_of(now: datetime) -> date:
    """The London date of the last two o'clock that has passed."""
    today = clock.london(now).date()
    return today if now >= clock.at_london(today, AT) else today - timedelta(days=1)


def begins_at(night: date, practice_id: UUID) -> datetime:
    """When the practice's reading of that night is due: always as long after two o'clock."""
    number = hashlib.blake2b(practice_id.bytes, digest_size=4).digest()
    seconds = int.from_bytes(number, "big") % int(SPREAD.total_seconds())
    return clock.at_london(night, AT) + timedelta(seconds=seconds)


def next_at(connection: Connection, now: datetime) -> datetime:
    """When the next nightly reading begins."""
    tonight = begins_at(night_of(now), connection.practice_id)
    if tonight > now:
        return tonight
    return begins_at(night_of(now) + timedelta(days=1), connection.practice_id)


def plan_night(now: datetime) -> int:
    """A run for every connection that has none for this night and none under way, and that nobody
    has had read since; how many.
    """
    night = night_of(now)
    since = clock.at_london(night, AT)
    runs = SyncRun.objects.filter(connection=OuterRef("pk"))
    asked = runs.filter(night=None)
    without = (
        Connection.objects.filter(kind__in=NIGHTLY_KINDS)
        .exclude(state=ConnectionState.DISCONNECTED)
        .exclude(Exists(runs.filter(night=night)))
        .exclude(Exists(asked.filter(state=SyncState.DONE, started_at__gte=since)))
        .exclude(Exists(runs.filter(state__in=OPEN)))
    )
    planned = [
        _run(connection, due_at=begins_at(night, connection.practice_id), night=night)
        for connection in without
    ]
    # Another tick may be planning the same night: the constraints let one of each in.
    SyncRun.objects.bulk_create(planned, ignore_conflicts=True)
    return len(planned)


def ask(connection: Connection, *, full: bool = False, gone_accepted: bool = False) -> SyncRun:
    """Read it now: a new run, or the one that is planned or under way.

    `full`: compare everything. `gone_accepted`: that too, and put away all who are gone there,
    however many (see `gone`).
    """
    run = _run(connection, due_at=clock.now(), night=None)
    if full or gone_accepted:
        run.scope, run.since = SyncScope.FULL, None
    run.gone_accepted = gone_accepted
    try:
        with transaction.atomic():
            run.save(force_insert=True)
        return run
    except IntegrityError:
        return _hurry(connection, run)


def _hurry(connection: Connection, wish: SyncRun) -> SyncRun:
    """The run that is there already is due now; one that has not begun does what is asked for."""
    runs = SyncRun.objects.filter(connection=connection, state__in=OPEN)
    runs.filter(due_at__gt=clock.now()).update(due_at=clock.now())
    if wish.scope == SyncScope.FULL:
        runs.filter(started_at=None).update(scope=SyncScope.FULL, since=None)
    if wish.gone_accepted:
        runs.update(gone_accepted=True)
    return runs.first() or ask(connection, gone_accepted=wish.gone_accepted)


def _run(connection: Connection, *, due_at: datetime, night: date | None) -> SyncRun:
    since = _since(connection, night or night_of(clock.now()))
    return SyncRun(
        practice_id=connection.practice_id,
        connection=connection,
        scope=SyncScope.CHANGES if since else SyncScope.FULL,
        since=since,
        night=night,
        due_at=due_at,
    )


def _since(connection: Connection, night: date) -> datetime | None:
    """Where a reading of changes begins, None when everything has to be compared: the first time,
    after connecting again (it may be another system), and once a week.
    """
    done = SyncRun.objects.filter(
        connection=connection, state=SyncState.DONE, started_at__gte=connection.connected_at
    ).exclude(as_of=None)
    last = done.order_by("-finished_at").first()
    full = done.filter(scope=SyncScope.FULL).order_by("-finished_at").first()
    if last is None or last.as_of is None or full is None:
        return None
    compared = full.night or clock.london(full.due_at).date()
    if night - compared >= FULL_EVERY:
        return None
    # Their clock may be ahead of ours, and ours may have been set back.
    return min(last.as_of, clock.now()) - OVERLAP
