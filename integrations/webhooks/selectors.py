"""Reads about webhooks. Each starts from the practice."""

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from integrations.models import DeliveryState, DisabledReason, WebhookDelivery, WebhookEndpoint
from practices.models import Practice


def endpoints(practice: Practice) -> QuerySet[WebhookEndpoint]:
    """The practice's, oldest first."""
    rows = WebhookEndpoint.objects.select_related("practice").filter(practice=practice)
    return rows.order_by("created_at", "pk")


def with_counts(practice: Practice) -> QuerySet[WebhookEndpoint]:
    """`endpoints`, each with how many of its deliveries failed (`failed`) and wait (`waiting`)."""
    return endpoints(practice).annotate(
        failed=Count("deliveries", filter=Q(deliveries__state=DeliveryState.FAILED)),
        waiting=Count("deliveries", filter=Q(deliveries__state=DeliveryState.WAITING)),
    )


def deliveries(endpoint: WebhookEndpoint, state: str = "") -> QuerySet[WebhookDelivery]:
    """The endpoint's log, newest first; of one state, or all for blank."""
    rows = WebhookDelivery.objects.filter(endpoint=endpoint, practice_id=endpoint.practice_id)
    if state:
        rows = rows.filter(state=state)
    return rows.order_by("-created_at", "-pk")


def last_error(endpoint: WebhookEndpoint) -> str:
    """The code of why the latest try that failed did."""
    failed = deliveries(endpoint).exclude(error="").order_by("-last_tried_at", "-pk")
    return failed.values_list("error", flat=True).first() or ""


def delivery(endpoint: WebhookEndpoint) -> QuerySet[WebhookDelivery]:
    """The endpoint's log with what one delivery's body is made of."""
    return deliveries(endpoint).select_related("endpoint__practice", "entry")


@dataclass(frozen=True, slots=True)
class Tally:
    """A state of the log and how many deliveries are in it."""

    state: DeliveryState
    count: int


def tallies(endpoint: WebhookEndpoint) -> list[Tally]:
    """Every state, those with nothing in them too."""
    found = dict(deliveries(endpoint).order_by().values_list("state").annotate(count=Count("pk")))
    return [Tally(state, found.get(state, 0)) for state in DeliveryState]


def turned_off_by_us(practice: Practice) -> list[WebhookEndpoint]:
    """Those that failed for days or asked for nothing more, until somebody deals with them."""
    return list(
        endpoints(practice).filter(is_active=False).exclude(disabled_reason=DisabledReason.BY_HAND)
    )
