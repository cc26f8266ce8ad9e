"""The recall of one patient from being due to its end: the one door through which an episode is
opened, moved on and closed.

It carries out what `chain` decides and plans the next attempt; it never sends anything.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from patients.models import Patient
from practices import journal
from practices.journal import Actor
from practices.models import Practice
from recall import chain, history, staff_tasks
from recall.chain import Close, Decision, NeedsStaff, NextStep, Wait
from recall.models import (
    Attempt,
    AttemptState,
    Campaign,
    Channel,
    Episode,
    EpisodeState,
    Purpose,
    StaffTask,
    TaskKind,
)
from recall.models.episodes import OPEN_STATES
from recall.priority import RISK_ORDER, priority
from sightsync.lib import clock

# A planned attempt is looked after by the dialler; should it be lost, the recall looks again.
WATCH = timedelta(days=1)

# For these a letter or a call by a person is worth while when the machine has found no way.
HIGH_RISK = frozenset(RISK_ORDER[:3])


@transaction.atomic
def ensure_open(
    *,
    practice: Practice,
    patients: Iterable[Patient],
    campaign: Campaign | None,
    actor: Actor,
) -> list[Episode]:
    """Every patient's open episode, opening those that have none; in six queries for any number.

    Where two do it at once the constraint of one open episode per patient lets one in, and both get
    that one. An episode that belongs to no campaign yet, or to one that is over, joins this one.
    """
    now, today = clock.now(), clock.today()
    people = {patient.pk: patient for patient in patients}
    have = set(_open_of(practice, people).values_list("patient_id", flat=True))
    new = [
        Episode(
            practice=practice,
            patient=patient,
            campaign=campaign,
            cycle_due_date=patient.next_clinical_due_date,
            state=EpisodeState.DUE,
            reason="not_started",
            next_step_at=now,
            priority=priority(
                risk=patient.risk_category, due=patient.next_clinical_due_date, today=today
            ),
            opened_at=now,
        )
        for patient in people.values()
        if patient.pk not in have
    ]
    Episode.objects.bulk_create(new, ignore_conflicts=True, batch_size=1000)
    if campaign is not None:
        _open_of(practice, people).filter(
            Q(campaign=None) | Q(campaign__ended_at__isnull=False)
        ).update(campaign=campaign, paused=False)
    found = list(_open_of(practice, people).order_by("-priority", "pk"))
    ours = {episode.pk for episode in new}
    journal.record_many(
        journal.entry(
            practice=practice,
            action="recall.opened",
            actor=actor,
            patient=episode.patient_id,
            subject=episode,
            facts={"campaign": campaign.public_id} if campaign is not None else None,
        )
        for episode in found
        if episode.pk in ours
    )
    return found


def _open_of(practice: Practice, people: Iterable[UUID]) -> QuerySet[Episode]:
    return Episode.objects.filter(practice=practice, patient__in=list(people), closed_at=None)


def advance(*, episode: Episode, actor: Actor, now: datetime | None = None) -> Decision | None:
    """Look at everything afresh and carry out what the chain says; what it said, None when closed.

    Safe to call at any time and any number of times: the same facts plan nothing twice. A paused
    episode only ends or goes to staff; it plans nothing.
    """
    with transaction.atomic():
        locked = _lock(episode)
        if locked is None or locked.closed_at is not None:
            return None
        now = now or clock.now()
        past = history.of(locked, now)
        decision = chain.next_step(past, history.policy_of(locked.practice), now)
        _carry_out(locked, decision, now, actor)
    return decision


def close(*, episode: Episode, state: EpisodeState, reason: str, actor: Actor) -> bool:
    """Close it and cancel what it had planned, in one transaction; whether this did.

    What is claimed already sees it as the last thing before sending. Raises ValueError for a state
    that is not an end.
    """
    if state in OPEN_STATES:
        raise ValueError(f"{state} is no end")
    with transaction.atomic():
        locked = _lock(episode)
        if locked is None or locked.closed_at is not None:
            return False
        _close(locked, EpisodeState(state), reason, clock.now(), actor)
    return True


def end(*, episode: Episode, reason: str, actor: Actor) -> bool:
    """Close it for a reason of the practice's own (a stopped campaign); whether this did."""
    return close(episode=episode, state=EpisodeState.ENDED, reason=reason, actor=actor)


def close_for(
    *, patient: Patient, state: EpisodeState, reason: str, actor: Actor
) -> Episode | None:
    """Close the patient's open episode, if there is one, and say which it was."""
    episode = Episode.objects.filter(
        practice=patient.practice_id, patient=patient, closed_at=None
    ).first()
    if episode is None or not close(episode=episode, state=state, reason=reason, actor=actor):
        return None
    return episode


def _lock(episode: Episode) -> Episode | None:
    """Lock the patient, then the episode: the order of everything that changes a patient's
    contacts.
    """
    list(
        Patient.objects.select_for_update(no_key=True)
        .filter(pk=episode.patient_id)
        .values_list("pk")
    )
    return (
        Episode.objects.select_for_update(no_key=True, of=("self",))
        .select_related("practice", "patient", "campaign")
        .filter(pk=episode.pk)
        .first()
    )


