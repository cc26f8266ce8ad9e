"""What operators see of the outside world: the sandbox's clock, each carrier account's pace, the
practices' connections and numbers, and webhooks; no secret, and not what receivers answered.
"""

from django.contrib import admin

from integrations.models import (
    CarrierPace,
    Connection,
    DedicatedNumber,
    SandboxClock,
    WebhookDelivery,
    WebhookEndpoint,
)
from practices.admin import ReadOnly


@admin.register(SandboxClock)
class SandboxClockAdmin(ReadOnly):
    list_display = ("pretend_anchor", "real_anchor", "rate")


@admin.register(CarrierPace)
class CarrierPaceAdmin(ReadOnly):
    list_display = ("__str__", "next_at")
    fields = ("next_at",)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ReadOnly):
    list_display = ("public_id", "practice", "is_active", "failing_since", "consecutive_failures")
    list_filter = ("is_active", "disabled_reason", "practice")
    list_select_related = ("practice",)
    exclude = ("secret", "previous_secret")


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnly):
    list_display = ("public_id", "practice", "event_type", "state", "attempts", "response_status")
    list_filter = ("state", "practice")
    list_select_related = ("practice",)
    exclude = ("response_excerpt",)


@admin.register(DedicatedNumber)
class DedicatedNumberAdmin(ReadOnly):
    list_display = ("public_id", "practice", "phone_number", "state", "reason", "next_step_at")
    list_filter = ("state", "practice")
    list_select_related = ("practice",)


@admin.register(Connection)
class ConnectionAdmin(ReadOnly):
    list_display = ("public_id", "practice", "kind", "state", "error_code", "last_used_at")
    list_filter = ("kind", "state", "practice")
    list_select_related = ("practice",)
    exclude = ("credential",)
