"""What came of an attempt: the one door through which an outcome is noted and an attempt ends.

The outcome, the patient's wishes, the staff's task, the journal and the recall's next step are
written in one transaction, under the patient's lock.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from patients import records
from practices import journal
from practices.journal import Actor
from recall import contact_stop, episodes, staff_tasks, states
from recall.attempts import moves
from recall.models import Attempt, AttemptState, Channel, Outcome, StaffTask, TaskKind
from sightsync.lib import clock

NOT_COMPLETED = frozenset({Outcome.BUSY, Outcome.NO_ANSWER, Outcome.FAILED})
"""Calls that the API's `call.failed` is about; every other end is `call.completed`."""

_TASKS: Mapping[str, TaskKind] = {
    Outcome.SYMPTOMS: TaskKind.SYMPTOMS,
    Outcome.WRONG_PERSON: TaskKind.WRONG_NUMBER,
    Outcome.DECEASED: TaskKind.DECEASED,
    Outcome.NEEDS_STAFF: TaskKind.HUMAN,
}


def record(
    *, attempt: Attempt, outcome: str, actor: Actor, facts: Mapping[str, Any] | None = None
) -> bool:
    """Note what an attempt brought, whether or not it has ended; whether it was news.

    A less telling outcome never replaces a more telling one, and a repeat changes nothing. `facts`
    may hold `call_back_at` (aware datetime), `summary` (words for staff, no clinical ones),
    `task` (a TaskKind instead of the outcome's own) and `source` (a code, for the opt-out).
    """
    known = dict(facts or {})
    with transaction.atomic():
        current = moves.lock(attempt.pk)
        if current is None or not states.outcome_counts_more(current.outcome, outcome):
            return False
        changes: dict[str, Any] = {"outcome": outcome}
        if known.get("summary"):
            changes["summary"] = str(known["summary"])[:300]
        Attempt.objects.filter(pk=current.pk).update(**changes)
        for name, value in changes.items():
            setattr(current, name, value)
            setattr(attempt, name, value)
        _affect(current, known, actor)
        is_call = current.channel == Channel.VOICE
        write(current, "call.outcome" if is_call else _end_action(current), actor, _facts(current))
        _advance(current, actor)
    return True


def end(
    *,
    attempt: Attempt,
    state: AttemptState,
    outcome: str,
    actor: Actor,
    sources: tuple[AttemptState, ...] = (),
    reason: str = "",
    error_code: str = "",
    **changes: Any,
) -> bool:
    """End an attempt, once; whether this did. What the talk has brought outweighs `outcome`.

    Inside the caller's transaction, with `attempt` from `moves.lock`.
    """
    news = states.outcome_counts_more(attempt.outcome, outcome)
    changes |= {
        "ended_at": clock.now(),
        "outcome": outcome if news else attempt.outcome,
        "reason": reason,
        "error_code": error_code,
    }
    if not moves.move(attempt.pk, to=state, sources=sources, **changes):
        return False
    attempt.state = state
    for name, value in changes.items():
        setattr(attempt, name, value)
    if news:
        _affect(attempt, {}, actor)
    write(attempt, _end_action(attempt), actor, _facts(attempt))
    _advance(attempt, actor)
    return True


def noun(attempt: Attempt) -> str:
    return "call" if attempt.channel == Channel.VOICE else "message"


def write(attempt: Attempt, action: str, actor: Actor, facts: dict[str, Any]) -> None:
    """One journal entry about the attempt, in the caller's transaction."""
    journal.record(
        practice=attempt.practice_id,
        action=action,
        actor=actor,
        patient=attempt.patient_id,
        subject=attempt,
        facts={"channel": attempt.channel, "purpose": attempt.purpose, **facts},
    )


def _end_action(attempt: Attempt) -> str:
    if attempt.channel == Channel.VOICE:
        return "call.failed" if attempt.outcome in NOT_COMPLETED else "call.completed"
    named = {Outcome.SENT, Outcome.DELIVERED, Outcome.READ}
    return f"message.{attempt.outcome}" if attempt.outcome in named else "message.failed"


def _facts(attempt: Attempt) -> dict[str, Any]:
    facts = {
        "outcome": attempt.outcome,
        "code": attempt.reason or attempt.error_code,
        "duration_seconds": attempt.duration_seconds,
    }
    return {name: value for name, value in facts.items() if value not in ("", None)}


def _affect(attempt: Attempt, known: dict[str, Any], actor: Actor) -> None:
    """What the outcome means for the patient's record, and for the staff."""
    patient, outcome = attempt.patient, attempt.outcome
    if outcome == Outcome.OPTED_OUT:
        _opt_out(attempt, known, actor)
    elif outcome == Outcome.WRONG_PERSON:
        records.mark_phone_wrong(patient=patient, actor=actor)
    elif outcome == Outcome.DECEASED:
        records.mark_deceased(patient=patient, actor=actor)
    elif outcome == Outcome.CALL_BACK:
        _call_back(attempt, known.get("call_back_at"), actor)
    elif outcome in (Outcome.FAILED, Outcome.UNDELIVERED):
        _not_reached(attempt, actor)
    kind = known.get("task") or _TASKS.get(outcome)
    if kind:
        ask_staff(attempt, TaskKind(kind), actor, urgent=outcome == Outcome.SYMPTOMS)


def ask_staff(attempt: Attempt, kind: TaskKind, actor: Actor, *, urgent: bool = False) -> StaffTask:
    """Put the attempt on the staff's list, unless the patient is there for the same already."""
    return staff_tasks.open_task(
        practice=attempt.practice,
        patient=attempt.patient,
        attempt=attempt,
        kind=kind,
        urgent=urgent,
        actor=actor,
    )


def _opt_out(attempt: Attempt, known: dict[str, Any], actor: Actor) -> None:
    source = known.get("source") or (
        "phone_call" if attempt.channel == Channel.VOICE else f"{attempt.channel}_reply"
    )
    contact_stop.opt_out(
        practice=attempt.practice, patients=[attempt.patient], source=source, actor=actor
    )


def _call_back(attempt: Attempt, when: datetime | None, actor: Actor) -> None:
    if when is None:
        ask_staff(attempt, TaskKind.CALL_BACK, actor)
    else:
        records.postpone(patient=attempt.patient, until=when, actor=actor)


def _not_reached(attempt: Attempt, actor: Actor) -> None:
    if attempt.reason == "bad_number":
        ask_staff(attempt, TaskKind.WRONG_NUMBER, actor)
    elif attempt.reason == "carrier_opt_out":
        # The network knows of a STOP that we do not: from now on we do.
        contact_stop.opt_out(
            practice=attempt.practice,
            patients=[attempt.patient],
            source="carrier",
            actor=actor,
            channel=attempt.channel,
        )
    elif attempt.reason == "bounced":
        records.mark_email_bounced(patient=attempt.patient, actor=actor)


def _advance(attempt: Attempt, actor: Actor) -> None:
    """The recall decides its next step from what is known now."""
    if attempt.episode is not None:
        episodes.advance(episode=attempt.episode, actor=actor)
