"""Taking the right to write one copy, or to look for one of which nobody knows whether it stands.

Everything is read fresh and decided in one transaction under the patient's lock. Nothing leaves the
machine here.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from integrations.models import ConnectionState
from integrations.pms.connector import Standing
from practices.journal import Actor
from recall.booking.write_back import copies, entries, results, states
from recall.booking.write_back.states import Deed
from recall.booking.write_back.work import Work
from recall.models import AppointmentCopy, CopyState
from sightsync.lib import clock, failpoints

LEASE = timedelta(seconds=120)
"""By the machine's clock. Twice a job's time limit: whoever held it is gone."""
WAIT = timedelta(minutes=10)
"""How often to look whether a system was connected again; reconnecting wakes it at once."""


def claim(copy_id: UUID, *, actor: Actor) -> Work | None:
    """The claimed work; None when there is nothing to send now, which is then written down."""
    with transaction.atomic():
        work = _claim(copy_id, actor)
        if work is not None:
            failpoints.hit("copy.claim.before_commit")
    if work is not None:
        failpoints.hit("copy.claim.after_commit")
    return work


def _claim(copy_id: UUID, actor: Actor) -> Work | None:
    copy = copies.lock(copy_id)
    now = clock.now()
    if copy is None or copy.next_try_at is None or copy.next_try_at > now:
        return None
    if copy.state not in (CopyState.ACCEPTED, CopyState.UNKNOWN):
        return None
    deed = states.deed(wanted=copy.wanted, standing=copy.standing)
    if not _may_ask(copy, now, actor):
        return None
    if copy.state == CopyState.UNKNOWN:
        return _take(copy, deed, look=True)
    if deed is Deed.NOTHING:
        results.agrees(copy, actor=actor)
        return None
    if deed is not Deed.CANCEL and copy.appointment.ends_at <= now:
        results.give_up(copy, "too_late", actor=actor)
        return None
    return _take(copy, deed, look=False)


def _may_ask(copy: AppointmentCopy, now: datetime, actor: Actor) -> bool:
    """Whether the system is connected. One that needs attention is waited for."""
    if copy.connection.state == ConnectionState.NEEDS_ATTENTION:
        AppointmentCopy.objects.filter(pk=copy.pk).update(
            reason=results.CONNECT_AGAIN, next_try_at=now + WAIT
        )
        return False
    if copy.connection.state == ConnectionState.DISCONNECTED:
        ending = results.leave_to_staff if copy.state == CopyState.UNKNOWN else results.give_up
        ending(copy, "disconnected", actor=actor, tell_staff=copies.is_kept_there(copy))
        return False
    return True


def _take(copy: AppointmentCopy, deed: Deed, *, look: bool) -> Work | None:
    lease = clock.real_now() + LEASE
    free = Q(lease_until=None) | Q(lease_until__lt=clock.real_now())
    changes: dict[str, Any] = {"lease_until": lease, "tries": F("tries") + 1}
    if look:
        rows = AppointmentCopy.objects.filter(free, pk=copy.pk, state=CopyState.UNKNOWN)
        taken = rows.update(**changes) == 1
    else:
        taken = copies.move(copy.pk, to=CopyState.WRITING, only_if=free, **changes)
    if not taken:
        return None
    return Work(
        copy_id=copy.pk,
        lease=lease,
        connection=copy.connection,
        deed=deed,
        version=copy.wanted,
        entry=entries.build(copy.appointment, copy.connection),
        standing=Standing(external_id=copy.external_id, version=copy.external_version),
        look=look,
        kept_there=copies.is_kept_there(copy),
    )
