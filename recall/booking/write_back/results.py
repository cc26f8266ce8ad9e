"""Writing down what another system's answer says of a copy. It never sends anything.

What was claimed is known by its lease: an answer that comes after the lease was taken away changes
nothing, for by then somebody else looks what stands there.
"""

import logging
from datetime import timedelta
from typing import Any

from django.db import transaction

from integrations.models import ConnectionState
from integrations.pms.connector import Standing
from practices import journal
from practices.journal import Actor
from recall import staff_tasks
from recall.booking.write_back import copies
from recall.booking.write_back.states import Deed
from recall.booking.write_back.work import Work
from recall.models import AppointmentCopy, CopyState, StaffTask, TaskKind
from sightsync.lib import clock, failpoints
from sightsync.lib.errors import ProviderError

logger = logging.getLogger(__name__)

FIRST_BACKOFF = timedelta(seconds=15)
LONGEST_BACKOFF = timedelta(minutes=15)
LOOK_AFTER = timedelta(seconds=30)
"""A request that we gave up waiting for may still be under way: it is looked for after this."""
LOOKS_BEFORE_STAFF = 7
"""About half an hour of looking in vain."""
GONE = frozenset({"gone", "not_found", "event_gone"})
"""Codes that say that what we meant to move does not stand there any more."""
AT_FAULT = frozenset({"auth", "forbidden", "no_calendar", "no_address", "bad_url", "redirect"})
"""Codes of whatever we ask, until somebody connects the system again."""
CONNECT_AGAIN = "connect_again"
MADE_THERE = "made_there"
"""The system lets us change only what we wrote."""
KEPT = 32
"""As much of a provider's code as `reason` holds."""


def needs_person(error: ProviderError) -> bool:
    """Whether it is not this appointment that is refused but whatever we ask, until somebody of the
    practice connects the system again.
    """
    refused = error.kind is ProviderError.Kind.REJECTED
    return refused and (error.code in AT_FAULT or error.code.startswith("url_"))


def done(work: Work, standing: Standing | None, *, actor: Actor) -> None:
    """The system did as asked; `standing` is what stands there now, None after a cancellation."""
    with transaction.atomic():
        copy = _ours(work)
        if copy is not None:
            _stands(copy, work.version if standing else 0, standing, actor)
            failpoints.hit("copy.record.before_commit")
    failpoints.hit("copy.record.after_commit")


def failed(work: Work, error: ProviderError, *, can_look: bool, actor: Actor) -> None:
    """The request did not succeed; the error's kind says what may be done about it."""
    with transaction.atomic():
        copy = _ours(work)
        if copy is not None:
            if error.kind is ProviderError.Kind.REJECTED:
                _rejected(copy, work, error, actor)
            elif error.kind is ProviderError.Kind.TEMPORARY or work.deed is Deed.CANCEL:
                # Cancelling twice does no harm, so that its fate need not be known.
                _again(copy, error)
            else:
                _unknown(copy, error, can_look=can_look, actor=actor)
            failpoints.hit("copy.record.before_commit")
    failpoints.hit("copy.record.after_commit")


def looked(work: Work, found: Standing | None, *, actor: Actor) -> None:
    """What stands there under our reference, after a request of unknown fate."""
    with transaction.atomic():
        copy = _ours(work)
        if copy is None:
            return
        if found is None:
            _absent(copy, work, actor)
        elif work.version and _is_up_to_date(work, found):
            _stands(copy, work.version, found, actor)
        else:
            # An older version stands there, or one that should not: that much is known now.
            _to(copy, CopyState.ACCEPTED, standing=copy.standing or 1, **_ids(found))


