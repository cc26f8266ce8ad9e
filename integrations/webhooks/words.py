"""What the pages say about deliveries and endpoints."""

from collections.abc import Mapping
from dataclasses import dataclass

from integrations.models import DeliveryState, DisabledReason, WebhookEndpoint
from integrations.webhooks import retries

STATES: Mapping[str, tuple[str, str]] = {
    DeliveryState.PLANNED: ("To be sent", "grey"),
    DeliveryState.SENDING: ("Being sent", "blue"),
    DeliveryState.WAITING: ("Will be retried", "amber"),
    DeliveryState.DELIVERED: ("Delivered", "green"),
    DeliveryState.FAILED: ("Failed", "red"),
}
"""By state: the word, and the pill's tone."""

ERRORS: Mapping[str, str] = {
    "timeout": "It did not answer within 10 seconds.",
    "cannot_connect": "Nothing answered at the address.",
    "bad_certificate": "Its certificate is not valid for the address.",
    "broken_answer": "It closed the connection, or answered something that is not HTTP.",
    "name_not_found": "The name in the address stands for no machine.",
    "redirect": "It answered with a redirect, which is not followed. Use the final address.",
    "bad_status": "It answered with an error.",
    "url_not_public": "The name stands for a private address, to which nothing is sent.",
    "url_not_https": "Only https addresses are sent to.",
    "interrupted": "The sender was stopped on the way. It is sent again.",
    "internal": "The event could not be made ready on our side. It is tried again.",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How an endpoint is: the word, the pill's tone, and why in a sentence or blank."""

    word: str
    tone: str
    why: str = ""


def standing(endpoint: WebhookEndpoint) -> Standing:
    if endpoint.disabled_reason == DisabledReason.BY_HAND:
        return Standing("Off", "grey", "Somebody in your practice turned it off.")
    if endpoint.disabled_reason == DisabledReason.GONE:
        return Standing("Off", "red", "It answered 410 Gone, so nothing more is sent.")
    if endpoint.disabled_reason == DisabledReason.FAILING:
        days = retries.FAILING_FOR.days
        return Standing("Off", "red", f"Every delivery failed for {days} days.")
    if endpoint.failing_since is not None:
        return Standing("Failing", "amber", "The last delivery failed. It is tried again.")
    return Standing("On", "green")


def error(code: str) -> str:
    return ERRORS.get(code, "The address is refused.") if code else ""
