"""A patient asks, on their page, to be rung by a person: a task for the staff, and no machine until
it is done.
"""

from django.db import transaction

from patients.models import Patient
from practices.journal import Actor
from practices.models import Practice
from recall import staff_tasks
from recall.booking import recall_effect
from recall.models import StaffTask, TaskKind


def ask(*, practice: Practice, patient: Patient, actor: Actor) -> None:
    """Asking twice is asking once."""
    with transaction.atomic():
        staff_tasks.open_task(
            practice=practice, patient=patient, kind=TaskKind.CALL_BACK, actor=actor
        )
        recall_effect.look_again(patient=patient, actor=actor)


def is_asked(*, practice: Practice, patient: Patient) -> bool:
    """Whether the staff still have it to do."""
    return StaffTask.objects.filter(
        practice=practice, patient=patient, kind=TaskKind.CALL_BACK, done_at=None
    ).exists()
