"""Keys of the public API. Only a hash is kept; the key is shown once."""

from datetime import date, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models

from practices.models.practice import Practice
from sightsync.lib import clock, ids


class ApiKey(ids.HasPublicId, models.Model):
    PREFIX = "key"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=20)
    last_four = models.CharField(max_length=4)
    key_hash = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=8), default=list)
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.prefix}…{self.last_four}"

    @property
    def last_day(self) -> date | None:
        """The last day, in London, on which the key lets anybody in."""
        if self.expires_at is None:
            return None
        return clock.london(self.expires_at - timedelta(microseconds=1)).date()
