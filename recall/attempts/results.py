"""Writing down what the carrier's answer to our request says. It never sends anything.

A callback may have come before the answer: what it wrote stands.
"""

import logging
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F

from integrations.twilio import payloads
from practices.journal import Actor
from recall import episodes
from recall.attempts import claim, moves, outcomes
from recall.attempts.carriers import Handed
from recall.models import Attempt, AttemptState, Channel, Outcome
from sightsync.lib import clock, failpoints
from sightsync.lib.errors import ProviderError

logger = logging.getLogger(__name__)

MOST_RETRIES = 50
"""About half a day at the longest backoff: a carrier's outage must cost nobody the recall."""
FIRST_BACKOFF = timedelta(seconds=15)
LONGEST_BACKOFF = timedelta(minutes=15)

_OPEN = (AttemptState.SUBMITTING, AttemptState.UNKNOWN)


def accepted(attempt_id: UUID, handed: Handed, *, actor: Actor) -> None:
    """The carrier took it. An email has no callbacks, so it is done."""
    with transaction.atomic():
        attempt = moves.lock(attempt_id)
        if attempt is None:
            return
        _accept(attempt, handed, actor)
        failpoints.hit("record.before_commit")
    failpoints.hit("record.after_commit")


def _accept(attempt: Attempt, handed: Handed, actor: Actor) -> None:
    moved = moves.move(
        attempt.pk,
        to=AttemptState.ACCEPTED,
        sources=_OPEN,
        accepted_at=clock.now(),
        provider=handed.provider,
        provider_ref=handed.ref,
        provider_status=handed.status,
        error_code="",
    )
    if not moved:
        if attempt.provider_ref != handed.ref:
            logger.error("answer fits no request", extra={"attempt": attempt.pk})
        return
    attempt.refresh_from_db(fields=["state", "provider", "provider_ref", "provider_status"])
    outcomes.write(attempt, f"{outcomes.noun(attempt)}.started", actor, {})
    if attempt.channel == Channel.EMAIL:
        outcomes.end(attempt=attempt, state=AttemptState.DONE, outcome=Outcome.SENT, actor=actor)
    elif attempt.channel != Channel.VOICE and attempt.episode is not None:
        # A message is patient: the next channel's delay runs from here.
        episodes.advance(episode=attempt.episode, actor=actor)


def failed(attempt_id: UUID, error: ProviderError, *, actor: Actor) -> None:
    """The request did not succeed; the error's kind says what may be done about it."""
    with transaction.atomic():
        attempt = moves.lock(attempt_id)
        if attempt is None:
            return
        if error.kind is ProviderError.Kind.REJECTED:
            _rejected(attempt, error.code[:24], actor)
        elif error.kind is ProviderError.Kind.TEMPORARY:
            _not_now(attempt, error, actor)
        else:
            _unknown(attempt, error.code, actor)
        failpoints.hit("record.before_commit")
    failpoints.hit("record.after_commit")


def _rejected(attempt: Attempt, code: str, actor: Actor, *, reason: str = "") -> None:
    """Refused for good. Nobody was rung, so it counts for neither the quota nor the caps."""
    ended = outcomes.end(
        attempt=attempt,
        state=AttemptState.FAILED,
        sources=_OPEN,
        outcome=Outcome.FAILED,
        actor=actor,
        reason=reason or reason_for(code),
        error_code=code,
        submitted_at=None,
    )
    if ended:
        claim.give_back(attempt)


def reason_for(code: str) -> str:
    """Our code for the carrier's."""
    if code in payloads.BAD_NUMBER_CODES:
        return "bad_number"
    if code == payloads.OPTED_OUT_CODE:
        return "carrier_opt_out"
    return code if code in ("drama_number", "no_from_number") else "carrier_refused"


def _not_now(attempt: Attempt, error: ProviderError, actor: Actor) -> None:
    """Known not to have been taken: plan it again a little later, a few times."""
    if attempt.retries >= MOST_RETRIES:
        _rejected(attempt, error.code, actor, reason="carrier_unavailable")
        return
    delay = min(FIRST_BACKOFF * 2 ** min(attempt.retries, 10), LONGEST_BACKOFF)
    if error.retry_after is not None:
        delay = max(delay, timedelta(seconds=min(error.retry_after, 3600)))
    moved = moves.move(
        attempt.pk,
        to=AttemptState.PLANNED,
        sources=(AttemptState.SUBMITTING,),
        due_at=clock.now() + delay,
        retries=F("retries") + 1,
        error_code=error.code,
        reason="carrier_busy",
        submitted_at=None,
        claimed_at=None,
        receipt={},
        destination="",
    )
    if moved:
        claim.give_back(attempt)
        outcomes.write(
            attempt,
            f"{outcomes.noun(attempt)}.postponed",
            actor,
            {"code": error.code, "tries": attempt.retries + 1},
        )
    elif attempt.state == AttemptState.UNKNOWN:
        # We were slow to hear it, and were thought dead meanwhile: it may not be planned again.
        _rejected(attempt, error.code, actor, reason="carrier_unavailable")


def _unknown(attempt: Attempt, code: str, actor: Actor) -> None:
    moved = moves.move(
        attempt.pk,
        to=AttemptState.UNKNOWN,
        sources=(AttemptState.SUBMITTING,),
        error_code=code,
    )
    if moved:
        outcomes.write(attempt, "attempt.unknown", actor, {"code": code})


def lost(attempt: Attempt, *, actor: Actor) -> None:
    """The worker died between taking the right to send and writing down the answer. Inside the
    caller's transaction, under the patient's lock.
    """
    _unknown(attempt, "worker_lost", actor)
