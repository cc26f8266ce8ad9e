"""Telling the owners of a practice that a webhook was turned off, by email and once."""

from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse

from integrations.models import WebhookEndpoint
from practices import selectors
from sightsync.lib import clock


def turned_off(endpoint_id: UUID) -> int:
    """How many people were written to. Nobody when they were told before, or it is on again."""
    endpoint = (
        WebhookEndpoint.objects.select_related("practice")
        .filter(pk=endpoint_id, is_active=False, owners_told_at=None)
        .first()
    )
    if endpoint is None:
        return 0
    people = [place.user.email for place in selectors.owners(endpoint.practice)]
    link = settings.PUBLIC_BASE_URL + reverse("webhooks:show", args=[endpoint.public_id])
    context = {"endpoint": endpoint, "practice": endpoint.practice, "link": link}
    subject = render_to_string("emails/webhook_disabled/subject.txt", context).strip()
    text = render_to_string("emails/webhook_disabled/body.txt", context)
    for address in people:
        send_mail(subject, text, None, [address])
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(owners_told_at=clock.now())
    return len(people)
