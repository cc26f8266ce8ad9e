"""What stood in a connected diary when it was last read, where nobody can say what changed."""

from typing import ClassVar

from django.db import models

from integrations.models.connections import Connection
from practices.models import Practice


class SeenAppointment(models.Model):
    """One appointment of the other system: when, in which diary, and a digest of the rest. Whom it
    is for is not kept.

    `changed_at` and `gone_at` are when a reading first found it so; `seen_at` is the last reading
    that found it there. All by our own clock.
    """

    id = models.BigAutoField(primary_key=True)
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="+")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+")
    external_id = models.CharField(max_length=255)
    diary_id = models.CharField(max_length=255, blank=True)
    reference = models.CharField(max_length=40, blank=True)
    digest = models.BinaryField(max_length=16)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["connection", "external_id"], name="one_sight_per_appointment"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M}"
