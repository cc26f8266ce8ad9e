"""Calls counted against the plan, one row per practice and London calendar month."""

from django.db import models

from practices.models.practice import Practice


class MonthlyUsage(models.Model):
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="usage")
    month = models.DateField(help_text="The first of the month.")
    calls_used = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "month"], name="one_usage_row_a_month")
        ]

    def __str__(self) -> str:
        return f"{self.calls_used} calls in {self.month:%B %Y}"
