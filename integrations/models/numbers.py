"""Dedicated numbers: bought from the carrier in steps that may take days, and given back."""

from typing import Any, ClassVar

from django.db import models

from practices.models import Practice, User
from sightsync.lib import ids


class NumberState(models.TextChoices):
    """Where the purchase stands. Working states may be resumed by anybody at any time."""

    CHOSEN = "chosen", "Chosen"
    ADDRESS = "address", "Registering your address"
    BUNDLE = "bundle", "Sending the papers"
    REVIEW = "review", "Waiting for the carrier's review"
    REFUSED = "refused", "The papers were refused"
    BUYING = "buying", "Buying the number"
    UNKNOWN = "unknown", "Not known whether it was bought"
    ACTIVE = "active", "In use"
    RELEASING = "releasing", "Giving the number back"
    RELEASED = "released", "Given back"
    FAILED = "failed", "Could not be bought"


OPEN_STATES = (
    NumberState.CHOSEN,
    NumberState.ADDRESS,
    NumberState.BUNDLE,
    NumberState.REVIEW,
    NumberState.REFUSED,
    NumberState.BUYING,
    NumberState.UNKNOWN,
    NumberState.ACTIVE,
    NumberState.RELEASING,
)


class DedicatedNumber(ids.HasPublicId, models.Model):
    """One number of one practice. `papers` is what the carrier asks about the business (name,
    address, registration), not about patients. The `_sid`s are the carrier's ids.
    """

    PREFIX = "num"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="dedicated_numbers")
    phone_number = models.CharField(max_length=16)
    number_type = models.CharField(max_length=8, help_text="local or mobile")
    state = models.CharField(max_length=9, choices=NumberState.choices, default=NumberState.CHOSEN)
    papers: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict, blank=True)
    address_sid = models.CharField(max_length=34, blank=True)
    bundle_sid = models.CharField(max_length=34, blank=True)
    end_user_sid = models.CharField(max_length=34, blank=True)
    document_sid = models.CharField(max_length=34, blank=True)
    number_sid = models.CharField(max_length=34, blank=True)
    replaces = models.CharField(
        max_length=16, blank=True, help_text="The caller number to go back to on release."
    )
    reason = models.CharField(max_length=160, blank=True)
    papers_edition = models.PositiveSmallIntegerField(default=1)
    tries = models.PositiveSmallIntegerField(default=0)
    submitted_at = models.DateTimeField(
        null=True, blank=True, help_text="When the purchase may have left, until its fate is known."
    )
    next_step_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    asked_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    active_at = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["practice"],
                condition=models.Q(state__in=OPEN_STATES),
                name="one_dedicated_number_at_a_time",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_step_at"],
                name="number_step_due",
                condition=models.Q(next_step_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} {self.state}"
