"""The sandbox's clock, and the pace each carrier account has to keep."""

from django.db import models


class SandboxClock(models.Model):
    """One row (id 1): at real time `real_anchor` it was `pretend_anchor`, running at `rate`."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    real_anchor = models.DateTimeField()
    pretend_anchor = models.DateTimeField()
    rate = models.FloatField(default=1.0)

    def __str__(self) -> str:
        return f"{self.pretend_anchor:%Y-%m-%d %H:%M} at rate {self.rate:g}"


class CarrierPace(models.Model):
    """When the next call of a carrier account may leave: at most one a second (machine's time)."""

    account = models.CharField(primary_key=True, max_length=64)
    next_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.account[:6]}…"
