"""A practice's connections to other makers' systems: calendars and practice management systems."""

from typing import Any, ClassVar

from django.db import models

from practices.models import Practice, User
from sightsync.lib import ids
from sightsync.lib.crypto import EncryptedTextField


class Kind(models.TextChoices):
    """The systems that can be connected."""

    OPTIX = "optix", "Optix"
    ACUITAS = "acuitas", "Acuitas"
    OPTISOFT = "optisoft", "Optisoft"
    MICROSOFT_BOOKINGS = "microsoft_bookings", "Microsoft Bookings"
    GOOGLE_CALENDAR = "google_calendar", "Google Calendar"


PMS_KINDS = (Kind.OPTIX, Kind.ACUITAS, Kind.OPTISOFT)
"""Systems that keep the practice's patients. One at a time: their ids would mix."""


class ConnectionState(models.TextChoices):
    CONNECTED = "connected", "Connected"
    NEEDS_ATTENTION = "needs_attention", "Connect again"
    DISCONNECTED = "disconnected", "Disconnected"


class Connection(ids.HasPublicId, models.Model):
    """One system of one practice, written through `integrations.connections` only.

    `credential` is a JSON object whose keys are the provider's own; nothing of it is shown but
    `last_four`. `settings` is what the practice chose (base URL, field map, calendar, diaries) and
    holds no secret. `error_code` is why it last failed, since `failing_since`. Its
    appointments and busy times are read between the nights too: next at `next_poll_at`. Since
    `catch_up_at`, by the machine's clock, it is connected or set up anew, and the appointments
    ahead have not been compared with it yet.
    """

    PREFIX = "con"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="connections")
    kind = models.CharField(max_length=18, choices=Kind.choices)
    state = models.CharField(
        max_length=15, choices=ConnectionState.choices, default=ConnectionState.CONNECTED
    )
    credential = EncryptedTextField(blank=True)
    last_four = models.CharField(max_length=4, blank=True)
    settings: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict, blank=True)
    connected_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    connected_at = models.DateTimeField()
    disconnected_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=32, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    owners_told_at = models.DateTimeField(null=True, blank=True)
    next_poll_at = models.DateTimeField(null=True, blank=True)
    poll_lease_until = models.DateTimeField(null=True, blank=True)
    polled_at = models.DateTimeField(null=True, blank=True)
    catch_up_at = models.DateTimeField(null=True, blank=True)
    changes_since = models.DateTimeField(
        null=True, blank=True, help_text="Appointment changes are read up to here, by its clock."
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["practice", "kind"], name="one_connection_per_kind"),
            models.CheckConstraint(
                name="a_disconnected_system_keeps_no_credential",
                condition=~models.Q(state="disconnected")
                | models.Q(credential="", disconnected_at__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_poll_at"],
                name="connection_poll_due",
                condition=models.Q(next_poll_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.get_state_display()}"

    @property
    def is_pms(self) -> bool:
        return self.kind in PMS_KINDS

    @property
    def has_unmatched_diaries(self) -> bool:
        """Whether it has diaries, and nobody has said yet which of ours any of them is."""
        return bool(self.settings.get("their_diaries")) and not self.settings.get("diaries")
