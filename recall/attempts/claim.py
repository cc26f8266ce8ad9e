"""Claiming a planned attempt: the last full look at the rules, and the right to send it once.

Everything is read fresh and decided in one transaction under the patient's lock; nothing leaves
the machine here. What follows a claim is `submit`'s.
"""

import logging
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from practices import journal, quota
from practices.journal import Actor
from recall import episodes
from recall.attempts import moves
from recall.eligibility import gather
from recall.eligibility.case import Kind
from recall.eligibility.evaluate import Verdict
from recall.models import Attempt, AttemptState, CampaignState, Channel, Purpose
from sightsync.lib import clock, failpoints

logger = logging.getLogger(__name__)

HELD_RECHECK = timedelta(minutes=10)
"""How long to leave an attempt that somebody at the practice has to make possible again."""
ENDING = frozenset({"future_appointment", "not_due"})
"""Reasons that pass by themselves, but only after the recall has reached its aim."""
ONE_LIVE_CALL = "one_live_call_per_number"
NUMBER_BUSY_RECHECK = timedelta(minutes=2)
UNKNOWN_HOLDS_A_LINE = timedelta(minutes=30)
"""How long a call of unknown outcome counts against the practice's concurrent calls."""


class _LostError(Exception):
    """Another worker moved the attempt first: what this one took is rolled back."""


def claim(attempt_id: UUID, *, actor: Actor) -> Attempt | None:
    """The claimed attempt, with its practice and patient; None when it is not to be sent now.

    An attempt that may not be sent is moved on in the same transaction: to the first instant at
    which the rules allow it, or to its end, and then its recall goes to the next step.
    """
    try:
        with transaction.atomic():
            attempt = _claim(attempt_id, actor)
            if attempt is not None:
                failpoints.hit("claim.before_commit")
    except _LostError:
        return None
    except IntegrityError as error:
        if _constraint_of(error) != ONE_LIVE_CALL:
            raise
        # Somebody of the same household is being rung at this number. All was rolled back.
        _postpone(attempt_id, clock.now() + NUMBER_BUSY_RECHECK, "call_under_way")
        return None
    if attempt is not None:
        failpoints.hit("claim.after_commit")
    return attempt


def _claim(attempt_id: UUID, actor: Actor) -> Attempt | None:
    attempt = moves.lock(attempt_id)
    now = clock.now()
    if attempt is None or not _is_wanted(attempt, now):
        return None
    if over := _over(attempt):
        cancel(attempt, reason=over, actor=actor)
        return None
    verdict = gather.verdict(
        practice=attempt.practice,
        patient=attempt.patient,
        channel=Channel(attempt.channel),
        now=now,
        purpose=Purpose(attempt.purpose),
        # A patient who was asked for early, by name, need not be due at the claim either.
        require_due=attempt.episode is not None and attempt.episode.was_due,
        leaving_out=attempt.pk,
    )
    if not verdict.allowed:
        _refuse(attempt, verdict, now, actor)
        return None
    if not _take(attempt, verdict, now):
        return None
    facts = {"channel": attempt.channel, "purpose": attempt.purpose}
    _journal(attempt, "attempt.claimed", actor, facts)
    return attempt


def give_back(attempt: Attempt) -> None:
    """Return what the claim took of the month's calls; the call is known not to have been made.

    For the one transaction that moves the attempt out of the claim.
    """
    month = attempt.receipt.get("quota_month")
    if month:
        quota.give_back(practice_id=attempt.practice_id, month=date.fromisoformat(month))


def unclaim(attempt: Attempt, *, due_at: datetime, reason: str = "") -> bool:
    """Back to planned, with nothing sent; whether this claim was still ours to give up."""
    with transaction.atomic():
        moved = moves.move(
            attempt.pk,
            to=AttemptState.PLANNED,
            sources=(AttemptState.CLAIMED,),
            only_if=Q(claimed_at=attempt.claimed_at),
            due_at=due_at,
            reason=reason,
            claimed_at=None,
            destination="",
            receipt={},
        )
        if moved:
            give_back(attempt)
    return moved


def _is_wanted(attempt: Attempt, now: datetime) -> bool:
    if attempt.state != AttemptState.PLANNED or attempt.due_at > now:
        return False
    if attempt.purpose != Purpose.RECALL:
        return True
    if attempt.campaign is not None and attempt.campaign.state == CampaignState.PAUSED:
        return False
    return attempt.episode is None or not attempt.episode.paused


