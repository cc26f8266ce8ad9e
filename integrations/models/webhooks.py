"""The webhooks that practices have asked for, and what was sent to them."""

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from practices.models import JournalEntry, Practice
from sightsync.lib import ids
from sightsync.lib.crypto import EncryptedTextField


class DisabledReason(models.TextChoices):
    """Why an endpoint is sent nothing."""

    BY_HAND = "by_hand", "Turned off"
    FAILING = "failing", "Five days of failures"
    GONE = "gone", "It answered 410 Gone"


class WebhookEndpoint(ids.HasPublicId, models.Model):
    """Where a practice wants to hear of what happens. Both secrets are encrypted; the previous one
    signs beside the new one until `previous_expires_at`.

    `next_sequence` is the first sealed journal entry that it has not been given yet.
    """

    PREFIX = "wh"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=500)
    events = ArrayField(models.CharField(max_length=48))
    secret = EncryptedTextField()
    previous_secret = EncryptedTextField(blank=True)
    previous_expires_at = models.DateTimeField(null=True)
    full_objects = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    disabled_at = models.DateTimeField(null=True)
    disabled_reason = models.CharField(max_length=8, choices=DisabledReason.choices, blank=True)
    owners_told_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    consecutive_failures = models.PositiveIntegerField(default=0)
    last_delivery_at = models.DateTimeField(null=True, help_text="When a delivery was last taken.")
    next_sequence = models.BigIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="webhook_says_why_it_is_off",
                condition=models.Q(is_active=True, disabled_reason="", disabled_at=None)
                | models.Q(is_active=False, disabled_at__isnull=False)
                & ~models.Q(disabled_reason=""),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class DeliveryState(models.TextChoices):
    PLANNED = "planned", "Waiting to be sent"
    SENDING = "sending", "Being sent"
    WAITING = "waiting", "To be tried again"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Failed"


class WebhookDelivery(ids.HasPublicId, models.Model):
    """One event for one endpoint. The body is made anew for each try from the journal's entry, so
    that nothing about a patient is kept here but the start of what the receiver answered.

    `lease_until` is by the machine's clock: after it a sender that has not come back is taken for
    dead. `tries` has time, status, milliseconds and error code of the latest ones.
    """

    PREFIX = "whd"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="webhook_deliveries")
    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, related_name="deliveries")
    event_id = models.UUIDField()
    event_type = models.CharField(max_length=48)
    event_at = models.DateTimeField()
    entry = models.ForeignKey(JournalEntry, models.PROTECT, null=True, related_name="+")
    patient_id = models.UUIDField(null=True)
    state = models.CharField(
        max_length=9, choices=DeliveryState.choices, default=DeliveryState.PLANNED
    )
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Since it was last planned.")
    next_try_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    last_tried_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    response_status = models.PositiveSmallIntegerField(null=True)
    latency_ms = models.PositiveIntegerField(null=True)
    error = models.CharField(max_length=24, blank=True)
    response_excerpt = EncryptedTextField(blank=True)
    tries: "models.JSONField[list[dict[str, Any]]]" = models.JSONField(default=list)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["endpoint", "event_id"], name="webhook_event_once_per_endpoint"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["endpoint", "next_try_at", "id"],
                name="webhook_due",
                condition=models.Q(state__in=["planned", "waiting"]),
            ),
            models.Index(
                fields=["endpoint"],
                name="webhook_sending",
                condition=models.Q(state="sending"),
            ),
            models.Index(fields=["endpoint", "-created_at", "-id"], name="webhook_log"),
            models.Index(fields=["created_at"], name="webhook_by_age"),
            models.Index(
                fields=["practice", "patient_id"],
                name="webhook_of_patient",
                condition=models.Q(patient_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.state}"
