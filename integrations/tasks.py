"""The jobs that django-q2 runs about the outside world. A job run twice does nothing twice."""

from uuid import UUID

from integrations.numbers import process
from integrations.webhooks import deliver, keeping, notices


def deliver_webhooks() -> None:
    """Send the webhook deliveries that are due."""
    deliver.run()


def tell_of_disabled_webhook(key: str) -> None:
    """Write to the owners that a webhook was turned off."""
    notices.turned_off(UUID(key))


def number_step(key: str) -> None:
    """Take the next step of buying a number or giving it back."""
    process.step(UUID(key))


def clear_old_webhooks() -> None:
    """Forget old lines of the delivery log."""
    keeping.clear_old()
