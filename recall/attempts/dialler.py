"""Finding the attempts whose time has come and waking jobs for them; planning one call by hand.

Waking gives no permission: a job that is woken twice, late or for nothing finds out from its row.
"""

import math
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from patients.models import Patient
from practices import journal
from practices.journal import Actor
from practices.models import Practice
from recall import episodes
from recall.attempts import carriers
from recall.eligibility import gather
from recall.models import (
    Attempt,
    AttemptState,
    Campaign,
    CampaignState,
    Channel,
    Episode,
    EpisodeState,
    Purpose,
)
from recall.models.attempts import LIVE_STATES
from sightsync.lib import clock, jobs
from sightsync.lib.errors import AppError

TICK_S = 2.0
CANDIDATES = 200
MESSAGES_A_TICK = 50
LONGEST_QUEUE = 100
"""With more than this waiting, the workers are behind or away: waking more would help nobody."""
WOKEN_FOR_S = 10.0
"""How long to leave an attempt that was woken before waking it again (real seconds)."""
BY_HAND_PRIORITY = 1_000_000


@dataclass(slots=True)
class Dialler:
    """Remembers what it has woken lately. Losing that memory costs a few idle jobs."""

    woken: dict[UUID, float] = field(default_factory=dict)

    def run(self, now: datetime) -> int:
        """Wake jobs for what is due; how many."""
        self._forget()
        if jobs.waiting() > LONGEST_QUEUE:
            return 0
        chosen = list(self._choose(now))
        with transaction.atomic():
            # A row that somebody holds is being claimed at this moment: it needs no waking.
            free = list(
                Attempt.objects.select_for_update(skip_locked=True, no_key=True)
                .filter(pk__in=chosen, state=AttemptState.PLANNED)
                .values_list("pk", flat=True)
            )
            for key in sorted(free, key=chosen.index):
                jobs.enqueue("recall.tasks.dial", str(key))
        until = time.monotonic() + WOKEN_FOR_S
        self.woken.update(dict.fromkeys(free, until))
        return len(free)

    def _forget(self) -> None:
        reached = time.monotonic()
        self.woken = {key: until for key, until in self.woken.items() if until > reached}

    def _choose(self, now: datetime) -> Iterator[UUID]:
        """The first of each practice, then the second of each: a big one keeps nobody waiting."""
        calls: Counter[str] = Counter()
        lines: Counter[UUID] = Counter(_lines_in_use())
        messages = 0
        for attempt in due(now)[:CANDIDATES]:
            if attempt.channel != Channel.VOICE:
                if attempt.pk not in self.woken and messages < MESSAGES_A_TICK:
                    messages += 1
                    yield attempt.pk
                continue
            account = carriers.account_of(attempt.practice).sid
            if lines[attempt.practice_id] >= attempt.practice.max_live_calls:
                continue
            lines[attempt.practice_id] += 1
            if attempt.pk not in self.woken and calls[account] < calls_a_tick():
                calls[account] += 1
                yield attempt.pk


def calls_a_tick() -> int:
    """As many calls as the carrier takes between two ticks, and one in hand."""
    spacing = settings.CARRIER_CALL_SPACING_S
    return math.ceil(TICK_S / spacing) + 1 if spacing else CANDIDATES


def due(now: datetime) -> QuerySet[Attempt]:
    """Planned attempts whose time has come and whom nothing holds, fairest first: round by round
    over the practices, within a practice the riskiest and most overdue first.
    """
    held = Q(purpose=Purpose.RECALL) & (
        Q(campaign__isnull=False, campaign__state=CampaignState.PAUSED)
        | Q(episode__isnull=False, episode__paused=True)
    )
    return (
        Attempt.objects.filter(state=AttemptState.PLANNED, due_at__lte=now)
        .filter(practice__contact_stopped_at=None)
        .exclude(held)
        .select_related("practice")
        .annotate(
            round=Window(
                RowNumber(),
                partition_by=[F("practice_id"), F("channel")],
                order_by=[F("priority").desc(), F("due_at").asc(), F("pk").asc()],
            )
        )
        .order_by("round", "-priority", "due_at")
    )


def _lines_in_use() -> dict[UUID, int]:
    rows = Attempt.objects.filter(channel=Channel.VOICE, state__in=LIVE_STATES).exclude(
        state=AttemptState.UNKNOWN
    )
    return Counter(rows.values_list("practice_id", flat=True))


def plan_call(
    *,
    practice: Practice,
    patient: Patient,
    actor: Actor,
    campaign: Campaign | None = None,
    episode: Episode | None = None,
) -> Attempt:
    """Plan one call for now, as somebody asked by name. Twice plans once.

    Raises AppError with the first failed rule's code and status, and `next_allowed_at` when time
    alone will mend it; then nothing is written.
    """
    with transaction.atomic():
        now = clock.now()
        list(Patient.objects.select_for_update(no_key=True).filter(pk=patient.pk).values_list("pk"))
        check_allowed(practice, patient, now)
        if episode is None:
            episode = episodes.ensure_open(
                practice=practice, patients=[patient], campaign=campaign, actor=actor
            )[0]
        # The call takes the chain's turn; what comes of it decides the next step.
        Episode.objects.filter(pk=episode.pk).update(
            state=EpisodeState.CONTACTING,
            reason="voice_planned",
            next_step_at=now + episodes.WATCH,
        )
        planned = Attempt.objects.filter(
            episode=episode,
            channel=Channel.VOICE,
            purpose=Purpose.RECALL,
            state=AttemptState.PLANNED,
        )
        attempt = planned.first()
        if attempt is not None:
            planned.filter(pk=attempt.pk).update(due_at=now, priority=BY_HAND_PRIORITY)
            attempt.refresh_from_db()
            return attempt
        attempt = Attempt.objects.create(
            practice=practice,
            patient=patient,
            episode=episode,
            campaign=campaign or episode.campaign,
            channel=Channel.VOICE,
            purpose=Purpose.RECALL,
            priority=BY_HAND_PRIORITY,
            due_at=now,
            created_at=now,
        )
        journal.record(
            practice=practice,
            action="call.planned",
            actor=actor,
            patient=patient.pk,
            subject=attempt,
        )
    return attempt


def check_allowed(practice: Practice, patient: Patient, now: datetime) -> None:
    """Raises AppError as `plan_call` does. Reads only."""
    verdict = gather.verdict(practice=practice, patient=patient, channel=Channel.VOICE, now=now)
    failure = verdict.first_failure
    if failure is None:
        return
    raise AppError(
        failure.code,
        failure.evidence,
        failure.status,
        reason=failure.code,
        next_allowed_at=verdict.next_allowed_at,
    )