def _over(attempt: Attempt) -> str:
    """Why nobody wants it any more: what it belongs to ended while a claim held it."""
    if attempt.purpose != Purpose.RECALL:
        return ""
    if attempt.campaign is not None and attempt.campaign.state == CampaignState.STOPPED:
        return "campaign_stopped"
    closed = attempt.episode is not None and attempt.episode.closed_at is not None
    return "recall_closed" if closed else ""


def _refuse(attempt: Attempt, verdict: Verdict, now: datetime, actor: Actor) -> None:
    """Wait for a passing reason, look at a held one again later, give up on a lasting one."""
    ends = [
        rule.code for rule in verdict.failed if rule.kind is Kind.LASTING or rule.code in ENDING
    ]
    if ends:
        cancel(attempt, reason=ends[0], actor=actor)
        return
    _postpone(attempt.pk, verdict.next_allowed_at or now + HELD_RECHECK, verdict.codes[0])


def cancel(attempt: Attempt, *, reason: str, actor: Actor, goes_on: bool = True) -> bool:
    """End an attempt of which nothing has left, and let its recall go on; whether it did.

    Inside the caller's transaction, under the patient's lock.
    """
    moved = moves.move(
        attempt.pk,
        to=AttemptState.CANCELLED,
        sources=(AttemptState.PLANNED, AttemptState.CLAIMED),
        reason=reason,
        ended_at=clock.now(),
    )
    if moved:
        if attempt.state == AttemptState.CLAIMED:
            give_back(attempt)
        _journal(attempt, "attempt.cancelled", actor, {"channel": attempt.channel, "code": reason})
        if goes_on and attempt.episode is not None:
            episodes.advance(episode=attempt.episode, actor=actor)
    return moved


def _take(attempt: Attempt, verdict: Verdict, now: datetime) -> bool:
    """Take quota, a line and the number, and note why it was allowed; whether all were free."""
    receipt = verdict.receipt()
    receipt["local_time"] = clock.london(now).isoformat(timespec="seconds")
    if attempt.channel == Channel.VOICE:
        month = quota.month_of(now)
        if not quota.take(practice=attempt.practice, month=month):
            resets = clock.at_london(quota.next_month(month), datetime.min.time())
            _postpone(attempt.pk, resets, "quota_used_up")
            return False
        receipt["quota_month"] = month.isoformat()
        # The usage row is locked now, so that this count cannot be outrun by another claim.
        if _lines_in_use(attempt, now) >= attempt.practice.max_live_calls:
            quota.give_back(practice_id=attempt.practice_id, month=month)
            return False
    is_email = attempt.channel == Channel.EMAIL
    taken: dict[str, Any] = {
        "claimed_at": now,
        "destination": attempt.patient.email if is_email else attempt.patient.phone_number,
        "receipt": receipt,
        "reason": "",
    }
    if not moves.move(attempt.pk, to=AttemptState.CLAIMED, **taken):
        raise _LostError
    attempt.state = AttemptState.CLAIMED
    for name, value in taken.items():
        setattr(attempt, name, value)
    return True


def _lines_in_use(attempt: Attempt, now: datetime) -> int:
    under_way = Q(
        state__in=[AttemptState.CLAIMED, AttemptState.SUBMITTING, AttemptState.ACCEPTED]
    ) | Q(state=AttemptState.UNKNOWN, submitted_at__gt=now - UNKNOWN_HOLDS_A_LINE)
    return Attempt.objects.filter(
        under_way, practice_id=attempt.practice_id, channel=Channel.VOICE
    ).count()


def _constraint_of(error: IntegrityError) -> str:
    """The name of the constraint that was broken."""
    return getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or ""


def _postpone(attempt_id: UUID, due_at: datetime, code: str) -> None:
    planned = Attempt.objects.filter(pk=attempt_id, state=AttemptState.PLANNED)
    planned.update(due_at=due_at, reason=code)
    logger.info("attempt postponed", extra={"attempt": attempt_id, "code": code})


def _journal(attempt: Attempt, action: str, actor: Actor, facts: dict[str, Any]) -> None:
    journal.record(
        practice=attempt.practice_id,
        action=action,
        actor=actor,
        patient=attempt.patient_id,
        subject=attempt,
        facts=facts,
    )
