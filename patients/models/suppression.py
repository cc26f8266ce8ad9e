"""Numbers and addresses that must not be contacted, as keyed hashes that outlive the patient."""

from typing import ClassVar

from django.db import models

from practices.models import Practice


class SuppressionKind(models.TextChoices):
    PHONE = "phone", "Phone number"
    EMAIL = "email", "Email address"


class Suppression(models.Model):
    """`channel` is `all` or one channel. Never deleted, only lifted by its owner's word."""

    practice = models.ForeignKey(Practice, models.CASCADE, related_name="suppressions")
    kind = models.CharField(max_length=5, choices=SuppressionKind.choices)
    hash = models.BinaryField(max_length=32)
    channel = models.CharField(max_length=8, default="all")
    source = models.CharField(max_length=20)
    created_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["practice", "kind", "hash", "channel"], name="suppressed_once_per_channel"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} suppressed ({self.channel})"
