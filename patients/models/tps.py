"""What is known of the loaded TPS and CTPS registers. The numbers themselves live in the tables
`tps_number` and `ctps_number` (each `n bigint primary key`), made and swapped by `patients.tps`.
"""

from typing import ClassVar

from django.db import models


class TpsListing(models.IntegerChoices):
    """On which register a number stands: a bit for each."""

    CLEAR = 0, "Not listed"
    TPS = 1, "TPS"
    CTPS = 2, "CTPS"
    BOTH = 3, "TPS/CTPS"


class RegisterList(models.TextChoices):
    """Which list a licensed file holds; the file itself does not say."""

    TPS = "tps", "TPS"
    CTPS = "ctps", "CTPS"
    BOTH = "both", "TPS and CTPS in one file"


class TpsRegister(models.Model):
    """One load of a licensed file. Those with `current` set are in force: one file of both lists,
    or one of each. `applied_at` is set when every patient's flag agrees with it.
    """

    listing = models.CharField(
        max_length=4, choices=RegisterList.choices, default=RegisterList.BOTH
    )
    register_date = models.DateField(help_text="The state of the register that the file reflects.")
    loaded_at = models.DateTimeField()
    numbers = models.PositiveBigIntegerField()
    file_sha256 = models.CharField(max_length=64)
    current = models.BooleanField(default=False)
    applied_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["listing"],
                condition=models.Q(current=True),
                name="one_current_register_per_list",
            )
        ]

    def __str__(self) -> str:
        return f"Register of {self.register_date:%d %B %Y}"
