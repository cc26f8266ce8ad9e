"""Signs of life of the processes, and how often a job was tried."""

from django.db import models


class Heartbeat(models.Model):
    """The last time a process did real work; `at` is the machine's time, not the pretend one."""

    name = models.CharField(primary_key=True, max_length=40)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%H:%M:%S}"


class JobTry(models.Model):
    """Counted before a job runs: the queue's own count misses a job that kills its worker."""

    key = models.CharField(primary_key=True, max_length=120)
    tries = models.PositiveSmallIntegerField(default=0)
    first_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.key}: {self.tries}"
