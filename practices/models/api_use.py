"""Rows of the API itself: how often a key was used this minute, and answers to be replayed."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from practices.models.api_keys import ApiKey
from sightsync.lib.crypto import EncryptedTextField


class ApiCount(models.Model):
    """Requests of a key in its present window. The table is UNLOGGED: a count costs no disk flush,
    and a crash of the database forgets the counts of one minute.
    """

    key = models.OneToOneField(
        ApiKey, models.CASCADE, primary_key=True, db_constraint=False, related_name="count"
    )
    started_at = models.DateTimeField()
    hits = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.hits} since {self.started_at:%H:%M:%S}"


class StoredAnswer(models.Model):
    """The answer to a POST with an Idempotency-Key, for 24 hours. `status` is null while it runs.

    The caller's key and body are kept as hashes, the answer encrypted.
    """

    api_key = models.ForeignKey(ApiKey, models.CASCADE, related_name="stored_answers")
    request_hash = models.BinaryField(max_length=32, help_text="Of the path and the key given.")
    body_hash = models.BinaryField(max_length=32)
    created_at = models.DateTimeField()
    locked_until = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    headers: "models.JSONField[dict[str, str]]" = models.JSONField(default=dict)
    answer = EncryptedTextField(blank=True)
    patients = ArrayField(
        models.UUIDField(), default=list, help_text="Whom the answer is about, for their erasure."
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["api_key", "request_hash"], name="one_answer_per_idempotency_key"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="stored_answer_by_age")]

    def __str__(self) -> str:
        return f"{self.status or 'running'} since {self.created_at:%H:%M:%S}"
