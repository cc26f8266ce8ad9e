"""Our events in calendars of which nothing else can be read: somebody may delete or move one there.

That changes no appointment, for it does not say what the patient wants, and the patient was told
of nothing: it is put before the staff, who cancel or move it here, or have it put back.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from integrations.models import Connection
from integrations.pms.connector import DELETED_THERE, MOVED_THERE, Connector
from practices.journal import Actor
from recall.booking.write_back import copies, results
from recall.models import AppointmentCopy, CopyState
from recall.models.appointments import LIVE_APPOINTMENT
from sightsync.lib import clock

MOST = 100
"""As many are compared at a time, the earliest first."""


def compare(
    connection: Connection, connector: Connector, asked_at: datetime, *, actor: Actor
) -> None:
    """Compare our events ahead with what stands there, after its busy times were read. What was
    written since `asked_at` may not have been read yet. Raises ProviderError.
    """
    if not connector.capabilities.tells_of_ours:
        return
    known = {copy.pk: copy for copy in _ours(connection, asked_at)}
    fates = connector.disturbed([copy.external_id for copy in known.values()])
    for copy in known.values():
        fate = fates.get(copy.external_id, "")
        if fate != (copy.reason if copy.state == CopyState.FAILED else ""):
            _note(copy, fate, actor)


def _ours(connection: Connection, asked_at: datetime) -> list[AppointmentCopy]:
    stands = Q(state=CopyState.WRITTEN, standing=F("wanted"), written_at__lt=asked_at)
    disturbed = Q(state=CopyState.FAILED, reason__in=(DELETED_THERE, MOVED_THERE))
    rows = AppointmentCopy.objects.filter(
        stands | disturbed,
        connection=connection,
        wanted__gt=0,
        appointment__status__in=LIVE_APPOINTMENT,
        appointment__starts_at__gt=clock.now(),
    ).exclude(external_id="")
    return list(rows.order_by("appointment__starts_at")[:MOST])


def _note(before: AppointmentCopy, fate: str, actor: Actor) -> None:
    with transaction.atomic():
        copy = copies.lock(before.pk)
        if copy is None or _said(copy) != _said(before):
            return
        standing = {"": copy.wanted, MOVED_THERE: AppointmentCopy.ANOTHER_TIME}.get(fate)
        rows = AppointmentCopy.objects.filter(pk=copy.pk)
        if copy.state == CopyState.FAILED:
            rows.update(standing=standing, reason=fate)
            if not fate:
                results.agrees(copy, actor=actor)
        else:
            rows.update(standing=standing)
            results.give_up(copy, fate, actor=actor)


def _said(copy: AppointmentCopy) -> tuple[object, ...]:
    return copy.state, copy.wanted, copy.written_at, copy.reason
