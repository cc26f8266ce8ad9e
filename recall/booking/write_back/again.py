"""Copies that could not be written: tried again by people, or once their system was connected or
set up anew; and jobs that gave up.
"""

from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from integrations.models import Connection, ConnectionState
from practices import job_tries, journal
from practices.journal import Actor
from recall import staff_tasks
from recall.booking.write_back import copies, results
from recall.models import Appointment, AppointmentCopy, CopyState, StaffTask, TaskKind
from sightsync.lib import clock

JOB = "recall.tasks.write_copy"
RETRIED = "retried"
STUCK = (CopyState.FAILED, CopyState.UNKNOWN)
OF_THE_CONNECTION = results.AT_FAULT | {
    "no_write_permission",
    "no_read_permission",
    "not_supported",
    "disconnected",
    "no_staff",
    "staff_gone",
    "staff_refused",
    "service_gone",
    "service_refused",
    "wrong_length",
    "not_found",
}
"""Refusals that may be over once the system is connected or set up anew."""


def try_again(*, appointment: Appointment, actor: Actor) -> int:
    """Plan what failed again, and look again for what is not known; how many copies. Ends the task:
    if it fails once more there is a new one.
    """
    with transaction.atomic():
        stuck = AppointmentCopy.objects.filter(appointment=appointment, state__in=STUCK)
        woken = [copy.pk for copy in stuck if _wake(copy.pk)]
        if not woken:
            return 0
        journal.record(
            practice=appointment.practice_id,
            action="appointment.write_again",
            actor=actor,
            patient=appointment.patient_id,
            subject=appointment,
        )
        _finish_task(appointment, actor)
    for key in woken:
        job_tries.finish(f"{JOB}:{key}")
    return len(woken)


def is_mended_by_connecting(copy: AppointmentCopy) -> bool:
    """Whether it was refused, or not looked for, for the connection's sake; and nobody has dealt
    with it by hand since, for then it may stand there.
    """
    refused = copy.state == CopyState.FAILED and copy.reason in OF_THE_CONNECTION
    lost = copy.state == CopyState.UNKNOWN and copy.next_try_at is None
    if not refused and not lost:
        return False
    by_hand = StaffTask.objects.filter(
        practice=copy.practice_id,
        patient=copy.appointment.patient_id,
        kind=TaskKind.WRITE_BACK,
        done_code=staff_tasks.BY_HAND,
        done_at__gte=copy.created_at,
    )
    return lost or not by_hand.exists()


def after_connecting(*, appointment: Appointment, connection: Connection) -> None:
    """Try its copy in that system again, if connecting has mended what was wrong. In the caller's
    transaction, under the patient's lock; a task about it ends when it is written.
    """
    copy = AppointmentCopy.objects.filter(appointment=appointment, connection=connection).first()
    if copy is not None and is_mended_by_connecting(copy) and _wake(copy.pk):
        job_tries.finish(f"{JOB}:{copy.pk}")


def _wake(copy_id: UUID) -> bool:
    copy = copies.lock(copy_id)
    if copy is None:
        return False
    now = clock.now()
    if copy.state == CopyState.UNKNOWN:
        rows = AppointmentCopy.objects.filter(pk=copy_id, state=CopyState.UNKNOWN)
        return rows.update(next_try_at=now, tries=0) == 1
    return copies.move(
        copy_id,
        to=CopyState.ACCEPTED,
        sources=(CopyState.FAILED,),
        reason="",
        tries=0,
        next_try_at=now,
    )


def finish_overtaken(*, actor: Actor) -> int:
    """End the tasks about systems that were disconnected since: nobody wants it there any more. How
    many.
    """
    matters = ~Q(connection__state=ConnectionState.DISCONNECTED)
    matters |= Q(reason="disconnected", standing__isnull=False)
    stuck = AppointmentCopy.objects.filter(
        matters, appointment__patient=OuterRef("patient"), state__in=STUCK
    )
    tasks = StaffTask.objects.filter(kind=TaskKind.WRITE_BACK, done_at=None)
    overtaken = list(tasks.exclude(Exists(stuck)))
    for task in overtaken:
        staff_tasks.finish(task=task, actor=actor, note_code="disconnected")
    return len(overtaken)


def _finish_task(appointment: Appointment, actor: Actor) -> None:
    for task in StaffTask.objects.filter(
        practice=appointment.practice_id,
        patient=appointment.patient_id,
        kind=TaskKind.WRITE_BACK,
        done_at=None,
    ):
        staff_tasks.finish(task=task, actor=actor, note_code=RETRIED)


def job_failed(copy_id: UUID, *, actor: Actor) -> None:
    """The job broke off too often: put the copy out of reach of the queue, and tell a person."""
    with transaction.atomic():
        copy = copies.lock(copy_id)
        if copy is None:
            return
        if copy.state == CopyState.WRITING:
            # It may stand there: whoever tries again begins by looking.
            copies.move(copy_id, to=CopyState.UNKNOWN, lease_until=None)
            copy.state, copy.lease_until = CopyState.UNKNOWN, None
        if copy.state == CopyState.UNKNOWN:
            results.leave_to_staff(copy, "job_failed", actor=actor)
        elif copy.state == CopyState.ACCEPTED:
            results.give_up(copy, "job_failed", actor=actor)
