"""The diary as lists: a week, what has not been marked, what a patient was told."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import QuerySet

from practices.models import Practice
from recall.models import Appointment, AppointmentStatus, Attempt
from recall.models.appointments import LIVE_APPOINTMENT
from recall.selectors.copies import IN_SYSTEMS
from sightsync.lib import clock


def appointments_between(practice: Practice, first: date, last: date) -> QuerySet[Appointment]:
    """Appointments of the London days first..last, both included, cancelled ones left out."""
    return (
        Appointment.objects.filter(
            practice=practice,
            starts_at__gte=clock.at_london(first, time()),
            starts_at__lt=clock.at_london(last + timedelta(days=1), time()),
        )
        .exclude(status=AppointmentStatus.CANCELLED)
        .select_related("patient", "diary")
        .prefetch_related(IN_SYSTEMS)
        .order_by("starts_at", "diary__name")
    )


@dataclass(frozen=True, slots=True)
class Day:
    date: date
    is_today: bool
    visits: tuple[Appointment, ...]


def week(practice: Practice, monday: date) -> list[Day]:
    """Monday to Friday, and the weekend days that have an appointment."""
    by_day: dict[date, list[Appointment]] = {}
    for row in appointments_between(practice, monday, monday + timedelta(days=6)):
        by_day.setdefault(clock.london(row.starts_at).date(), []).append(row)
    days = [monday + timedelta(days=offset) for offset in range(7)]
    return [
        Day(day, day == clock.today(), tuple(by_day.get(day, ())))
        for day in days
        if day.weekday() < 5 or day in by_day
    ]


def awaiting_mark(practice: Practice, before: datetime) -> QuerySet[Appointment]:
    """Over, but nobody has said whether the patient came."""
    return (
        Appointment.objects.filter(
            practice=practice, ends_at__lt=before, status__in=LIVE_APPOINTMENT
        )
        .select_related("patient", "diary")
        .order_by("-starts_at")
    )


def messages_of(appointment: Appointment) -> QuerySet[Attempt]:
    """Confirmations, reminders and notices of one appointment, newest first."""
    return Attempt.objects.filter(appointment=appointment).order_by("-created_at")
