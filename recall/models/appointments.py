"""Diaries, their hours and closures, appointments, and the private links patients are sent."""

from datetime import time
from typing import ClassVar

from django.db import models

from patients.models import Patient
from practices.models import Practice
from sightsync.lib import ids


class Diary(ids.HasPublicId, models.Model):
    """One clinician or room. Its row is what booking locks."""

    PREFIX = "dia"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="diaries")
    name = models.CharField(max_length=80)
    buffer_minutes = models.PositiveSmallIntegerField(default=0)
    active = models.BooleanField(default=True)

    class Meta:
        verbose_name_plural = "diaries"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["practice", "name"], name="one_diary_per_name")
        ]

    def __str__(self) -> str:
        return self.name


class DiaryHours(models.Model):
    """Open from..until on a weekday (Monday = 0), London wall time; several a day are fine."""

    practice = models.ForeignKey(Practice, models.CASCADE, related_name="+")
    diary = models.ForeignKey(Diary, models.CASCADE, related_name="hours")
    weekday = models.PositiveSmallIntegerField()
    opens = models.TimeField()
    closes = models.TimeField()

    class Meta:
        verbose_name_plural = "diary hours"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="diary_opens_before_it_closes",
                condition=models.Q(opens__lt=models.F("closes")),
            ),
            models.CheckConstraint(name="diary_weekday", condition=models.Q(weekday__lte=6)),
        ]

    def __str__(self) -> str:
        return f"{self.weekday}: {self.opens:%H:%M} to {self.closes:%H:%M}"


class Closure(models.Model):
    """Days on which a diary, or the whole practice, is closed. Both dates are included."""

    practice = models.ForeignKey(Practice, models.CASCADE, related_name="closures")
    diary = models.ForeignKey(Diary, models.CASCADE, null=True, blank=True, related_name="closures")
    first_day = models.DateField()
    last_day = models.DateField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="closure_ends_after_it_starts",
                condition=models.Q(first_day__lte=models.F("last_day")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.first_day} to {self.last_day}"


NO_TIME = time(23, 59)
"""Where an appointment stands of which only the day is known, on a London clock."""


MADE_ELSEWHERE = ("api", "pms")


class AppointmentStatus(models.TextChoices):
    BOOKED = "booked", "Booked"
    CONFIRMED = "confirmed", "Confirmed"
    CANCELLED = "cancelled", "Cancelled"
    NO_SHOW = "no_show", "Did not attend"
    ATTENDED = "attended", "Attended"


LIVE_APPOINTMENT = (AppointmentStatus.BOOKED, AppointmentStatus.CONFIRMED)


class Appointment(ids.HasPublicId, models.Model):
    """`version` counts the times it was moved: a confirmation is sent once per version.

    One made elsewhere may have a day and no time: `has_time` is then false and `starts_at` the last
    minute of that day (`NO_TIME`), so that the patient is expected all day.
    """

    PREFIX = "apt"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="appointments")
    diary = models.ForeignKey(
        Diary, models.PROTECT, null=True, blank=True, related_name="appointments"
    )
    patient = models.ForeignKey(Patient, models.CASCADE, related_name="appointments")
    episode = models.ForeignKey(
        "recall.Episode", models.SET_NULL, null=True, blank=True, related_name="appointments"
    )
    attempt = models.ForeignKey(
        "recall.Attempt", models.SET_NULL, null=True, blank=True, related_name="appointments"
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    has_time = models.BooleanField(default=True)
    status = models.CharField(
        max_length=9, choices=AppointmentStatus.choices, default=AppointmentStatus.BOOKED
    )
    version = models.PositiveSmallIntegerField(default=1)
    source = models.CharField(max_length=12, help_text="call, link, staff, api or pms")
    created_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["diary", "starts_at"],
                condition=models.Q(status__in=LIVE_APPOINTMENT),
                name="one_live_appointment_per_slot",
            ),
            models.CheckConstraint(
                name="appointment_ends_after_it_starts",
                condition=models.Q(starts_at__lt=models.F("ends_at")),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["practice", "starts_at"], name="appointment_by_time"),
            models.Index(fields=["patient", "starts_at"], name="appointment_of_patient"),
            models.Index(
                fields=["starts_at"],
                name="appointment_live",
                condition=models.Q(status__in=LIVE_APPOINTMENT),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M} {self.status}"

    @property
    def made_elsewhere(self) -> bool:
        """Another system made it, keeps it, and tells the patient of it."""
        return self.diary_id is None and self.source in MADE_ELSEWHERE


class LinkKind(models.TextChoices):
    BOOKING = "booking", "Booking"
    OPT_OUT = "opt_out", "Opt out"
    CALENDAR = "calendar", "Calendar file"


class PatientLink(models.Model):
    """A private link. Only the hash of its 256-bit token is kept, so it can be sent once only."""

    Kind = LinkKind

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="+")
    patient = models.ForeignKey(Patient, models.CASCADE, related_name="links")
    episode = models.ForeignKey(
        "recall.Episode", models.CASCADE, null=True, blank=True, related_name="links"
    )
    appointment = models.ForeignKey(
        Appointment, models.CASCADE, null=True, blank=True, related_name="links"
    )
    attempt = models.ForeignKey(
        "recall.Attempt", models.SET_NULL, null=True, blank=True, related_name="links"
    )
    kind = models.CharField(max_length=8, choices=LinkKind.choices)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.get_kind_display()} link"
