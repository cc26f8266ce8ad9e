"""Which deliveries are sent next: claimed by one conditional update, a few of each endpoint.

The limit of each endpoint is what keeps a slow one from delaying the others. Leases are by the
machine's clock, due times by the product's.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from integrations.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from sightsync.lib import clock

AT_ONCE = 2
"""Deliveries on their way to an endpoint that has proved to work. To one that fails, or of which
nothing is known yet, it is one."""
LEASE = timedelta(seconds=45)
"""Longer than a try can take. Then the sender is taken for dead and the try is made again."""
_TO_SEND = (DeliveryState.PLANNED, DeliveryState.WAITING)

# For each endpoint with something due: as many of its oldest as it has places left.
_PICK = """
SELECT due.id
FROM integrations_webhookendpoint e
CROSS JOIN LATERAL (
    SELECT d.id, d.next_try_at, row_number() OVER (ORDER BY d.next_try_at, d.id) AS place
    FROM integrations_webhookdelivery d
    WHERE d.endpoint_id = e.id AND d.state IN ('planned', 'waiting') AND d.next_try_at <= %(now)s
    ORDER BY d.next_try_at, d.id
    LIMIT %(at_once)s
) due
WHERE e.is_active
  AND (e.failing_since IS NULL AND e.last_delivery_at IS NOT NULL) = %(proven)s
  AND due.place <= %(at_once)s - (
    SELECT count(*) FROM integrations_webhookdelivery s
    WHERE s.endpoint_id = e.id AND s.state = 'sending')
ORDER BY due.place, due.next_try_at, due.id
LIMIT %(limit)s"""

_TAKE = """
UPDATE integrations_webhookdelivery AS d
SET state = 'sending', attempts = d.attempts + 1, lease_until = %(until)s, last_tried_at = %(now)s
FROM (
    SELECT id FROM integrations_webhookdelivery
    WHERE id = ANY(%(ids)s) AND state IN ('planned', 'waiting')
    FOR NO KEY UPDATE SKIP LOCKED
) free
WHERE d.id = free.id
RETURNING d.id"""


def proven(endpoint: WebhookEndpoint) -> bool:
    """Whether it takes what it is sent, as far as is known."""
    return endpoint.failing_since is None and endpoint.last_delivery_at is not None


def claim(*, now: datetime, limit: int, proven: bool) -> list[WebhookDelivery]:
    """Up to `limit` due deliveries, now ours to send, to endpoints that have proved to work or to
    the others.

    At most one claimer runs at a time (`deliver`), so that places are counted rightly.
    """
    if limit <= 0:
        return []
    with transaction.atomic(), connection.cursor() as cursor:
        at_once = AT_ONCE if proven else 1
        cursor.execute(_PICK, {"now": now, "at_once": at_once, "proven": proven, "limit": limit})
        keys = [row[0] for row in cursor.fetchall()]
        if not keys:
            return []
        until = clock.real_now() + LEASE
        cursor.execute(_TAKE, {"until": until, "now": now, "ids": keys})
        taken = [row[0] for row in cursor.fetchall()]
    return _loaded(taken)


def _loaded(keys: Sequence[UUID]) -> list[WebhookDelivery]:
    rows = WebhookDelivery.objects.select_related("endpoint__practice", "entry")
    return list(rows.filter(pk__in=keys).order_by("next_try_at", "pk"))


def recover() -> int:
    """Take back what a dead sender left on its way; how many. It may have arrived: the receiver
    knows by the event's id.
    """
    return WebhookDelivery.objects.filter(
        state=DeliveryState.SENDING, lease_until__lt=clock.real_now()
    ).update(
        state=DeliveryState.WAITING,
        next_try_at=clock.now(),
        lease_until=None,
        error="interrupted",
    )


def anything_due(now: datetime) -> bool:
    """Whether a sender would find something."""
    due = WebhookDelivery.objects.filter(
        endpoint=OuterRef("pk"), state__in=_TO_SEND, next_try_at__lte=now
    )
    return WebhookEndpoint.objects.filter(Exists(due), is_active=True).exists()
