"""Settling attempts that nobody works on any more: a worker died, an answer or callback is missing.

It asks the carrier and believes what it says. It never sends anything, and what cannot be settled
is shown to the staff.
"""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from integrations.twilio import client, payloads
from integrations.twilio.client import Seen
from practices.journal import Actor
from recall.attempts import callbacks, carriers, claim, moves, outcomes, results
from recall.models import Attempt, AttemptState, Channel, Outcome, StaffTask, TaskKind
from sightsync.lib import clock
from sightsync.lib.errors import ProviderError

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
"""Longer than composing and the request's timeout together: whoever held it is gone."""
TELL_STAFF_AFTER = timedelta(minutes=30)
CALL_IS_LOST = timedelta(hours=24)
"""A carrier drops a call that has waited for a day."""
CALL_IS_OVERDUE = timedelta(minutes=15)
MESSAGE_IS_OVERDUE = timedelta(hours=6)
MESSAGE_IS_DONE = timedelta(hours=72)
"""Networks keep trying for three days; after that nothing more is heard."""
GONE_AFTER = timedelta(hours=1)
_OPEN = (AttemptState.UNKNOWN, AttemptState.ACCEPTED)
_MARGIN = timedelta(minutes=10)


def run(now: datetime, *, actor: Actor) -> None:
    """Free what never left, doubt what may have left, tell the staff of what stays in doubt, and
    end what they have dealt with.
    """
    for attempt in _older(AttemptState.CLAIMED, "claimed_at", now - LEASE):
        if claim.unclaim(attempt, due_at=now, reason="worker_lost"):
            logger.warning("claim returned", extra={"attempt": attempt.pk})
    for attempt in _older(AttemptState.SUBMITTING, "submitted_at", now - LEASE):
        _doubt(attempt.pk, now, actor)
    told = StaffTask.objects.filter(attempt=OuterRef("pk"), kind=TaskKind.UNKNOWN_OUTCOME)
    for attempt in _in_doubt(now).exclude(Exists(told)):
        with transaction.atomic():
            task = outcomes.ask_staff(attempt, TaskKind.UNKNOWN_OUTCOME, actor)
            # Another doubt about the same patient is shown already: this one has its turn after it.
            if task.attempt_id == attempt.pk:
                outcomes.write(attempt, "attempt.shown_to_staff", actor, {"code": "unknown"})
    for attempt in _in_doubt(now).filter(Exists(told.exclude(done_at=None))):
        settle(attempt=attempt, was_sent=True, actor=actor)
    for attempt in _older(AttemptState.ACCEPTED, "accepted_at", now - MESSAGE_IS_DONE).exclude(
        channel=Channel.VOICE
    ):
        _close_message(attempt.pk, actor)


def _in_doubt(now: datetime) -> QuerySet[Attempt]:
    """What no callback and no look-up has settled in good time."""
    unknown = Q(state=AttemptState.UNKNOWN, submitted_at__lt=now - TELL_STAFF_AFTER)
    lost = Q(state=AttemptState.ACCEPTED, channel=Channel.VOICE, accepted_at__lt=now - CALL_IS_LOST)
    return Attempt.objects.select_related("practice", "patient").filter(unknown | lost)


def to_look_up(now: datetime) -> Iterator[UUID]:
    """Attempts about which the carrier should be asked."""
    by_channel = Q(channel=Channel.VOICE, accepted_at__lt=now - CALL_IS_OVERDUE) | (
        ~Q(channel=Channel.VOICE) & Q(accepted_at__lt=now - MESSAGE_IS_OVERDUE)
    )
    silent = Q(state=AttemptState.ACCEPTED) & by_channel
    unknown = Q(state=AttemptState.UNKNOWN, submitted_at__gt=now - CALL_IS_LOST)
    rows = Attempt.objects.filter(unknown | silent).exclude(channel=Channel.EMAIL)
    yield from rows.order_by("-submitted_at").values_list("pk", flat=True)[:100]


def look_up(attempt_id: UUID, *, actor: Actor) -> None:
    """Ask the carrier what became of it, and apply the answer as if a callback had brought it."""
    attempt = (
        Attempt.objects.select_related("practice", "patient")
        .filter(pk=attempt_id, state__in=[AttemptState.UNKNOWN, AttemptState.ACCEPTED])
        .exclude(channel=Channel.EMAIL)
        .first()
    )
    if attempt is None:
        return
    try:
        seen = _fetch(attempt) if attempt.provider_ref else _find(attempt)
        recording = _recording(attempt, seen) if seen is not None else ""
    except ProviderError as error:
        logger.warning("look-up failed", extra={"attempt": attempt.pk, "code": error.code})
        _perhaps_gone(attempt, error, actor)
        return
    if seen is not None:
        _apply(attempt, seen, recording)


