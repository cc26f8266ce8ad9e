"""Our appointments in other systems' diaries, and what those diaries keep busy for us."""

from typing import ClassVar

from django.db import models

from integrations.models import Connection
from practices.models import Practice
from recall.models.appointments import Appointment, Diary
from sightsync.lib import ids


class CopyState(models.TextChoices):
    """`accepted` is ours to write; `unknown` is settled by looking, never by writing again."""

    ACCEPTED = "accepted", "To be written"
    WRITING = "writing", "Being written"
    WRITTEN = "written", "Written"
    UNKNOWN = "unknown", "Not known whether it was written"
    FAILED = "failed", "Could not be written"


class AppointmentCopy(ids.HasPublicId, models.Model):
    """One appointment in one connected system. The row exists before anything leaves.

    `wanted` is what should stand there: the appointment's version, or 0 for nothing (cancelled).
    `standing` is what we know stands there, None for nothing yet, ANOTHER_TIME for an entry of ours
    that somebody moved there. `reason` is a code.
    """

    PREFIX = "cpy"
    ANOTHER_TIME = 32_767

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="+")
    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="copies")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="copies")
    state = models.CharField(max_length=8, choices=CopyState.choices, default=CopyState.ACCEPTED)
    wanted = models.PositiveSmallIntegerField()
    standing = models.PositiveSmallIntegerField(null=True, blank=True)
    external_id = models.CharField(max_length=255, blank=True)
    external_version = models.CharField(max_length=128, blank=True, help_text="etag or the like")
    reason = models.CharField(max_length=32, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    written_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "appointment copies"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["appointment", "connection"], name="one_copy_per_system"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_try_at"],
                name="copy_due",
                condition=models.Q(next_try_at__isnull=False),
            ),
            models.Index(fields=["connection", "external_id"], name="copy_by_external_id"),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} {self.state}"


class BusyTime(models.Model):
    """A stretch that another system keeps busy; of one diary, or of all when `diary` is None.

    What is told of it is kept nowhere: only when.
    """

    id = models.BigAutoField(primary_key=True)
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="+")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="busy_times")
    diary = models.ForeignKey(
        Diary, models.CASCADE, null=True, blank=True, related_name="busy_times"
    )
    external_id = models.CharField(max_length=255, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="busy_ends_after_it_starts",
                condition=models.Q(starts_at__lt=models.F("ends_at")),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["practice", "ends_at"], name="busy_of_practice"),
            models.Index(fields=["connection", "external_id"], name="busy_by_external_id"),
        ]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M} to {self.ends_at:%H:%M}"
