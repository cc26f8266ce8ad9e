"""One delivery per endpoint and event, from the sealed journal: none is lost, none comes twice.

The deliveries and the place up to which the journal was read are written in one transaction, under
a lock of the practice; the table's own constraint backs it. Sending is not this module's.
"""

from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef

from integrations.models import WebhookDelivery, WebhookEndpoint
from integrations.webhooks import events
from practices import journal
from practices.models import JournalEntry
from sightsync.lib import clock, failpoints

CHUNK = 500
_LOCK = 0x5168


def run(*, chunks: int = 20) -> int:
    """Plan deliveries for what was sealed since; how many. At most `chunks` reads of a practice, so
    that an import of 100,000 patients does not stop the tick. Safe to run in several places.
    """
    planned = 0
    for practice_id in _behind():
        for _ in range(chunks):
            made, more = of_practice(practice_id)
            planned += made
            if not more:
                break
    return planned


def of_practice(practice_id: UUID) -> tuple[int, bool]:
    """One read of the practice's journal: how many deliveries it brought, and whether there may
    be more to read.
    """
    with transaction.atomic():
        if not _lock(practice_id):
            return 0, False
        endpoints = _listening(practice_id)
        if not endpoints:
            return 0, False
        start = min(endpoint.next_sequence for endpoint in endpoints)
        entries = journal.sealed_after(practice_id, start - 1, CHUNK)
        if not entries:
            return 0, False
        failpoints.hit("webhooks.fan_out.read")
        rows = [
            row
            for endpoint in endpoints
            for row in (_row(endpoint, entry) for entry in entries)
            if row
        ]
        WebhookDelivery.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
        failpoints.hit("webhooks.fan_out.planned")
        reached = (entries[-1].sequence or 0) + 1
        _move_on(endpoints, reached)
        failpoints.hit("webhooks.fan_out.before_commit")
    failpoints.hit("webhooks.fan_out.after_commit")
    return len(rows), len(entries) == CHUNK


def _behind() -> list[UUID]:
    """Practices in whose journal an endpoint has something left to read."""
    unread = JournalEntry.objects.filter(
        practice_id=OuterRef("practice_id"), sequence__gte=OuterRef("next_sequence")
    )
    listening = WebhookEndpoint.objects.filter(is_active=True).filter(Exists(unread))
    return list(listening.order_by().values_list("practice_id", flat=True).distinct())


def _lock(practice_id: UUID) -> bool:
    """Whether this transaction is the only one that plans for the practice."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", [_LOCK, str(practice_id)]
        )
        return bool(cursor.fetchone()[0])


def _listening(practice_id: UUID) -> list[WebhookEndpoint]:
    """Locked, so that one that is deleted or turned off meanwhile waits for us."""
    return list(
        WebhookEndpoint.objects.select_for_update(no_key=True)
        .filter(practice_id=practice_id, is_active=True)
        .order_by("pk")
    )


def _row(endpoint: WebhookEndpoint, entry: JournalEntry) -> WebhookDelivery | None:
    event_type = events.of_action(entry.action)
    if not event_type or (entry.sequence or 0) < endpoint.next_sequence:
        return None
    if not events.wants(endpoint.events, event_type):
        return None
    now = clock.now()
    return WebhookDelivery(
        practice_id=entry.practice_id,
        endpoint=endpoint,
        event_id=events.event_id(entry),
        event_type=event_type,
        event_at=entry.at,
        entry=entry,
        patient_id=entry.patient_id,
        next_try_at=now,
        created_at=now,
    )


def _move_on(endpoints: list[WebhookEndpoint], reached: int) -> None:
    WebhookEndpoint.objects.filter(
        pk__in=[endpoint.pk for endpoint in endpoints], next_sequence__lt=reached
    ).update(next_sequence=reached)


def head(practice_id: UUID) -> int:
    """The next number that the practice's journal will give: where a new endpoint starts."""
    last = JournalEntry.objects.filter(practice_id=practice_id, sequence__isnull=False).order_by(
        F("sequence").desc()
    )
    return (last.values_list("sequence", flat=True).first() or 0) + 1
