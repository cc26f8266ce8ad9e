"""Buying a dedicated number and giving it back, step by step over minutes or days.

Each step is claimed by one conditional update with a lease, makes its requests with no transaction
open, and writes what it learnt. What a request made carries our reference and is looked for before
it is made again, so that a step may be repeated after any crash; a purchase of unknown fate is
looked for and never repeated while it may have happened.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from integrations.models import DedicatedNumber, NumberState
from integrations.models.numbers import OPEN_STATES
from integrations.numbers import steps
from integrations.numbers.steps import Learnt
from practices import journal, plans, policy
from practices.journal import Actor
from practices.models import Practice, User
from sightsync.lib import clock, failpoints, jobs
from sightsync.lib.errors import AppError, ProviderError

LEASE = timedelta(minutes=3)
"""Longer than all requests of a step can take. By the machine's clock."""
FIRST_BACKOFF = timedelta(seconds=30)
LONGEST_BACKOFF = timedelta(hours=1)
WORKER = Actor.system("worker")

_STEPS: dict[str, Callable[[DedicatedNumber], Learnt]] = {
    NumberState.CHOSEN: steps.address,
    NumberState.ADDRESS: steps.address,
    NumberState.BUNDLE: steps.bundle,
    NumberState.REVIEW: steps.review,
    NumberState.BUYING: steps.buy,
    NumberState.UNKNOWN: steps.look,
    NumberState.RELEASING: steps.give_back,
}
BEFORE_BUYING = (
    NumberState.CHOSEN,
    NumberState.ADDRESS,
    NumberState.BUNDLE,
    NumberState.REVIEW,
    NumberState.REFUSED,
)


def of(practice: Practice) -> DedicatedNumber | None:
    """The practice's number, or the one it is getting or giving back."""
    return DedicatedNumber.objects.filter(practice=practice, state__in=OPEN_STATES).first()


def choose(
    *,
    practice: Practice,
    phone_number: str,
    number_type: str,
    papers: dict[str, str],
    user: User,
    actor: Actor,
) -> DedicatedNumber:
    """Begin to buy the number. Raises AppError 403 when the plan has none, 409 while there is one.

    The same number asked for twice is the same purchase.
    """
    if not plans.has_dedicated_number(practice.plan):
        raise AppError(
            "not_in_plan", "A number of your own is part of the Practice and Group plans.", 403
        )
    with transaction.atomic():
        Practice.objects.select_for_update().get(pk=practice.pk)
        standing = of(practice)
        if standing is not None:
            if standing.phone_number == phone_number:
                return standing
            raise AppError("number_exists", "There is a number already. Give it back first.", 409)
        row = DedicatedNumber.objects.create(
            practice=practice,
            phone_number=phone_number,
            number_type=number_type,
            papers=papers,
            asked_by=user,
            created_at=clock.now(),
            next_step_at=clock.now(),
        )
        _note(row, "number.chosen", actor)
        jobs.enqueue("integrations.tasks.number_step", str(row.pk))
    return row


def correct(*, number: DedicatedNumber, papers: dict[str, str], actor: Actor) -> bool:
    """Hand the papers in again after a refusal; whether it was waiting for that."""
    with transaction.atomic():
        moved = DedicatedNumber.objects.filter(pk=number.pk, state=NumberState.REFUSED).update(
            state=NumberState.ADDRESS,
            papers=papers,
            address_sid="",
            bundle_sid="",
            end_user_sid="",
            document_sid="",
            reason="",
            tries=0,
            papers_edition=F("papers_edition") + 1,
            next_step_at=clock.now(),
        )
        if moved:
            _note(number, "number.papers_corrected", actor)
            jobs.enqueue("integrations.tasks.number_step", str(number.pk))
    return bool(moved)


def abandon(*, number: DedicatedNumber, actor: Actor) -> bool:
    """Stop before anything is bought; whether that was still possible."""
    with transaction.atomic():
        moved = (
            DedicatedNumber.objects.filter(pk=number.pk, state__in=BEFORE_BUYING)
            .filter(_free())
            .update(state=NumberState.FAILED, reason="abandoned", next_step_at=None)
        )
        if moved:
            _note(number, "number.abandoned", actor)
    return bool(moved)


