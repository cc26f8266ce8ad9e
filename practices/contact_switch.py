"""The practice-wide stop switch: while it is on, nothing is sent and nobody is rung."""

from django.db import transaction

from practices import journal
from practices.journal import Actor
from practices.models import Practice
from sightsync.lib import clock


@transaction.atomic
def stop(*, practice: Practice, actor: Actor) -> None:
    """Turn it on. On already: changes nothing. Every submission reads it last before it leaves."""
    changed = Practice.objects.filter(pk=practice.pk, contact_stopped_at=None).update(
        contact_stopped_at=clock.now()
    )
    if changed:
        journal.record(practice=practice, action="contact.stopped", actor=actor)


@transaction.atomic
def resume(*, practice: Practice, actor: Actor) -> None:
    """Turn it off: what was planned and is still allowed goes on."""
    changed = Practice.objects.filter(pk=practice.pk, contact_stopped_at__isnull=False).update(
        contact_stopped_at=None
    )
    if changed:
        journal.record(practice=practice, action="contact.resumed", actor=actor)
