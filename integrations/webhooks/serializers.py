"""What the webhook operations take, and the shapes of their answers."""

from typing import Any

from rest_framework import serializers

from integrations.models import DeliveryState, DisabledReason, WebhookDelivery, WebhookEndpoint
from integrations.webhooks import addresses, deliver, events
from sightsync.lib.api.fields import Bool, PublicId, Text

_Shape = serializers.Serializer[Any]
_MOST_EVENTS = 100


class WebhookInputSerializer(_Shape):
    url = Text(
        max_length=addresses.MAX_LENGTH,
        help_text="HTTPS on port 443 or 8443, a public address. Must answer 2xx within 10 seconds.",
    )
    events = serializers.ListField(
        child=Text(max_length=48),
        allow_empty=False,
        max_length=_MOST_EVENTS,
        help_text=f"Event types, or `*` for all. One of: {', '.join(events.CATALOGUE)}.",
    )
    full_objects = Bool(
        required=False,
        default=False,
        help_text="Send the whole object as `data.object`: this is personal data.",
    )


class WebhookPatchSerializer(_Shape):
    url = Text(max_length=addresses.MAX_LENGTH, required=False)
    events = serializers.ListField(
        child=Text(max_length=48), allow_empty=False, max_length=_MOST_EVENTS, required=False
    )
    full_objects = Bool(required=False)
    is_active = Bool(required=False, help_text="`true` also turns one on again that was disabled.")


class WebhookSerializer(_Shape):
    id = PublicId(WebhookEndpoint.PREFIX)
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    is_active = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    last_delivery_at = serializers.DateTimeField(allow_null=True)
    consecutive_failures = serializers.IntegerField(min_value=0)
    full_objects = serializers.BooleanField()
    failing_since = serializers.DateTimeField(allow_null=True)
    disabled_at = serializers.DateTimeField(allow_null=True)
    disabled_reason = serializers.ChoiceField(DisabledReason.choices, allow_null=True)
    previous_secret_expires_at = serializers.DateTimeField(allow_null=True)


class WebhooksSerializer(_Shape):
    endpoints = WebhookSerializer(many=True)


class NewWebhookSerializer(_Shape):
    id = PublicId(WebhookEndpoint.PREFIX)
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    secret = serializers.CharField(help_text="Shown this once.")
    is_active = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    full_objects = serializers.BooleanField()


class WebhookSecretSerializer(_Shape):
    id = PublicId(WebhookEndpoint.PREFIX)
    secret = serializers.CharField(help_text="Shown this once.")
    previous_secret_expires_at = serializers.DateTimeField()


class WebhookRemovedSerializer(_Shape):
    success = serializers.BooleanField()


class WebhookDeliverySerializer(_Shape):
    id = PublicId(WebhookDelivery.PREFIX)
    event_id = PublicId(events.PREFIX)
    event_type = serializers.CharField()
    status = serializers.ChoiceField(DeliveryState.choices)
    attempts = serializers.IntegerField(min_value=0)
    created_at = serializers.DateTimeField()
    last_tried_at = serializers.DateTimeField(allow_null=True)
    next_try_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    response_status = serializers.IntegerField(allow_null=True)
    latency_ms = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(allow_null=True)


class WebhookTrySerializer(_Shape):
    at = serializers.DateTimeField()
    status = serializers.IntegerField(allow_null=True)
    ms = serializers.IntegerField()
    error = serializers.CharField(allow_blank=True)


class WebhookEventSerializer(_Shape):
    id = PublicId(events.PREFIX)
    type = serializers.CharField()
    created_at = serializers.DateTimeField()
    data = serializers.DictField()  # type: ignore[assignment]  # the field, not the attribute


class WebhookDeliveryDetailSerializer(WebhookDeliverySerializer):
    request = WebhookEventSerializer()
    response = serializers.CharField(help_text="The first 2 KiB of the last answer.")
    tries = WebhookTrySerializer(many=True)


class WebhookDeliveryQueuedSerializer(_Shape):
    success = serializers.BooleanField()
    delivery = WebhookDeliverySerializer()


def endpoint_out(row: WebhookEndpoint) -> dict[str, object]:
    return {
        "id": row.public_id,
        "url": row.url,
        "events": row.events,
        "is_active": row.is_active,
        "created_at": row.created_at,
        "last_delivery_at": row.last_delivery_at,
        "consecutive_failures": row.consecutive_failures,
        "full_objects": row.full_objects,
        "failing_since": row.failing_since,
        "disabled_at": row.disabled_at,
        "disabled_reason": row.disabled_reason or None,
        "previous_secret_expires_at": row.previous_expires_at,
    }


def delivery_out(row: WebhookDelivery) -> dict[str, object]:
    return {
        "id": row.public_id,
        "event_id": events.public_id(row.event_id),
        "event_type": row.event_type,
        "status": row.state,
        "attempts": row.attempts,
        "created_at": row.created_at,
        "last_tried_at": row.last_tried_at,
        "next_try_at": row.next_try_at,
        "delivered_at": row.delivered_at,
        "response_status": row.response_status,
        "latency_ms": row.latency_ms,
        "error": row.error or None,
    }


def delivery_detail_out(row: WebhookDelivery) -> dict[str, object]:
    return {
        **delivery_out(row),
        "request": deliver.content_of(row),
        "response": row.response_excerpt,
        "tries": row.tries,
    }