def not_found_out(work: Work, error: ProviderError, *, actor: Actor) -> None:
    """Even looking failed: look again later; in the end it is a person's to look."""
    with transaction.atomic():
        copy = _ours(work)
        if copy is None:
            return
        if _is_waited_for(copy, error):
            _wait_for_staff_to_connect(copy)
            return
        AppointmentCopy.objects.filter(pk=copy.pk).update(
            lease_until=None,
            reason=error.code[:KEPT],
            next_try_at=clock.now() + _backoff(copy.tries, error.retry_after),
        )
        if copy.tries >= LOOKS_BEFORE_STAFF:
            _tell_staff(copy, actor)


def not_findable(work: Work, *, actor: Actor) -> None:
    """The system cannot be asked by our reference: whether it stands there is a person's to say."""
    with transaction.atomic():
        copy = _ours(work)
        if copy is not None:
            leave_to_staff(copy, copy.reason, actor=actor)


def leave_to_staff(
    copy: AppointmentCopy, code: str, *, actor: Actor, tell_staff: bool = True
) -> None:
    """It stays unknown and is not looked for by itself any more. Inside the caller's transaction,
    under the patient's lock.
    """
    AppointmentCopy.objects.filter(pk=copy.pk, state=CopyState.UNKNOWN).update(
        lease_until=None, next_try_at=None, reason=code[:KEPT]
    )
    if tell_staff:
        _tell_staff(copy, actor)


def agrees(copy: AppointmentCopy, *, actor: Actor) -> None:
    """What should stand there does already: nothing, when it was cancelled before it was written.
    Inside the caller's transaction, under the patient's lock.
    """
    if _to(copy, CopyState.WRITTEN, next_try_at=None):
        _finish_task(copy, actor)


def give_up(copy: AppointmentCopy, code: str, *, actor: Actor, tell_staff: bool = True) -> None:
    """It is not tried again by itself. In the caller's transaction, under the patient's lock."""
    if not _to(copy, CopyState.FAILED, next_try_at=None, reason=code[:KEPT]):
        return
    _journal(copy, "appointment.write_failed", actor, code=code[:KEPT], version=copy.wanted)
    if tell_staff:
        _tell_staff(copy, actor)


# --- inside -------------------------------------------------------------------------------------


def _ours(work: Work) -> AppointmentCopy | None:
    """The copy, locked, if the claim still holds."""
    copy = copies.lock(work.copy_id)
    state = CopyState.UNKNOWN if work.look else CopyState.WRITING
    if copy is None or copy.state != state or copy.lease_until != work.lease:
        logger.warning("copy was taken away", extra={"copy": work.copy_id})
        return None
    return copy


def _is_up_to_date(work: Work, found: Standing) -> bool:
    """Whether what stands there is the version that we meant to write. A first version needs no
    proof: nothing of ours can have stood there before it.
    """
    return work.version == 1 or found.starts_at == work.entry.starts_at


def _stands(copy: AppointmentCopy, version: int, found: Standing | None, actor: Actor) -> None:
    """That version stands there (0: nothing); the appointment may have changed meanwhile."""
    facts: dict[str, Any] = {"standing": version, **_ids(found)}
    if copy.wanted == version:
        _to(copy, CopyState.WRITTEN, next_try_at=None, written_at=clock.now(), **facts)
        _finish_task(copy, actor)
    else:
        _to(copy, CopyState.ACCEPTED, **facts)
    _journal(copy, "appointment.written", actor, version=version)


def _absent(copy: AppointmentCopy, work: Work, actor: Actor) -> None:
    if copy.wanted == 0:
        _stands(copy, 0, None, actor)
    else:
        # Known not to stand there: what was asked for did not happen, and may be asked for again.
        _to(copy, CopyState.ACCEPTED, standing=None, external_id="", external_version="")


def _is_waited_for(copy: AppointmentCopy, error: ProviderError) -> bool:
    """Connectors may have told the connection of what needs a person themselves."""
    return needs_person(error) or copy.connection.state == ConnectionState.NEEDS_ATTENTION


