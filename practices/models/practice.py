"""The practice: the tenant that every other row belongs to, and its policy for recalls."""

from datetime import time

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from sightsync.lib import ids


class Mode(models.TextChoices):
    SANDBOX = "sandbox", "Sandbox"
    LIVE = "live", "Live"


class Nation(models.TextChoices):
    """Whose bank holidays count; the codes are the subdivisions of the `holidays` library."""

    ENGLAND = "ENG", "England"
    WALES = "WLS", "Wales"
    SCOTLAND = "SCT", "Scotland"
    NORTHERN_IRELAND = "NIR", "Northern Ireland"


class Plan(models.TextChoices):
    STARTER = "starter", "Starter"
    GROWTH = "growth", "Growth"
    PRACTICE = "practice", "Practice"
    GROUP = "group", "Group"


class SubscriptionStatus(models.TextChoices):
    TRIALING = "trialing", "Trial"
    ACTIVE = "active", "Active"
    PAST_DUE = "past_due", "Payment overdue"
    CANCELLED = "cancelled", "Cancelled"


def monday_to_friday() -> list[int]:
    return [0, 1, 2, 3, 4]


class Practice(ids.HasPublicId, models.Model):
    """Times of day are London wall time; weekdays count from Monday = 0."""

    PREFIX = "prc"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    name = models.CharField(max_length=120)
    mode = models.CharField(max_length=8, choices=Mode.choices, default=Mode.SANDBOX)
    time_zone = models.CharField(max_length=40, default="Europe/London", editable=False)
    nation = models.CharField(max_length=3, choices=Nation.choices, default=Nation.ENGLAND)
    address = models.CharField(max_length=250, blank=True)
    phone_number = models.CharField(
        max_length=16, blank=True, help_text="Where patients reach the practice, as +44..."
    )
    caller_number = models.CharField(
        max_length=16, blank=True, help_text="The number that calls and texts come from, as +44..."
    )
    email = models.EmailField(blank=True, help_text="Where patients' replies to emails go.")

    # When we may ring. Narrower than Monday to Friday 9 to 6 if the practice likes, never wider.
    calling_from = models.TimeField(default=time(9))
    calling_until = models.TimeField(default=time(18))
    calling_weekdays = ArrayField(models.SmallIntegerField(), default=monday_to_friday)
    rings_on_bank_holidays = models.BooleanField(default=False)
    max_live_calls = models.PositiveSmallIntegerField(
        default=5, validators=[MinValueValidator(1), MaxValueValidator(50)]
    )
    contact_stopped_at = models.DateTimeField(
        null=True, blank=True, help_text="Set while the practice-wide stop switch is on."
    )

    # Who is due when. Months by risk category; a category not named has the product's default.
    recall_intervals = models.JSONField(default=dict, blank=True)

    # What follows an unanswered call.
    whatsapp_enabled = models.BooleanField(default=True)
    whatsapp_delay_minutes = models.PositiveIntegerField(default=30)
    whatsapp_number = models.CharField(max_length=16, blank=True)
    whatsapp_recall_template = models.CharField(max_length=34, blank=True)
    email_enabled = models.BooleanField(default=True)
    email_delay_minutes = models.PositiveIntegerField(default=24 * 60)
    reminder_hours_before = models.PositiveSmallIntegerField(default=24)

    # Appointments.
    appointment_minutes = models.PositiveSmallIntegerField(
        default=30, validators=[MinValueValidator(5), MaxValueValidator(240)]
    )
    booking_notice_minutes = models.PositiveIntegerField(default=120)
    booking_horizon_days = models.PositiveSmallIntegerField(default=42)

    # Wording that the practice approves. Blank means the product's own.
    examination_words = models.CharField(max_length=80, blank=True, default="eye examination")
    symptom_advice = models.TextField(blank=True)
    records_calls = models.BooleanField(default=True)

    # What is paid for.
    plan = models.CharField(max_length=8, choices=Plan.choices, default=Plan.STARTER)
    subscription_status = models.CharField(
        max_length=9, choices=SubscriptionStatus.choices, default=SubscriptionStatus.TRIALING
    )

    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="practice_calling_window_is_not_wider_than_the_law",
                condition=models.Q(calling_from__gte=time(9), calling_until__lte=time(18))
                & models.Q(calling_from__lt=models.F("calling_until")),
            ),
            models.CheckConstraint(
                name="practice_calls_on_weekdays_only",
                condition=models.Q(calling_weekdays__contained_by=[0, 1, 2, 3, 4]),
            ),
        ]

    def __str__(self) -> str:
        return self.name
