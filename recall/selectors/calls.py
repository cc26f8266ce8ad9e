"""The log of calls, and one attempt with what belongs to it."""

import re
from datetime import date, time, timedelta

from django.db.models import Prefetch, Q, QuerySet

from practices.models import Practice
from recall.models import Appointment, Attempt, CallTurn, Channel, Outcome
from recall.models.attempts import LIVE_STATES
from recall.selectors.funnel import KEPT
from sightsync.lib import clock


def calls(practice: Practice) -> QuerySet[Attempt]:
    """Every call that was planned or made, newest first."""
    return (
        Attempt.objects.filter(practice=practice, channel=Channel.VOICE)
        .select_related("patient", "campaign")
        .order_by("-created_at", "-pk")
    )


def call_with_turns(practice: Practice) -> QuerySet[Attempt]:
    """For one attempt's page: turns and callbacks with it."""
    return (
        Attempt.objects.filter(practice=practice)
        .select_related("patient", "campaign", "episode")
        .prefetch_related(
            Prefetch("turns", CallTurn.objects.order_by("number")),
            "events",
            Prefetch("appointments", Appointment.objects.filter(status__in=KEPT)),
        )
    )


def of_person(rows: QuerySet[Attempt], text: str) -> QuerySet[Attempt]:
    """Those whose patient has every word in the name, or whose number ends in the digits."""
    digits = re.sub(r"[\s()+-]", "", text)
    if digits.isdigit():
        ending = digits.removeprefix("44").lstrip("0")
        return rows.filter(
            Q(destination__endswith=ending) | Q(patient__phone_number__endswith=ending)
        )
    for word in text.split():
        rows = rows.filter(
            Q(patient__first_name__icontains=word) | Q(patient__last_name__icontains=word)
        )
    return rows


SPOKEN = frozenset(
    {
        Outcome.BOOKED,
        Outcome.DECLINED,
        Outcome.OPTED_OUT,
        Outcome.WRONG_PERSON,
        Outcome.DECEASED,
        Outcome.CALL_BACK,
        Outcome.NEEDS_STAFF,
        Outcome.SYMPTOMS,
        Outcome.ANSWERED,
        Outcome.HUNG_UP,
    }
)

OF_CALLS = SPOKEN | {Outcome.VOICEMAIL, Outcome.NO_ANSWER, Outcome.BUSY, Outcome.FAILED}


def with_outcome(rows: QuerySet[Attempt], outcome: str) -> QuerySet[Attempt]:
    """Narrowed to an outcome, to `live` ones or to those where somebody was `spoken` to."""
    if outcome == "live":
        return rows.filter(state__in=LIVE_STATES)
    if outcome == "spoken":
        return rows.filter(outcome__in=SPOKEN)
    return rows.filter(outcome=outcome) if outcome else rows


def on_day(rows: QuerySet[Attempt], day: date) -> QuerySet[Attempt]:
    """Those of one London day."""
    start = clock.at_london(day, time())
    return rows.filter(
        created_at__gte=start, created_at__lt=clock.at_london(day + timedelta(days=1), time())
    )


def attempts_of_episode(attempt: Attempt) -> QuerySet[Attempt]:
    """The other calls and messages of the same recall, newest first."""
    rows = Attempt.objects.filter(practice=attempt.practice_id, patient=attempt.patient_id)
    return (
        rows.filter(episode=attempt.episode_id).exclude(pk=attempt.pk).order_by("-created_at")[:12]
    )
