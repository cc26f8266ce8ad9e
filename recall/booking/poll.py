"""Between the nights: every five minutes each connected system is asked which appointments have
changed and what is busy, so that who has booked there is not rung.

Safe in several copies: a connection is claimed by a lease, and heeding an answer twice changes
nothing. A system that does not answer holds up nobody else.
"""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from integrations import connections, registry
from integrations.models import Connection, ConnectionState
from integrations.pms.connector import Connector
from practices.journal import Actor
from recall.booking import busy, in_calendars
from recall.booking.from_pms import FromPms
from sightsync.lib import clock, failpoints
from sightsync.lib.errors import ProviderError, ProviderKind

EVERY = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=1)
LEASE = timedelta(seconds=100)
OVERLAP = timedelta(minutes=2)
SECONDS = 20.0
"""How long one poll may go on asking for pages; the next one goes over them again, quickly."""
MOST_PAGES = 200


def due(now: datetime, limit: int) -> list[UUID]:
    """Connections whose turn has come, those that have waited longest first."""
    rows = _ready(now).order_by("next_poll_at")
    return list(rows.values_list("pk", flat=True)[:limit])


def begin_new(now: datetime) -> int:
    """Give a turn to connections that have none: just connected. One UPDATE; how many."""
    return Connection.objects.filter(state=ConnectionState.CONNECTED, next_poll_at=None).update(
        next_poll_at=now
    )


def run(key: UUID, *, actor: Actor) -> bool:
    """Ask one connection; whether it answered. Does nothing when it is not due, or being asked."""
    connection = _claim(key)
    if connection is None:
        return False
    now = clock.now()
    try:
        connector = registry.connector(connection)
        changes_since = _appointments(connection, connector, actor)
        failpoints.hit("poll.read")
        busy.refresh(connection, connector, clock.now())
        in_calendars.compare(connection, connector, now, actor=actor)
    except ProviderError as error:
        refused = error.kind == ProviderKind.REJECTED and error.code == "auth"
        code = error.code or str(error.kind)
        connections.failed(connection=connection, code=code, actor=actor, refused=refused)
        wait = min(max(EVERY, timedelta(seconds=error.retry_after or 0)), LONGEST_WAIT)
        _release(connection, next_poll_at=now + wait)
        return False
    _release(connection, next_poll_at=now + EVERY, polled_at=now, changes_since=changes_since)
    connections.worked(connection)
    return True


@dataclass(slots=True)
class _Read:
    """What one walk over the pages has met."""

    as_of: datetime | None = None
    ids: set[str] = field(default_factory=set)
    whole: bool = False


def _appointments(connection: Connection, connector: Connector, actor: Actor) -> datetime | None:
    """Heed what has changed; from when the next poll has to ask."""
    if not connector.capabilities.reads_appointments:
        return connection.changes_since
    began = clock.now()
    since = connection.changes_since
    from_pms = FromPms(actor)
    read = _walk(connection, connector, from_pms, since)
    if not read.whole:
        return connection.changes_since
    if since is None:
        from_pms.settle(connection, read.ids, began)
    # Their clock may be ahead, and ours may have been set back.
    return min(read.as_of or began - OVERLAP, began)


def _walk(
    connection: Connection, connector: Connector, from_pms: FromPms, since: datetime | None
) -> _Read:
    read, cursor, until = _Read(), "", time.monotonic() + SECONDS
    asked = since - OVERLAP if since is not None else None
    for _ in range(MOST_PAGES):
        from_pms.asking()
        page = connector.appointments(since=asked, cursor=cursor)
        from_pms.take(connection, page.items)
        read.as_of = read.as_of or page.as_of
        read.ids.update(one.external_id for one in page.items)
        if not page.next_cursor or page.next_cursor == cursor:
            read.whole = not page.next_cursor
            break
        cursor = page.next_cursor
        if time.monotonic() > until:
            break
    return read


def _ready(now: datetime) -> "QuerySet[Connection]":
    """Due and not being asked. What would wait longer than any wait is due: the clock was set
    back.
    """
    turn = Q(next_poll_at__lte=now) | Q(next_poll_at__gt=now + 2 * LONGEST_WAIT)
    free = Q(poll_lease_until=None) | Q(poll_lease_until__lt=clock.real_now())
    return Connection.objects.filter(turn, free, state=ConnectionState.CONNECTED)


def _claim(key: UUID) -> Connection | None:
    """Take the turn. The next one is set already: a poll that dies is not tried at once again."""
    until, now = clock.real_now() + LEASE, clock.now()
    turn = _ready(now).filter(pk=key)
    if not turn.update(poll_lease_until=until, next_poll_at=now + EVERY):
        return None
    return Connection.objects.select_related("practice").get(pk=key)


def _release(connection: Connection, **values: datetime | None) -> None:
    """Write down what the poll came to, if it is still ours."""
    Connection.objects.filter(
        pk=connection.pk, poll_lease_until=connection.poll_lease_until
    ).update(poll_lease_until=None, **values)
