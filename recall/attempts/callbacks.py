"""What a carrier tells us about an attempt: kept once, applied under a lock, never backwards.

Callbacks come twice, late, out of order, and before the answer to our own request. The signature
has been checked before anything here is called.
"""

import logging
from types import MappingProxyType
from uuid import UUID

from django.db import transaction

from integrations.twilio.payloads import BAD_NUMBER_CODES, OPTED_OUT_CODE, CallEvent, MessageEvent
from practices.journal import Actor
from recall import states
from recall.attempts import carriers, moves, outcomes, results
from recall.models import Attempt, AttemptState, CallTurn, Outcome, ProviderEvent
from sightsync.lib import clock

logger = logging.getLogger(__name__)

CARRIER = Actor.system("carrier")

_CALL_ENDS = {
    "busy": (AttemptState.DONE, Outcome.BUSY),
    "no_answer": (AttemptState.DONE, Outcome.NO_ANSWER),
    "failed": (AttemptState.FAILED, Outcome.FAILED),
}
_BEFORE_SENDING = (AttemptState.PLANNED, AttemptState.CLAIMED)


class NotOursError(Exception):
    """The callback names another call or message than the attempt's own."""


def call_status(attempt_id: UUID, event: CallEvent) -> None:
    """Apply one status of a call. Raises NotOursError. A repeat changes nothing."""
    with transaction.atomic():
        attempt = _news(attempt_id, event.sid, event.word, event.error_code)
        if attempt is None or not _forward(attempt, states.CALL_RANKS, event.word):
            return
        _note_call(attempt, event)
        if event.is_final:
            state, outcome = _CALL_ENDS.get(event.status) or _completed(attempt)
            outcomes.end(
                attempt=attempt,
                state=state,
                outcome=outcome,
                actor=CARRIER,
                reason=_reason(event.error_code) if state == AttemptState.FAILED else "",
                error_code=event.error_code,
            )


def message_status(attempt_id: UUID, event: MessageEvent) -> None:
    """Apply one status of an SMS or WhatsApp. Raises NotOursError. A repeat changes nothing."""
    with transaction.atomic():
        attempt = _news(attempt_id, event.sid, event.word, event.error_code)
        if attempt is None or not _forward(attempt, states.MESSAGE_RANKS, event.word):
            return
        if event.status == "undelivered":
            outcomes.end(
                attempt=attempt,
                state=AttemptState.FAILED,
                outcome=Outcome.UNDELIVERED,
                actor=CARRIER,
                reason=_reason(event.error_code),
                error_code=event.error_code,
            )
        elif event.status == "sent":
            outcomes.record(attempt=attempt, outcome=Outcome.SENT, actor=CARRIER)
        elif event.status in ("delivered", "read"):
            _delivered(attempt, Outcome(event.status))


def proven(attempt_id: UUID, sid: str) -> None:
    """The carrier asks for this call's words: it exists, whatever we heard of our request.

    Raises NotOursError when the attempt has another call.
    """
    with transaction.atomic():
        attempt = moves.lock(attempt_id)
        if attempt is None:
            raise NotOursError
        _adopt(attempt, sid)


def _news(attempt_id: UUID, sid: str, word: str, error_code: str) -> Attempt | None:
    """The locked attempt when this event is new and may be applied; None for a repeat."""
    attempt = moves.lock(attempt_id)
    if attempt is None:
        raise NotOursError
    _adopt(attempt, sid)
    _, is_new = ProviderEvent.objects.get_or_create(
        attempt=attempt,
        provider_ref=sid,
        key=f"status:{word}",
        defaults={
            "practice": attempt.practice,
            "status": word,
            "error_code": error_code,
            "received_at": clock.now(),
        },
    )
    return attempt if is_new and attempt.state not in _BEFORE_SENDING else None


def _adopt(attempt: Attempt, sid: str) -> None:
    """Take the carrier's id from a callback that overtook the answer, or settles an unknown."""
    if attempt.provider_ref:
        if attempt.provider_ref != sid:
            raise NotOursError
        return
    moved = moves.move(
        attempt.pk,
        to=AttemptState.ACCEPTED,
        sources=(AttemptState.SUBMITTING, AttemptState.UNKNOWN),
        accepted_at=clock.now(),
        provider=carriers.provider_of(attempt.practice),
        provider_ref=sid,
        error_code="",
    )
    if moved:
        attempt.refresh_from_db(fields=["state", "accepted_at", "provider", "provider_ref"])
        outcomes.write(attempt, f"{outcomes.noun(attempt)}.started", CARRIER, {})
    else:
        logger.error(
            "callback for an attempt that was not sent",
            extra={"attempt": attempt.pk, "state": attempt.state},
        )


def _forward(attempt: Attempt, ranks: MappingProxyType[str, int], word: str) -> bool:
    """Take the status if it is later than what is known; whether it was."""
    if not states.moves_forward(ranks, attempt.provider_status, word):
        return False
    attempt.provider_status = word
    attempt.save(update_fields=["provider_status"])
    return True


def _note_call(attempt: Attempt, event: CallEvent) -> None:
    if event.status == "answered" and attempt.answered_at is None:
        attempt.answered_at = clock.now()
    if event.duration_s is not None:
        attempt.duration_seconds = event.duration_s
    if event.answered_by and not attempt.answered_by:
        attempt.answered_by = event.answered_by
    if event.recording and event.is_final:
        attempt.recording = event.recording
    attempt.save(update_fields=["answered_at", "duration_seconds", "answered_by", "recording"])


def _completed(attempt: Attempt) -> tuple[AttemptState, Outcome]:
    """What a call that was picked up came to, if the talk itself has not said."""
    if attempt.answered_by.startswith("machine") or attempt.answered_by == "fax":
        return AttemptState.DONE, Outcome.VOICEMAIL
    said = CallTurn.objects.filter(attempt=attempt, speaker="patient").exists()
    return AttemptState.DONE, Outcome.ANSWERED if said else Outcome.HUNG_UP


def _delivered(attempt: Attempt, outcome: Outcome) -> None:
    """Delivered ends a message; that it was read is news about one that has ended."""
    if attempt.state in states.TERMINAL:
        outcomes.record(attempt=attempt, outcome=outcome, actor=CARRIER)
    else:
        outcomes.end(attempt=attempt, state=AttemptState.DONE, outcome=outcome, actor=CARRIER)


def _reason(error_code: str) -> str:
    if error_code in BAD_NUMBER_CODES or error_code == OPTED_OUT_CODE:
        return results.reason_for(error_code)
    return "not_delivered" if error_code else ""