def _carry_out(episode: Episode, decision: Decision, now: datetime, actor: Actor) -> None:
    if isinstance(decision, Close):
        _close(episode, decision.state, decision.reason, now, actor)
    elif isinstance(decision, NeedsStaff):
        _hand_to_staff(episode, decision.reason, now, actor)
    elif episode.paused:
        return
    elif isinstance(decision, Wait):
        _cancel_planned(episode, decision.reason, now)
        under_way = decision.reason in ("call_under_way", "message_under_way")
        state = EpisodeState.CONTACTING if under_way else EpisodeState.WAITING
        _set(episode, state, decision.reason, decision.until)
    else:
        _plan(episode, decision, now, actor)


def _close(episode: Episode, state: EpisodeState, reason: str, now: datetime, actor: Actor) -> None:
    _cancel_planned(episode, reason, now)
    episode.state, episode.reason, episode.closed_at = state, reason, now
    episode.next_step_at = None
    episode.save(update_fields=["state", "reason", "closed_at", "next_step_at"])
    _journal(episode, "recall.closed", actor, state=str(state), reason=reason)
    kind = {
        EpisodeState.EXHAUSTED: TaskKind.EXHAUSTED,
        EpisodeState.NOT_CONTACTABLE: TaskKind.NOT_CONTACTABLE,
    }.get(state)
    if kind and episode.patient.risk_category in HIGH_RISK:
        staff_tasks.open_task(
            practice=episode.practice, patient=episode.patient, kind=kind, actor=actor
        )


def _hand_to_staff(episode: Episode, reason: str, now: datetime, actor: Actor) -> None:
    _cancel_planned(episode, reason, now)
    kind = history.TASK_OF.get(reason)
    if kind is not None and not _waits_under_another_name(episode, kind):
        attempt = (
            episode.attempts.filter(outcome=reason, purpose=Purpose.RECALL)
            .order_by("-created_at")
            .first()
        )
        staff_tasks.open_task(
            practice=episode.practice,
            patient=episode.patient,
            attempt=attempt,
            kind=kind,
            urgent=kind == TaskKind.SYMPTOMS,
            due_at=episode.patient.not_before if kind == TaskKind.CALL_BACK else None,
            actor=actor,
        )
    if episode.state != EpisodeState.NEEDS_STAFF or episode.reason != reason:
        _journal(episode, "recall.needs_staff", actor, reason=reason)
    _set(episode, EpisodeState.NEEDS_STAFF, reason, None)


def _waits_under_another_name(episode: Episode, kind: TaskKind) -> bool:
    """Whether the staff have an open task that stands for one of this kind."""
    names = [name for name, meant in history.STANDS_FOR.items() if meant == kind]
    return StaffTask.objects.filter(
        practice=episode.practice, patient=episode.patient, kind__in=names, done_at=None
    ).exists()


def _plan(episode: Episode, step: NextStep, now: datetime, actor: Actor) -> None:
    """Plan the step's attempt, unless it is planned already: then its own time stands."""
    planned = (
        episode.attempts.filter(
            channel=step.channel, state=AttemptState.PLANNED, purpose=Purpose.RECALL
        )
        .order_by("due_at")
        .first()
    )
    _cancel_planned(episode, "replaced", now, but=planned)
    if planned is None:
        planned = Attempt.objects.create(
            practice=episode.practice,
            patient=episode.patient,
            episode=episode,
            campaign=episode.campaign,
            channel=step.channel,
            purpose=Purpose.RECALL,
            priority=episode.priority,
            due_at=step.due_at,
            created_at=now,
        )
        journal.record(
            practice=episode.practice_id,
            action="attempt.planned",
            actor=actor,
            patient=episode.patient_id,
            subject=planned,
            facts={"channel": str(step.channel), "due_at": step.due_at.isoformat()},
        )
    _set(
        episode,
        EpisodeState.CONTACTING,
        f"{Channel(step.channel).value}_planned",
        max(planned.due_at, now) + WATCH,
    )


def _cancel_planned(
    episode: Episode, reason: str, now: datetime, but: Attempt | None = None
) -> None:
    planned = Attempt.objects.filter(
        episode=episode, state=AttemptState.PLANNED, purpose=Purpose.RECALL
    )
    if but is not None:
        planned = planned.exclude(pk=but.pk)
    planned.update(state=AttemptState.CANCELLED, reason=reason, ended_at=now)


def _set(episode: Episode, state: EpisodeState, reason: str, next_step_at: datetime | None) -> None:
    episode.state, episode.reason, episode.next_step_at = state, reason[:32], next_step_at
    episode.save(update_fields=["state", "reason", "next_step_at"])


def _journal(episode: Episode, action: str, actor: Actor, **facts: str) -> None:
    journal.record(
        practice=episode.practice_id,
        action=action,
        actor=actor,
        patient=episode.patient_id,
        subject=episode,
        facts=facts,
    )