def _rejected(copy: AppointmentCopy, work: Work, error: ProviderError, actor: Actor) -> None:
    if _is_waited_for(copy, error):
        _wait_for_staff_to_connect(copy)
    elif error.code in GONE and work.deed is Deed.MOVE:
        _to(copy, CopyState.ACCEPTED, standing=None, external_id="", external_version="")
    else:
        give_up(copy, error.code or "refused", actor=actor)


def _wait_for_staff_to_connect(copy: AppointmentCopy) -> None:
    """The claim finds the connection marked, and looks again from time to time."""
    values: dict[str, Any] = {"reason": CONNECT_AGAIN, "lease_until": None}
    if copy.state == CopyState.WRITING:
        _to(copy, CopyState.ACCEPTED, **values)
    else:
        AppointmentCopy.objects.filter(pk=copy.pk).update(next_try_at=clock.now(), **values)


def _again(copy: AppointmentCopy, error: ProviderError) -> None:
    """Known not to have been taken. What else waits for that system waits with it: one request at a
    time finds out whether it is back.
    """
    until = clock.now() + _backoff(copy.tries, error.retry_after)
    _to(
        copy,
        CopyState.ACCEPTED,
        reason=error.code[:KEPT],
        next_try_at=until,
        tries=copy.tries,
    )
    AppointmentCopy.objects.filter(
        connection=copy.connection_id, state=CopyState.ACCEPTED, next_try_at__lt=until
    ).update(next_try_at=until)


def _unknown(copy: AppointmentCopy, error: ProviderError, *, can_look: bool, actor: Actor) -> None:
    _to(
        copy,
        CopyState.UNKNOWN,
        reason=error.code[:KEPT],
        next_try_at=clock.now() + LOOK_AFTER if can_look else None,
        tries=0,
    )
    if not can_look:
        _tell_staff(copy, actor)


def _backoff(tries: int, retry_after: float | None) -> timedelta:
    delay = min(FIRST_BACKOFF * (1 << min(max(tries - 1, 0), 10)), LONGEST_BACKOFF)
    return max(delay, timedelta(seconds=min(retry_after or 0, 3600)))


def _to(copy: AppointmentCopy, state: CopyState, **changes: Any) -> bool:
    values: dict[str, Any] = {
        "lease_until": None,
        "reason": "",
        "next_try_at": clock.now(),
        "tries": 0,
        **changes,
    }
    return copies.move(
        copy.pk,
        to=state,
        sources=(CopyState(copy.state),),
        only_if=copies.held(copy.lease_until),
        **values,
    )


def _ids(found: Standing | None) -> dict[str, str]:
    """What the system calls it. A cancelled one keeps its name, by which it is known again."""
    if found is None:
        return {"external_version": ""}
    return {"external_id": found.external_id, "external_version": found.version}


def _tell_staff(copy: AppointmentCopy, actor: Actor) -> None:
    staff_tasks.open_task(
        practice=copy.practice,
        patient=copy.appointment.patient,
        kind=TaskKind.WRITE_BACK,
        actor=actor,
    )


def _finish_task(copy: AppointmentCopy, actor: Actor) -> None:
    """It stands there after all. Another appointment of the patient may still not."""
    patient = copy.appointment.patient_id
    others = AppointmentCopy.objects.filter(
        appointment__patient=patient, state__in=[CopyState.FAILED, CopyState.UNKNOWN]
    )
    if others.exclude(pk=copy.pk).exists():
        return
    for task in StaffTask.objects.filter(
        practice=copy.practice_id, patient=patient, kind=TaskKind.WRITE_BACK, done_at=None
    ):
        staff_tasks.finish(task=task, actor=actor, note_code="written")


def _journal(copy: AppointmentCopy, action: str, actor: Actor, **facts: Any) -> None:
    journal.record(
        practice=copy.practice_id,
        action=action,
        actor=actor,
        patient=copy.appointment.patient_id,
        subject=copy.appointment,
        facts={"system": copy.connection.kind, **facts},
    )