def release(*, number: DedicatedNumber, actor: Actor) -> bool:
    """Begin to give it back: calls and texts leave from the number before it at once."""
    with transaction.atomic():
        moved = DedicatedNumber.objects.filter(pk=number.pk, state=NumberState.ACTIVE).update(
            state=NumberState.RELEASING, next_step_at=clock.now(), tries=0
        )
        if moved:
            if number.practice.caller_number == number.phone_number:
                policy.change(
                    practice=number.practice,
                    values={"caller_number": number.replaces},
                    actor=actor,
                )
            _note(number, "number.releasing", actor)
            jobs.enqueue("integrations.tasks.number_step", str(number.pk))
    return bool(moved)


def due(now: datetime) -> list[UUID]:
    """Numbers whose next step has come and that nobody is at."""
    rows = DedicatedNumber.objects.filter(next_step_at__lte=now).filter(_free())
    return list(rows.values_list("pk", flat=True)[:20])


def step(key: UUID) -> bool:
    """Take the next step of one number; whether this caller was the one to take it."""
    row = _claim(key)
    if row is None:
        return False
    failpoints.hit("number.before_request")
    try:
        learnt = _STEPS[row.state](row)
    except ProviderError as error:
        learnt = _failure(row, error)
    failpoints.hit("number.after_request")
    _record(row, learnt)
    return True


def _free() -> Q:
    return Q(lease_until=None) | Q(lease_until__lt=clock.real_now())


def _claim(key: UUID) -> DedicatedNumber | None:
    taken = (
        DedicatedNumber.objects.filter(
            pk=key, next_step_at__lte=clock.now(), state__in=list(_STEPS)
        )
        .filter(_free())
        .update(lease_until=clock.real_now() + LEASE)
    )
    if not taken:
        return None
    return DedicatedNumber.objects.select_related("practice").get(pk=key)


def _failure(row: DedicatedNumber, error: ProviderError) -> Learnt:
    """Try again later, or say why it cannot be."""
    if error.kind is ProviderError.Kind.REJECTED:
        return steps.refused(row, error.code)
    wait = min(FIRST_BACKOFF * 2 ** min(row.tries, 10), LONGEST_BACKOFF)
    if error.retry_after is not None:
        wait = max(wait, timedelta(seconds=min(error.retry_after, 3600)))
    values: dict[str, Any] = {"reason": error.code, "tries": row.tries + 1}
    if row.state != NumberState.BUYING:
        return Learnt(row.state, wait=wait, values=values)
    if error.kind is ProviderError.Kind.TEMPORARY:
        return Learnt(row.state, wait=wait, values={**values, "submitted_at": None})
    return Learnt(NumberState.UNKNOWN, wait=FIRST_BACKOFF, values={"reason": error.code})


def _record(row: DedicatedNumber, learnt: Learnt) -> None:
    values: dict[str, Any] = {"reason": "", **learnt.values}
    if learnt.state != row.state and "tries" not in values:
        values["tries"] = 0
    next_at = None if learnt.wait is None else clock.now() + learnt.wait
    with transaction.atomic():
        moved = DedicatedNumber.objects.filter(pk=row.pk, lease_until=row.lease_until).update(
            state=learnt.state, next_step_at=next_at, lease_until=None, **values
        )
        if not moved:
            return
        if learnt.state != row.state:
            _note(row, f"number.{learnt.state}", WORKER)
        if learnt.state == NumberState.ACTIVE:
            _use(row)
        if learnt.wait is not None and learnt.wait <= timedelta(0):
            jobs.enqueue("integrations.tasks.number_step", str(row.pk))


def _use(row: DedicatedNumber) -> None:
    """From now on calls and texts leave from it. Inside the caller's transaction."""
    practice = Practice.objects.select_for_update().get(pk=row.practice_id)
    DedicatedNumber.objects.filter(pk=row.pk).update(
        active_at=clock.now(), replaces=practice.caller_number
    )
    policy.change(practice=practice, values={"caller_number": row.phone_number}, actor=WORKER)


def _note(row: DedicatedNumber, action: str, actor: Actor) -> None:
    facts = {"type": row.number_type}
    journal.record(practice=row.practice_id, action=action, actor=actor, subject=row, facts=facts)
