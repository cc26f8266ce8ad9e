"""Plans the reminder of every appointment ahead: one per version of it, never in the night.

A row is only a plan. What it says, and whether anything is said, is decided when it is sent, from
the appointment as it then is (`render`).
"""

from datetime import datetime, timedelta

from django.db.models import (
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Value,
)

from patients.models import NumberKind
from recall.booking import notices
from recall.calling_hours import REMINDERS
from recall.models import Appointment, Attempt, Channel, Purpose
from recall.models.appointments import LIVE_APPOINTMENT, MADE_ELSEWHERE
from sightsync.lib import clock
from sightsync.lib.clock import at_london, london

# Reminders that would fall into the night are sent the evening before, which has to be known then.
AHEAD = timedelta(hours=14)
EVENING_HOUR = 19
LEAST_WARNING = timedelta(hours=2)
JUST_TOLD = timedelta(hours=3)
AT_ONCE = 500


def send_at(*, starts_at: datetime, hours_before: int) -> datetime:
    """When to remind: so many hours before, moved out of the night. Into the morning when two hours
    of warning remain, else to the evening before. Pure.
    """
    wanted = starts_at - timedelta(hours=hours_before)
    local = london(wanted)
    if REMINDERS.start <= local.time() < REMINDERS.end:
        return wanted
    morning_of = (
        local.date() if local.time() < REMINDERS.start else local.date() + timedelta(days=1)
    )
    morning = at_london(morning_of, REMINDERS.start)
    if starts_at - morning >= LEAST_WARNING:
        return morning
    evening = REMINDERS.start.replace(hour=EVENING_HOUR)
    return at_london(morning_of - timedelta(days=1), evening)


def plan(*, limit: int = AT_ONCE) -> int:
    """Plan the reminders that are near; how many. The tick calls this; a repeat plans nothing."""
    now = clock.now()
    rows = []
    for appointment in _unplanned(now).order_by("starts_at")[:limit]:
        channel = notices.channel_for(appointment.patient)
        due_at = send_at(
            starts_at=appointment.starts_at,
            hours_before=appointment.practice.reminder_hours_before,
        )
        if channel is not None:
            rows.append(
                notices.message(
                    appointment=appointment,
                    purpose=Purpose.REMINDER,
                    channel=channel,
                    due_at=max(due_at, now),
                )
            )
    return len(Attempt.objects.bulk_create(rows, ignore_conflicts=True))


def _unplanned(now: datetime) -> QuerySet[Appointment]:
    """Live appointments whose reminder is near, with none planned for this version yet, of patients
    who may and can be reminded. Whoever booked or moved shortly before then has just been told.
    """
    of_this_version = Attempt.objects.filter(
        appointment=OuterRef("pk"), appointment_version=OuterRef("version")
    )
    lead = ExpressionWrapper(
        F("practice__reminder_hours_before") * Value(timedelta(hours=1)),
        output_field=DurationField(),
    )
    return (
        Appointment.objects.alias(lead=lead)
        .filter(
            status__in=LIVE_APPOINTMENT,
            starts_at__gt=now,
            starts_at__lte=now + F("lead") + AHEAD,
            practice__reminder_hours_before__gt=0,
            patient__opted_out_at=None,
            patient__deceased_at=None,
            patient__archived_at=None,
            patient__erased_at=None,
        )
        .exclude(diary=None, source__in=MADE_ELSEWHERE)  # the system that made it reminds
        .exclude(Exists(of_this_version.filter(purpose=Purpose.REMINDER)))
        .exclude(
            Exists(
                of_this_version.filter(
                    purpose=Purpose.CONFIRMATION,
                    created_at__gte=OuterRef("starts_at") - OuterRef("lead") - JUST_TOLD,
                )
            )
        )
        .filter(_can_be_texted() | _can_be_mailed())
        .select_related("practice", "patient")
    )


def _can_be_texted() -> Q:
    """`notices.channel_for` in SQL, so that those whom nothing reaches do not fill every batch."""
    return Q(patient__phone_kind=NumberKind.MOBILE, patient__phone_wrong_at=None) & ~Q(
        patient__opted_out_channels__contains=[Channel.SMS]
    )


def _can_be_mailed() -> Q:
    return Q(patient__email_bounced_at=None) & ~Q(
        Q(patient__email="") | Q(patient__opted_out_channels__contains=[Channel.EMAIL])
    )
