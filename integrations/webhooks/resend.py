"""Deliveries that somebody asked for: a test event, and failed ones once more.

They take the same way as all others, address check included.
"""

from uuid import UUID

from django.db import transaction

from integrations.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from integrations.webhooks import deliver, events
from practices import journal
from practices.journal import Actor
from sightsync.lib import clock, ids, jobs
from sightsync.lib.errors import AppError

_OVER = (DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.WAITING)


def test(*, endpoint: WebhookEndpoint, actor: Actor) -> WebhookDelivery:
    """Plan a `webhook.test` event for now. It is tried once. Raises AppError when it is off."""
    now = clock.now()
    with transaction.atomic():
        _check_on(endpoint)
        row = WebhookDelivery.objects.create(
            practice_id=endpoint.practice_id,
            endpoint=endpoint,
            event_id=ids.new(),
            event_type=events.TEST,
            event_at=now,
            next_try_at=now,
            created_at=now,
        )
        journal.record(
            practice=endpoint.practice_id, action="webhook.tested", actor=actor, subject=endpoint
        )
        jobs.enqueue(deliver.JOB)
    return row


def again(*, delivery: WebhookDelivery, actor: Actor) -> WebhookDelivery:
    """Send it once more, now, with the event id it always had. One that is on its way or planned
    already is left alone. Raises AppError when the webhook is off.
    """
    with transaction.atomic():
        _check_on(delivery.endpoint)
        if _plan(delivery.endpoint, [delivery.pk]):
            _written(delivery.endpoint, actor, 1)
            delivery.refresh_from_db()
    return delivery


def all_failed(*, endpoint: WebhookEndpoint, actor: Actor) -> int:
    """Send every failed one of the log once more; how many. Raises AppError when it is off."""
    with transaction.atomic():
        _check_on(endpoint)
        failed = endpoint.deliveries.filter(state=DeliveryState.FAILED)
        count = _plan(endpoint, list(failed.values_list("pk", flat=True)))
        if count:
            _written(endpoint, actor, count)
    return count


def _plan(endpoint: WebhookEndpoint, keys: list[UUID]) -> int:
    return WebhookDelivery.objects.filter(endpoint=endpoint, pk__in=keys, state__in=_OVER).update(
        state=DeliveryState.PLANNED, attempts=0, next_try_at=clock.now()
    )


def _written(endpoint: WebhookEndpoint, actor: Actor, count: int) -> None:
    journal.record(
        practice=endpoint.practice_id,
        action="webhook.resent",
        actor=actor,
        subject=endpoint,
        facts={"deliveries": count},
    )
    jobs.enqueue(deliver.JOB)


def _check_on(endpoint: WebhookEndpoint) -> None:
    if not WebhookEndpoint.objects.filter(pk=endpoint.pk, is_active=True).exists():
        raise AppError("webhook_is_off", "The webhook is off: turn it on first.", 409)
