"""Reads what the chain looks at: an episode's attempts, the patient's standing, each channel's
access. It decides nothing and writes nothing.
"""

from datetime import datetime, timedelta

from practices.models import Practice
from recall import staff_tasks
from recall.chain import ChainPolicy, History, Reach, Step
from recall.eligibility import gather
from recall.eligibility.evaluate import evaluate
from recall.eligibility.facts import Facts
from recall.models import (
    Attempt,
    AttemptState,
    Channel,
    Episode,
    Outcome,
    Purpose,
    StaffTask,
    TaskKind,
)
from sightsync.lib import clock

# The task that an outcome puts before the staff.
TASK_OF: dict[str, TaskKind] = {
    Outcome.SYMPTOMS: TaskKind.SYMPTOMS,
    Outcome.WRONG_PERSON: TaskKind.WRONG_NUMBER,
    Outcome.DECEASED: TaskKind.DECEASED,
    Outcome.NEEDS_STAFF: TaskKind.HUMAN,
    Outcome.CALL_BACK: TaskKind.CALL_BACK,
}


# Somebody for whom no time was free waits for a person too: one row on the staff's list, not two.
STANDS_FOR: dict[str, TaskKind] = {TaskKind.NO_FREE_TIME: TaskKind.HUMAN}


def policy_of(practice: Practice) -> ChainPolicy:
    """The practice's chain: its delays. Which channels it uses, eligibility knows."""
    return ChainPolicy(
        delays={
            Channel.WHATSAPP: timedelta(minutes=practice.whatsapp_delay_minutes),
            Channel.EMAIL: timedelta(minutes=practice.email_delay_minutes),
        }
    )


def of(episode: Episode, now: datetime) -> History:
    """Everything that the chain needs, from fresh rows. `episode` has its practice and patient.

    A fixed number of queries: attempts, tasks, the facts, the policy.
    """
    facts = gather.facts_of_patient(episode.patient, now)
    tasks = list(StaffTask.objects.filter(practice=episode.practice_id, patient=episode.patient_id))
    open_kinds = {task.kind for task in tasks if task.done_at is None}
    return History(
        steps=_steps(episode, tasks, now),
        reach=_reach(episode, facts, now),
        gone=_gone(episode, facts, now),
        opted_out=facts.opted_out,
        appointment_ahead=facts.appointment_at is not None,
        with_staff=next((str(k) for k in sorted(staff_tasks.TAKES_OVER & open_kinds)), ""),
        taken_over=any(
            task.kind in staff_tasks.TAKES_OVER
            and task.created_at >= episode.opened_at
            and task.done_at is not None
            and task.done_code != staff_tasks.CONTINUE
            for task in tasks
        ),
    )


def _gone(episode: Episode, facts: Facts, now: datetime) -> str:
    for code in ("erased", "deceased", "archived"):
        if getattr(facts, code):
            return code
    # Opened because it was due, and since then the examination has been done elsewhere.
    tested = episode.was_due and facts.due_on > clock.london(now).date()
    return "no_longer_due" if tested else ""


def _reach(episode: Episode, facts: Facts, now: datetime) -> dict[Channel, Reach]:
    policy = gather.policy_of(episode.practice, now)
    return {
        channel: evaluate(facts, policy, now, channel).reach()
        for channel in policy_of(episode.practice).channels
    }


def _steps(episode: Episode, tasks: list[StaffTask], now: datetime) -> tuple[Step, ...]:
    attempts = episode.attempts.filter(purpose=Purpose.RECALL).exclude(
        state__in=[AttemptState.PLANNED, AttemptState.CANCELLED]
    )
    steps = [_step(attempt, episode, tasks, now) for attempt in attempts]
    return tuple(sorted(steps, key=lambda step: step.at))


def _step(attempt: Attempt, episode: Episode, tasks: list[StaffTask], now: datetime) -> Step:
    patient = episode.patient
    at = attempt.ended_at or attempt.submitted_at or attempt.claimed_at or attempt.created_at
    address = patient.email if attempt.channel == Channel.EMAIL else patient.phone_number
    not_before = patient.not_before
    return Step(
        channel=Channel(attempt.channel),
        state=AttemptState(attempt.state),
        at=min(at, now),
        outcome=attempt.outcome,
        refused=(
            attempt.state == AttemptState.FAILED
            and attempt.accepted_at is None
            and attempt.destination == address
        ),
        handled=any(_handles(task, attempt, at) for task in tasks),
        call_back_at=not_before if not_before and not_before > attempt.created_at else None,
    )


def _handles(task: StaffTask, attempt: Attempt, at: datetime) -> bool:
    """Whether the task was about what the attempt brought, and is done. A task of the kind that was
    open already has another attempt; then it counts when it was finished afterwards.
    """
    kind = STANDS_FOR.get(task.kind, task.kind)
    if task.done_at is None or kind != TASK_OF.get(attempt.outcome):
        return False
    return task.attempt_id == attempt.pk or task.done_at >= at
