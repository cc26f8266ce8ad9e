"""The journal's table. Append only: a trigger refuses everything but sealing an unsealed row."""

from typing import Any, ClassVar

from django.db import models

from practices.models.practice import Practice


class JournalEntry(models.Model):
    """One change, in ids and codes. It holds no personal data, so erasure never touches it.

    `sequence` and `hash` are null until the entry is sealed; then sequence counts 1, 2, 3 per
    practice without a gap, and `hash` covers this row and the hash recomputed for the row before.
    """

    id = models.BigAutoField(primary_key=True)
    # Without an index: each of those below begins with it. Without a constraint, which would lock
    # the practice's row once for each entry: whoever writes one has the practice in hand, and
    # nothing deletes a practice that has a journal.
    practice = models.ForeignKey(
        Practice, models.PROTECT, related_name="journal", db_index=False, db_constraint=False
    )
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=48)
    patient_id = models.UUIDField(null=True)
    subject_type = models.CharField(max_length=24, blank=True)
    subject_id = models.CharField(max_length=36, blank=True)
    facts: "models.JSONField[dict[str, Any]]" = models.JSONField(default=dict)
    sequence = models.BigIntegerField(null=True)
    hash = models.BinaryField(max_length=32, null=True)

    class Meta:
        verbose_name_plural = "journal entries"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["practice", "sequence"],
                name="journal_sequence_once",
                condition=models.Q(sequence__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["practice", "id"],
                name="journal_unsealed",
                condition=models.Q(sequence=None),
            ),
            models.Index(fields=["practice", "patient_id", "id"], name="journal_of_patient"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject_type} {self.subject_id}".strip()
