"""Imports of exported files: what was uploaded and decided, how far it is, and what undoes it."""

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from patients.models.patient import Patient
from practices.models import Practice, User
from sightsync.lib import ids


class ImportState(models.TextChoices):
    """`draft` is before the first row is written: the person matches, fixes and checks."""

    DRAFT = "draft", "Not started"
    QUEUED = "queued", "Waiting to start"
    RUNNING = "running", "Importing"
    DONE = "done", "Imported"
    FAILED = "failed", "Stopped"
    DISCARDED = "discarded", "Discarded"
    UNDOING = "undoing", "Being undone"
    UNDONE = "undone", "Undone"


class ImportRun(ids.HasPublicId, models.Model):
    """One file of one practice. `rows_read` = created + updated + unchanged + rejected when it is
    done; `position` is the number of rows dealt with so far, moved in the transaction that writes
    them, so that a killed import goes on where it stopped.

    `mapping` has the `header`, the `columns` (field by place), the places that are `sure`, the
    order of `dates` by field and the `questions` about it; `fixes` by row number has new cells by
    field, or null where the row was left out. `surveyed` is how many rows have been judged so far.
    """

    PREFIX = "imp"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="imports")
    file_sha256 = models.CharField(max_length=64)
    file_name = models.CharField(max_length=120, blank=True)
    file_bytes = models.PositiveIntegerField(default=0)
    asked_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=9, choices=ImportState.choices, default=ImportState.DONE)
    mapping: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict, blank=True)
    fixes: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict, blank=True)
    forecast: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict, blank=True)
    surveyed = models.PositiveIntegerField(default=0)
    position = models.PositiveIntegerField(default=0)
    rows_total = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    rows_read = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    suppressed = models.PositiveIntegerField(default=0)
    unknown_risks = models.PositiveIntegerField(default=0)
    error_code = models.CharField(max_length=32, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    undone: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["practice", "file_sha256"]),
            models.Index(fields=["practice", "-created_at"], name="import_newest"),
            models.Index(
                fields=["lease_until"],
                name="import_open",
                condition=models.Q(state__in=["queued", "running", "undoing"]),
            ),
        ]

    def __str__(self) -> str:
        return f"Import of {self.rows_read} rows"


class ImportFile(models.Model):
    """The uploaded rows, packed and encrypted; deleted when the import ends or is discarded."""

    run = models.OneToOneField(
        ImportRun, models.CASCADE, primary_key=True, related_name="stored_file"
    )
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="+")
    content = models.BinaryField()

    def __str__(self) -> str:
        return f"File of {self.run_id}"


class ImportReject(models.Model):
    """A row that was not imported: its number in the file, its cells, and why. Kept 30 days."""

    id = models.BigAutoField(primary_key=True)
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="+")
    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="rejects")
    row_number = models.PositiveIntegerField()
    cells: "models.JSONField[list[str]]" = models.JSONField(default=list)
    reasons: "models.JSONField[list[str]]" = models.JSONField(default=list)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "row_number"], name="one_reject_per_row"),
        ]

    def __str__(self) -> str:
        return f"Row {self.row_number}"


class ImportChunk(models.Model):
    """The rows that were written in one transaction: the first of them, and the records created.
    Kept 30 days.
    """

    id = models.BigAutoField(primary_key=True)
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="+")
    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="chunks")
    position = models.PositiveIntegerField()
    created = ArrayField(models.UUIDField(), default=list)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "position"], name="one_chunk_per_position"),
        ]

    def __str__(self) -> str:
        return f"Rows from {self.position}"


class ImportChange(models.Model):
    """What the import changed of one record. `before` and `after` have the columns it changed, as
    the table holds them (encrypted ones stay encrypted). Kept 30 days.
    """

    id = models.BigAutoField(primary_key=True)
    # Written by the thousand, in transactions that hold the run: a check of each row would find
    # what is locked anyway. They are looked for by run, which the unique index begins with.
    practice = models.ForeignKey(
        Practice, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    run = models.ForeignKey(
        ImportRun, models.CASCADE, related_name="changes", db_index=False, db_constraint=False
    )
    patient = models.ForeignKey(Patient, models.CASCADE, related_name="+")
    before: "models.JSONField[dict[str, Any] | None]" = models.JSONField(null=True)
    after: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "patient"], name="one_change_per_import"),
        ]

    def __str__(self) -> str:
        return f"{self.patient_id}"


class ImportMapping(models.Model):
    """How a practice matched a header the last time: field by column name."""

    practice = models.ForeignKey(Practice, models.CASCADE, related_name="+")
    header_sha256 = models.CharField(max_length=64)
    mapping: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict)
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["practice", "header_sha256"], name="one_mapping_per_header"
            ),
        ]

    def __str__(self) -> str:
        return f"Mapping of {self.updated_at:%Y-%m-%d}"
