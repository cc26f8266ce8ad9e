"""Sending a claimed attempt: once, with no transaction open, and writing down what is known of it.

A request whose fate is not known makes the attempt `unknown`, and nothing here or elsewhere ever
sends that attempt again.
"""

from django.db import transaction
from django.db.models import Q

from practices.journal import Actor
from recall.attempts import carriers, claim, last_look, moves, results
from recall.attempts.carriers import Compose, Content, NothingToSendError
from recall.models import Attempt, AttemptState, Channel
from sightsync.lib import clock, failpoints
from sightsync.lib.errors import ProviderError


def submit(attempt: Attempt, *, compose: Compose, actor: Actor) -> None:
    """Send an attempt that this process has claimed. `compose` says what a message contains."""
    content: Content | None = None
    if attempt.channel != Channel.VOICE:
        try:
            content = compose(attempt)
        except NothingToSendError as nothing:
            with transaction.atomic():
                fresh = moves.lock(attempt.pk)
                if fresh is not None and fresh.claimed_at == attempt.claimed_at:
                    claim.cancel(fresh, reason=nothing.code, actor=actor)
            return
    if not begin(attempt):
        # Something has changed since the claim. The next claim reads the rules again and says what.
        claim.unclaim(attempt, due_at=clock.now())
        return
    failpoints.hit("submit.before_request")
    try:
        handed = carriers.hand_over(attempt, content)
    except ProviderError as error:
        failpoints.hit("submit.after_request")
        results.failed(attempt.pk, error, actor=actor)
        return
    failpoints.hit("submit.after_request")
    results.accepted(attempt.pk, handed, actor=actor)


def begin(attempt: Attempt) -> bool:
    """The last thing before the request: take the right to make it, if nobody has said stop since.

    One UPDATE checks that the claim is still ours and reads opt-out, suppression, the stop switch,
    the campaign, the recall and the appointment again. Once it commits, the request may have left.
    """
    now = clock.now()
    began = moves.move(
        attempt.pk,
        to=AttemptState.SUBMITTING,
        sources=(AttemptState.CLAIMED,),
        only_if=Q(claimed_at=attempt.claimed_at) & last_look.nobody_said_stop(attempt),
        submitted_at=now,
    )
    if began:
        attempt.state, attempt.submitted_at = AttemptState.SUBMITTING, now
    return began
