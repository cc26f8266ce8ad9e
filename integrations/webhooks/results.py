"""What comes of a try, for the delivery and for its endpoint: one transaction, written once."""

import random
from datetime import datetime
from typing import Any

from django.db import transaction

from integrations.models import (
    DeliveryState,
    DisabledReason,
    WebhookDelivery,
    WebhookEndpoint,
)
from integrations.webhooks import endpoints, events, retries
from integrations.webhooks.post import Answer
from practices.journal import Actor
from sightsync.lib import clock
from sightsync.lib.api import render

ACTOR = Actor.system("webhooks")
TRIES_KEPT = 20
OUR_FAULT = "internal"
"""The body could not be made: tried again, but nothing against the receiver."""


def record(*, delivery: WebhookDelivery, answer: Answer) -> bool:
    """Write down the try for which `delivery` was claimed; whether it was still ours to write."""
    with transaction.atomic():
        endpoint = (
            WebhookEndpoint.objects.select_for_update(no_key=True)
            .filter(pk=delivery.endpoint_id)
            .first()
        )
        if endpoint is None:
            return False  # removed meanwhile, and its deliveries with it
        now = clock.now()
        written = WebhookDelivery.objects.filter(
            pk=delivery.pk, state=DeliveryState.SENDING, lease_until=delivery.lease_until
        ).update(**_outcome(delivery, answer, now), **_seen(delivery, answer, now))
        if written and answer.error != OUR_FAULT:
            _judge(endpoint, answer, now)
    return bool(written)


def _outcome(delivery: WebhookDelivery, answer: Answer, now: datetime) -> dict[str, Any]:
    if answer.taken:
        return {"state": DeliveryState.DELIVERED, "delivered_at": now, "next_try_at": None}
    wait = retries.delay(
        delivery.attempts,
        dice=random.random(),  # noqa: S311  # spreads load, hides nothing
        wish=retries.retry_after(answer.status, answer.retry_after, now),
    )
    if wait is None or answer.status == retries.GONE or delivery.event_type == events.TEST:
        return {"state": DeliveryState.FAILED, "next_try_at": None}
    return {"state": DeliveryState.WAITING, "next_try_at": now + wait}


def _seen(delivery: WebhookDelivery, answer: Answer, now: datetime) -> dict[str, Any]:
    line = {
        "at": render.instant(now),
        "status": answer.status,
        "ms": answer.latency_ms,
        "error": answer.error,
    }
    return {
        "lease_until": None,
        "last_tried_at": now,
        "response_status": answer.status,
        "latency_ms": answer.latency_ms,
        "error": answer.error,
        "response_excerpt": answer.excerpt,
        "tries": [*delivery.tries, line][-TRIES_KEPT:],
    }


def _judge(endpoint: WebhookEndpoint, answer: Answer, now: datetime) -> None:
    """Count for or against the endpoint; turn it off on a 410, or after days of nothing else."""
    if answer.taken:
        endpoint.failing_since, endpoint.consecutive_failures = None, 0
        endpoint.last_delivery_at = now
    else:
        endpoint.failing_since = endpoint.failing_since or now
        endpoint.consecutive_failures += 1
    endpoint.save(update_fields=["failing_since", "consecutive_failures", "last_delivery_at"])
    if answer.status == retries.GONE:
        endpoints.disable(endpoint=endpoint, reason=DisabledReason.GONE, actor=ACTOR)
    elif retries.gives_up(endpoint.failing_since, endpoint.consecutive_failures, now):
        endpoints.disable(endpoint=endpoint, reason=DisabledReason.FAILING, actor=ACTOR)
