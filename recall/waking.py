"""Finds the recalls that have to be looked at: those whose time has come, those that something has
overtaken, and those that would otherwise be forgotten. Looking at one is `episodes.advance`'s.
"""

from datetime import datetime
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q

from recall.models import Appointment, Attempt, AttemptState, Episode, EpisodeState, StaffTask
from recall.models.appointments import LIVE_APPOINTMENT
from recall.models.attempts import LIVE_STATES
from sightsync.lib import clock

UNFINISHED = (AttemptState.PLANNED, *LIVE_STATES)


def due(now: datetime, limit: int = 200) -> list[UUID]:
    """Open recalls whose next step has come, the earliest first."""
    return list(
        Episode.objects.filter(closed_at=None, paused=False, next_step_at__lte=now)
        .order_by("next_step_at")
        .values_list("pk", flat=True)[:limit]
    )


def wake(now: datetime) -> int:
    """Make due every open recall that is overtaken or forgotten; how many. One UPDATE.

    Overtaken: the patient has opted out, died, been archived or erased, has an appointment ahead,
    or has been tested elsewhere and is no longer due. It may have come by any way in, the practice
    system's nightly sync among them. Forgotten: nothing is planned, nobody is asked, no time is
    set.
    """
    asleep = Q(next_step_at=None) | Q(next_step_at__gt=now)
    return (
        Episode.objects.filter(asleep, _overtaken(now) | _forgotten(), closed_at=None)
        .order_by()
        .update(next_step_at=now)
    )


def _overtaken(now: datetime) -> Q:
    gone = (
        Q(patient__opted_out_at__isnull=False)
        | Q(patient__deceased_at__isnull=False)
        | Q(patient__archived_at__isnull=False)
        | Q(patient__erased_at__isnull=False)
    )
    tested = Q(patient__next_clinical_due_date__gt=clock.london(now).date()) & Q(
        patient__next_clinical_due_date__gt=F("cycle_due_date"),
        cycle_due_date__lte=F("opened_at__date"),
    )
    booked = Appointment.objects.filter(
        patient=OuterRef("patient_id"), status__in=LIVE_APPOINTMENT, starts_at__gt=now
    )
    return gone | tested | Q(Exists(booked))


def _forgotten() -> Q:
    """Nobody has been asked, and either staff should have been or nothing else will happen."""
    asked = StaffTask.objects.filter(patient=OuterRef("patient_id"), done_at=None)
    unfinished = Attempt.objects.filter(episode=OuterRef("pk"), state__in=UNFINISHED)
    stuck = Q(state=EpisodeState.NEEDS_STAFF) | (Q(next_step_at=None) & ~Q(Exists(unfinished)))
    return stuck & ~Q(Exists(asked))
