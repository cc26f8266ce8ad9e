"""Imports that were run, so that the same file twice can be told and counted."""

from typing import ClassVar

from django.db import models

from practices.models import Practice
from sightsync.lib import ids


class ImportRun(ids.HasPublicId, models.Model):
    PREFIX = "imp"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="imports")
    file_sha256 = models.CharField(max_length=64)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    rows_read = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["practice", "file_sha256"])]

    def __str__(self) -> str:
        return f"Import of {self.rows_read} rows"
