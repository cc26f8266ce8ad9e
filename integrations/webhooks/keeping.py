"""How long the delivery log is kept."""

from datetime import timedelta

from integrations.models import WebhookDelivery, WebhookEndpoint
from sightsync.lib import clock

KEPT_FOR = timedelta(days=30)


def clear_old() -> int:
    """Forget deliveries older than 30 days and secrets that no longer sign; how many deliveries."""
    now = clock.now()
    WebhookEndpoint.objects.filter(previous_expires_at__lte=now).update(
        previous_secret="", previous_expires_at=None
    )
    return WebhookDelivery.objects.filter(created_at__lt=now - KEPT_FOR).delete()[0]
