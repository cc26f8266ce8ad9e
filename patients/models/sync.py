"""The nightly reading of a practice management system: each run, and what we last saw."""

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from integrations.models import Connection
from patients.models.patient import Patient
from practices.models import Practice
from sightsync.lib import ids


class SyncScope(models.TextChoices):
    CHANGES = "changes", "What changed"
    FULL = "full", "Everything"


class SyncState(models.TextChoices):
    PLANNED = "planned", "Planned"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


class SyncRun(ids.HasPublicId, models.Model):
    """One reading of one connection. `night` is the London date it belongs to, None when somebody
    asked for it. `cursor` is where the next page begins; it and the counts move in the transaction
    that writes the page, so that a killed run goes on where it stopped.

    patients read = created + updated + unchanged + rejected. `since` is what the system was asked
    for, `as_of` where the next run asks from, both by the system's own clock. `lease_until` is by
    the machine's clock and tells the holder of the run from one that lost it. `gone_accepted`: a
    person has said that the many who are gone from the system really are.
    """

    PREFIX = "syn"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="sync_runs")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="sync_runs")
    scope = models.CharField(max_length=7, choices=SyncScope.choices)
    night = models.DateField(null=True, blank=True)
    state = models.CharField(max_length=7, choices=SyncState.choices, default=SyncState.PLANNED)
    step = models.CharField(max_length=12, blank=True, help_text="patients or appointments")
    cursor = models.CharField(max_length=400, blank=True)
    since = models.DateTimeField(null=True, blank=True)
    as_of = models.DateTimeField(null=True, blank=True)
    pages = models.PositiveIntegerField(default=0)
    read = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    archived = models.PositiveIntegerField(default=0)
    appointments = models.PositiveIntegerField(default=0)
    reasons: "models.JSONField[dict[str, Any]]" = models.JSONField(
        default=dict, blank=True, help_text="Rejected records by code."
    )
    due_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    error_code = models.CharField(max_length=32, blank=True)
    gone_accepted = models.BooleanField(default=False)
    owners_told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["connection", "night"],
                condition=models.Q(night__isnull=False),
                name="one_sync_per_connection_and_night",
            ),
            models.UniqueConstraint(
                fields=["connection"],
                condition=models.Q(state__in=["planned", "running"]),
                name="one_open_sync_per_connection",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"],
                name="sync_due",
                condition=models.Q(state__in=["planned", "running"]),
            ),
            models.Index(fields=["connection", "-due_at"], name="sync_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()}: {self.state}"


class SyncSeen(models.Model):
    """The ids on one page of a reading that will say who is gone; deleted when the run ends."""

    id = models.BigAutoField(primary_key=True)
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="+")
    run = models.ForeignKey(SyncRun, models.CASCADE, related_name="seen")
    step = models.CharField(max_length=12)
    ids = ArrayField(models.CharField(max_length=255), default=list)

    class Meta:
        verbose_name_plural = "sync seen"

    def __str__(self) -> str:
        return f"{self.step} of {self.run_id}"


class PmsRecord(models.Model):
    """What a system last told us of one patient: the digest of it, so that the unchanged cost no
    write. `marks` is a short keyed digest of each field, so that only what changed there is taken
    over and a correction made here stays. `patient` is None while the record is rejected, or put
    away there before we knew it; `code` is why. Since `gone_at` it is gone or put away there.
    """

    id = models.BigAutoField(primary_key=True)
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="+")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+")
    external_id = models.CharField(max_length=64)
    digest = models.BinaryField(max_length=16)
    marks: "models.JSONField[dict[str, str]]" = models.JSONField(default=dict)
    patient = models.ForeignKey(
        Patient, models.CASCADE, null=True, blank=True, related_name="pms_records"
    )
    code = models.CharField(max_length=32, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["connection", "external_id"], name="one_record_per_pms_patient"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.connection_id} record"
