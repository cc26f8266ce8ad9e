"""After a system was connected, connected again or set up otherwise: the appointments ahead are
planned for it, and what it could not take before is tried again.

Only after it was read, so that what stands there already is not written a second time. Doing it
twice changes nothing; a job that dies is followed by another.
"""

import time
from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from integrations.models import PMS_KINDS, Connection, ConnectionState, Kind
from patients.models import SyncRun, SyncState
from recall.booking import book
from recall.booking.write_back import again, copies
from recall.models import Appointment, AppointmentCopy, TheirAppointment
from recall.models.appointments import LIVE_APPOINTMENT
from sightsync.lib import clock

SECONDS = 20.0


def due() -> list[UUID]:
    """Connections that work, have been read since, and have not caught up. One whose diaries nobody
    has matched waits for that: it would not know whose appointments they are.
    """
    done = SyncRun.objects.filter(
        connection=OuterRef("pk"), state=SyncState.DONE, started_at__gte=OuterRef("connected_at")
    )
    polled = Q(polled_at__gte=F("connected_at"), changes_since__isnull=False)
    read = (
        Q(kind=Kind.GOOGLE_CALENDAR)
        | Q(polled, kind=Kind.MICROSOFT_BOOKINGS)
        | Q(Exists(done), kind__in=PMS_KINDS)
    )
    rows = _waiting().filter(read)
    return [row.pk for row in rows if not row.has_unmatched_diaries]


def run(key: UUID) -> int:
    """Bring one system up to date; how many appointments were planned or tried again."""
    connection = _waiting().filter(pk=key).first()
    if connection is None:
        return 0
    asked_at, until, done = connection.catch_up_at, time.monotonic() + SECONDS, 0
    for appointment_id in list(_behind(connection)):
        _catch_up(appointment_id, connection)
        done += 1
        if time.monotonic() > until:
            return done  # the next job goes on
    Connection.objects.filter(pk=key, catch_up_at=asked_at).update(catch_up_at=None)
    return done


def _waiting() -> "QuerySet[Connection]":
    return Connection.objects.filter(
        catch_up_at__isnull=False, state=ConnectionState.CONNECTED
    ).select_related("practice")


def _behind(connection: Connection) -> Iterable[UUID]:
    """Appointments ahead that the system does not have as they are. What belongs to another diary
    than the calendar does, and what came from there, is as it should be.
    """
    rows = AppointmentCopy.objects.filter(
        connection=connection, appointment__starts_at__gt=clock.now()
    )
    known = {copy.appointment_id: copy for copy in rows}
    theirs = TheirAppointment.objects.filter(connection=connection).values("appointment")
    only = copies.own_diary(connection)
    ahead = Appointment.objects.filter(
        practice=connection.practice, starts_at__gt=clock.now(), has_time=True
    ).order_by("starts_at")
    for row in ahead.exclude(pk__in=theirs.exclude(appointment__in=list(known))):
        copy = known.get(row.pk)
        if _is_behind(row, copy, only) or (copy and again.is_mended_by_connecting(copy)):
            yield row.pk


def _is_behind(row: Appointment, copy: AppointmentCopy | None, only: UUID | None) -> bool:
    if row.status not in LIVE_APPOINTMENT:
        return copy is not None and copy.wanted != 0
    belongs = not row.made_elsewhere and only in (None, row.diary_id)
    return belongs and (copy is None or copy.wanted != row.version)


def _catch_up(appointment_id: UUID, connection: Connection) -> None:
    with transaction.atomic():
        row = Appointment.objects.select_related("practice", "patient").get(pk=appointment_id)
        book.lock(row)
        row.refresh_from_db(fields=["status", "version", "starts_at", "diary"])
        theirs = TheirAppointment.objects.filter(appointment=row, connection=connection).first()
        copies.plan_in(row, connection, theirs)
        again.after_connecting(appointment=row, connection=connection)
