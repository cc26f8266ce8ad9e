"""One call asked for by name, placed while the asker waits: planned, claimed and handed over here
and now, by the same steps as a worker's.
"""

import math
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from patients.models import Patient
from practices.journal import Actor
from practices.models import Practice
from recall import episodes
from recall.attempts import claim, dialler, moves, pace, submit
from recall.attempts.carriers import Content, account_of
from recall.attempts.dialler import BY_HAND_PRIORITY
from recall.models import Attempt, AttemptState, CampaignState, Channel, Episode, Purpose
from sightsync.lib import clock
from sightsync.lib.errors import AppError

RETRY_AFTER_S = 30
_REFUSALS = {
    "bad_number": (422, "The carrier says that the number cannot be rung."),
    "drama_number": (422, "The number is reserved for fiction and is nobody's."),
    "carrier_opt_out": (409, "The patient has opted out with the carrier."),
}


@dataclass(frozen=True, slots=True)
class Planned:
    """A call that waits for the dialler; `opened` when its recall was opened for it."""

    attempt: Attempt
    opened: bool


def plan(
    *,
    practice: Practice,
    patient: Patient,
    actor: Actor,
    extended: dict[str, Any] | None = None,
) -> Planned:
    """Plan a call for now, for the dialler. Raises AppError as `dialler.plan_call`, and 409
    `call_under_way` when somebody has asked for this patient's call already, or `recall_paused`.
    """
    with transaction.atomic():
        # Whoever asks for the same patient waits here, and then finds what was planned.
        list(Patient.objects.select_for_update(no_key=True).filter(pk=patient.pk).values_list("pk"))
        asked = set(
            Attempt.objects.filter(
                patient=patient,
                channel=Channel.VOICE,
                purpose=Purpose.RECALL,
                state=AttemptState.PLANNED,
                priority=BY_HAND_PRIORITY,
            ).values_list("pk", flat=True)
        )
        was_open = Episode.objects.filter(
            practice=practice, patient=patient, closed_at=None
        ).exists()
        attempt = dialler.plan_call(practice=practice, patient=patient, actor=actor)
        if attempt.pk in asked:
            raise AppError(
                "call_under_way",
                "A call to the patient has been asked for already.",
                409,
                reason="call_under_way",
                call_id=attempt.public_id,
            )
        if _is_paused(attempt):
            raise AppError(
                "recall_paused",
                "The patient's recall is paused: nothing leaves until it is taken up again.",
                409,
                reason="recall_paused",
            )
        if extended is not None:
            Attempt.objects.filter(pk=attempt.pk).update(extended=extended)
    return Planned(attempt, opened=not was_open)


def _is_paused(attempt: Attempt) -> bool:
    """Whether a person at the practice holds it: a call then would wait without end."""
    campaign, episode = attempt.campaign, attempt.episode
    return (campaign is not None and campaign.state == CampaignState.PAUSED) or (
        episode is not None and episode.paused
    )


def call_now(
    *,
    practice: Practice,
    patient: Patient,
    actor: Actor,
    extended: dict[str, Any] | None = None,
) -> Attempt:
    """Ring the patient now; the attempt, handed to the carrier, or still planned when every line or
    this second's place is taken (the dialler places it then).

    Takes at most the carrier's ten seconds and the pace's three. Raises AppError: the rules'
    refusal as `plan`, the carrier's (409, 422), or 503 with Retry-After when the carrier cannot be
    reached; then no call was counted and none will follow from this request.
    """
    planned = plan(practice=practice, patient=patient, actor=actor, extended=extended)
    attempt = planned.attempt
    if pace.wait(account_of(practice).sid):
        claimed = claim.claim(attempt.pk, actor=actor)
        if claimed is not None:
            submit.submit(claimed, compose=_nothing, actor=actor)
    attempt = Attempt.objects.select_related("practice", "patient").get(pk=attempt.pk)
    if attempt.state == AttemptState.PLANNED:
        _check_waiting(planned, attempt, actor)
    elif attempt.state == AttemptState.CANCELLED:
        dialler.check_allowed(practice, attempt.patient, clock.now())
        raise AppError("call_cancelled", "The call was cancelled before it was placed.", 409)
    elif attempt.state == AttemptState.FAILED and not attempt.provider_ref:
        _refused_by_carrier(attempt)
    return attempt


def _nothing(attempt: Attempt) -> Content:
    """A call has no content: what is said is asked for when somebody answers."""
    return Content()


def _check_waiting(planned: Planned, attempt: Attempt, actor: Actor) -> None:
    """Why it is still planned: nothing where it only waits its turn."""
    if attempt.reason == "carrier_busy":
        wait = math.ceil((attempt.due_at - clock.now()).total_seconds())
        _withdraw(planned, actor, "carrier_unavailable")
        raise _carrier_down(max(wait, RETRY_AFTER_S))
    if attempt.due_at > clock.now():
        # The claim put it off: a rule has changed its mind since it was planned.
        try:
            dialler.check_allowed(attempt.practice, attempt.patient, clock.now())
        except AppError:
            _withdraw(planned, actor, attempt.reason)
            raise


def _withdraw(planned: Planned, actor: Actor, reason: str) -> None:
    """Nothing comes of the request: what was begun for it ends, and what went on before goes on."""
    with transaction.atomic():
        attempt = moves.lock(planned.attempt.pk)
        if attempt is None or not claim.cancel(
            attempt, reason=reason, actor=actor, goes_on=not planned.opened
        ):
            return
        if planned.opened and attempt.episode is not None:
            episodes.end(episode=attempt.episode, reason=reason, actor=actor)


def _refused_by_carrier(attempt: Attempt) -> None:
    if attempt.reason in _REFUSALS:
        status, message = _REFUSALS[attempt.reason]
        raise AppError(
            attempt.reason, message, status, reason=attempt.reason, call_id=attempt.public_id
        )
    raise _carrier_down(RETRY_AFTER_S, code="carrier_refused", call_id=attempt.public_id)


def _carrier_down(seconds: int, code: str = "carrier_unavailable", **extra: str) -> AppError:
    return AppError(
        code,
        "The carrier does not take the call now. Nothing was counted.",
        503,
        headers={"Retry-After": str(seconds)},
        **extra,
    )
