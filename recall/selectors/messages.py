"""The log of SMS, WhatsApp and email messages."""

from django.db.models import Q, QuerySet

from practices.models import Practice
from recall.models import Attempt, AttemptState, Channel, Outcome
from recall.models.attempts import LIVE_STATES

DELIVERY: dict[str, Q] = {
    "planned": Q(state=AttemptState.PLANNED),
    "under_way": Q(outcome=Outcome.SENT) | Q(outcome="", state__in=LIVE_STATES),
    "delivered": Q(outcome__in=(Outcome.DELIVERED, Outcome.READ)),
    "failed": Q(outcome__in=(Outcome.UNDELIVERED, Outcome.FAILED)) | Q(state=AttemptState.FAILED),
    "cancelled": Q(state=AttemptState.CANCELLED),
}
"""What may be asked of a message's delivery."""


def messages(practice: Practice) -> QuerySet[Attempt]:
    """Every message that was planned or sent, newest first."""
    return (
        Attempt.objects.filter(practice=practice)
        .exclude(channel=Channel.VOICE)
        .select_related("patient", "campaign", "appointment")
        .order_by("-created_at", "-pk")
    )


def with_delivery(rows: QuerySet[Attempt], delivery: str) -> QuerySet[Attempt]:
    """Narrowed to one of DELIVERY; anything else narrows nothing."""
    return rows.filter(DELIVERY[delivery]) if delivery in DELIVERY else rows
