"""What needs a person: putting it before the staff once, and noting that it is done.

A finished task stays finished. Finishing one wakes the patient's recall; what becomes of that is
the chain's to decide.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from patients.models import Patient
from practices import journal
from practices.journal import Actor
from practices.models import Practice, User
from recall.models import Attempt, Episode, EpisodeState, StaffTask, TaskKind
from sightsync.lib import clock

_ENGINE = Actor.system("recall")

# The code with which a task is finished when the recall shall go on by machine.
CONTINUE = "continue"
BY_HAND = "by_hand"

# While one of these is open nobody is contacted by machine, and once it is done a person has
# spoken to the patient.
TAKES_OVER = frozenset({TaskKind.CALL_BACK, TaskKind.HUMAN, TaskKind.SYMPTOMS, TaskKind.DECEASED})


@transaction.atomic
def open_task(
    *,
    practice: Practice,
    kind: TaskKind,
    actor: Actor,
    patient: Patient | None = None,
    attempt: Attempt | None = None,
    urgent: bool = False,
    due_at: datetime | None = None,
) -> StaffTask:
    """Put a task before the staff; the same one again when it is there already.

    There is one open task per patient and kind, and one ever per attempt and kind: what was dealt
    with does not come back when a callback repeats. A task without a patient is always new.
    """
    kind = TaskKind(kind)
    known = _known(practice, kind, patient, attempt)
    if known is None:
        task = StaffTask(
            practice=practice,
            patient=patient,
            attempt=attempt,
            kind=kind,
            urgent=urgent,
            due_at=due_at,
            created_at=clock.now(),
        )
        # Two at once: the partial unique index lets one in, and the other finds it.
        StaffTask.objects.bulk_create([task], ignore_conflicts=True)
        known = _known(practice, kind, patient, attempt) or task
        if known.pk == task.pk:
            _journal(task, "task.opened", actor, urgent=urgent)
    if urgent and not known.urgent and known.done_at is None:
        StaffTask.objects.filter(pk=known.pk).update(urgent=True)
        known.urgent = True
    return known


def _known(
    practice: Practice, kind: TaskKind, patient: Patient | None, attempt: Attempt | None
) -> StaffTask | None:
    tasks = StaffTask.objects.filter(practice=practice, kind=kind)
    if attempt is not None:
        found = tasks.filter(attempt=attempt).first()
        if found is not None:
            return found
    if patient is None:
        return None
    return tasks.filter(patient=patient, done_at=None).first()


@transaction.atomic
def finish(
    *, task: StaffTask, actor: Actor, note_code: str = BY_HAND, user: User | None = None
) -> bool:
    """Mark the task as dealt with; whether this did. `note_code` CONTINUE lets the recall go on.

    The patient's recall is woken in the same transaction.
    """
    now = clock.now()
    done = StaffTask.objects.filter(pk=task.pk, done_at=None).update(
        done_at=now, done_by_id=user.pk if user else _user_of(actor), done_code=note_code
    )
    if not done:
        return False
    _journal(task, "task.finished", actor, code=note_code)
    if task.patient_id is not None:
        Episode.objects.filter(
            practice=task.practice_id,
            patient=task.patient_id,
            closed_at=None,
            state=EpisodeState.NEEDS_STAFF,
        ).update(next_step_at=now)
    return True


def _user_of(actor: Actor) -> UUID | None:
    return UUID(actor.id) if actor.kind == "user" else None


def _journal(task: StaffTask, action: str, actor: Actor, **facts: object) -> None:
    journal.record(
        practice=task.practice_id,
        action=action,
        actor=actor,
        patient=task.patient_id,
        subject=task,
        facts={"kind": str(task.kind), **facts},
    )
