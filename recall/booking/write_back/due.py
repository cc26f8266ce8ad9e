"""Finds the copies that have to be seen to, and takes back what a dead worker left behind.

One copy of each system at a time: a system that is down or slow holds up itself only.
"""

from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from integrations.models import ConnectionState
from recall.booking.write_back import copies, results
from recall.models import AppointmentCopy, CopyState
from sightsync.lib import clock

WAITING = (CopyState.ACCEPTED, CopyState.UNKNOWN)


def keys(now: datetime, limit: int) -> list[UUID]:
    """Of each system that nobody is asking now, the copy that has been due longest."""
    return list(_due(now).distinct("connection_id").values_list("pk", flat=True)[:limit])


def next_of(connection_id: UUID, now: datetime) -> UUID | None:
    """The next one of a system that has just answered."""
    rows = _due(now).filter(connection=connection_id)
    return rows.values_list("pk", flat=True).first()


def _due(now: datetime) -> QuerySet[AppointmentCopy]:
    asked_now = AppointmentCopy.objects.filter(
        connection=OuterRef("connection"), lease_until__gt=clock.real_now()
    )
    return (
        AppointmentCopy.objects.filter(next_try_at__lte=now, state__in=WAITING)
        .exclude(Exists(asked_now))
        .order_by("connection_id", "next_try_at", "created_at")
    )


def take_back() -> int:
    """What a worker was writing when it died is not known: it is looked for; how many."""
    left = AppointmentCopy.objects.filter(
        next_try_at__isnull=False, state=CopyState.WRITING, lease_until__lt=clock.real_now()
    )
    return sum(
        copies.move(
            copy.pk,
            to=CopyState.UNKNOWN,
            only_if=copies.held(copy.lease_until),
            reason="worker_lost",
            lease_until=None,
            next_try_at=clock.now(),
            tries=0,
        )
        for copy in left
    )


def wake_reconnected(now: datetime) -> int:
    """What waited for somebody to connect a system again need not wait any longer; how many."""
    return AppointmentCopy.objects.filter(
        next_try_at__gt=now,
        state__in=WAITING,
        reason=results.CONNECT_AGAIN,
        connection__state=ConnectionState.CONNECTED,
    ).update(next_try_at=now)