def settle(*, attempt: Attempt, was_sent: bool, actor: Actor) -> bool:
    """A person has dealt with an attempt of which nothing more is heard; whether it was still open.

    When nobody found out that it was not sent, it counts as sent.
    """
    with transaction.atomic():
        current = moves.lock(attempt.pk)
        if current is None:
            return False
        is_call = current.channel == Channel.VOICE
        if was_sent:
            return outcomes.end(
                attempt=current,
                state=AttemptState.DONE,
                sources=_OPEN,
                outcome=Outcome.NO_ANSWER if is_call else Outcome.SENT,
                actor=actor,
                reason="settled_by_staff",
            )
        ended = outcomes.end(
            attempt=current,
            state=AttemptState.DONE,
            sources=_OPEN,
            outcome=Outcome.FAILED,
            actor=actor,
            reason="not_sent",
            submitted_at=None,
        )
        if ended:
            claim.give_back(current)
        return ended


def _older(state: AttemptState, column: str, than: datetime) -> QuerySet[Attempt]:
    return Attempt.objects.select_related("practice", "patient").filter(
        state=state, **{f"{column}__lt": than}
    )


def _doubt(attempt_id: UUID, now: datetime, actor: Actor) -> None:
    with transaction.atomic():
        attempt = moves.lock(attempt_id)
        if attempt is not None and attempt.submitted_at and attempt.submitted_at < now - LEASE:
            results.lost(attempt, actor=actor)


def _close_message(attempt_id: UUID, actor: Actor) -> None:
    with transaction.atomic():
        attempt = moves.lock(attempt_id)
        if attempt is not None:
            outcomes.end(
                attempt=attempt,
                state=AttemptState.DONE,
                sources=(AttemptState.ACCEPTED,),
                outcome=Outcome.SENT,
                actor=actor,
            )


def _fetch(attempt: Attempt) -> Seen:
    account = carriers.account_of(attempt.practice)
    fetch = client.fetch_call if attempt.channel == Channel.VOICE else client.fetch_message
    return fetch(account=account, sid=attempt.provider_ref)


def _find(attempt: Attempt) -> Seen | None:
    """The one call or message that must be ours: to this number, from ours, since then, and nobody
    else's. Two candidates, or two attempts in doubt about one number, settle nothing.
    """
    is_call = attempt.channel == Channel.VOICE
    prefix = "whatsapp:" if attempt.channel == Channel.WHATSAPP else ""
    find = client.find_calls if is_call else client.find_messages
    found = find(
        account=carriers.account_of(attempt.practice),
        to=prefix + attempt.destination,
        since=_began(attempt),
    )
    adopted = set(
        Attempt.objects.filter(provider_ref__in=[seen.sid for seen in found]).values_list(
            "provider_ref", flat=True
        )
    )
    ours = prefix + carriers.from_number(attempt)
    candidates = [seen for seen in found if seen.sid not in adopted and seen.from_ in ("", ours)]
    rivals = (
        Attempt.objects.filter(
            channel=attempt.channel,
            destination=attempt.destination,
            provider_ref="",
            state__in=[AttemptState.SUBMITTING, AttemptState.UNKNOWN],
        )
        .exclude(pk=attempt.pk)
        .exists()
    )
    return candidates[0] if len(candidates) == 1 and not rivals else None


def _began(attempt: Attempt) -> datetime:
    """When our request left at the earliest. The sandbox may go by the pretend clock or by the
    machine's; a carrier's clock may differ a little.
    """
    now = clock.now()
    left = attempt.submitted_at or now - timedelta(hours=1)
    ago = max(now - left, timedelta(0))
    return min(left, clock.real_now() - ago) - _MARGIN


def _recording(attempt: Attempt, seen: Seen) -> str:
    """What the lost callback would have named: without its id nobody could delete it."""
    if attempt.channel != Channel.VOICE or seen.status != "completed":
        return ""
    return client.find_recording(account=carriers.account_of(attempt.practice), call_sid=seen.sid)


def _apply(attempt: Attempt, seen: Seen, recording: str) -> None:
    try:
        if attempt.channel == Channel.VOICE:
            form = {"CallSid": seen.sid, "CallStatus": seen.status, "AnsweredBy": seen.answered_by}
            form["RecordingSid"] = recording
            if seen.duration_s is not None:
                form["CallDuration"] = str(seen.duration_s)
            callbacks.call_status(attempt.pk, payloads.call_event(form))
        else:
            form = {
                "MessageSid": seen.sid,
                "MessageStatus": seen.status,
                "ErrorCode": seen.error_code,
            }
            callbacks.message_status(attempt.pk, payloads.message_event(form))
    except (callbacks.NotOursError, payloads.PayloadError):
        logger.exception("look-up cannot be applied", extra={"attempt": attempt.pk})


def _perhaps_gone(attempt: Attempt, error: ProviderError, actor: Actor) -> None:
    """The carrier does not know a call that it took long ago: it will never end by itself."""
    with transaction.atomic():
        current = moves.lock(attempt.pk)
        if (
            error.kind is ProviderError.Kind.REJECTED
            and current is not None
            and current.provider_ref
            and current.accepted_at
            and current.accepted_at < clock.now() - GONE_AFTER
        ):
            outcomes.end(
                attempt=current,
                state=AttemptState.FAILED,
                sources=(AttemptState.ACCEPTED,),
                outcome=Outcome.FAILED,
                actor=actor,
                reason="not_at_carrier",
                error_code=error.code,
            )
