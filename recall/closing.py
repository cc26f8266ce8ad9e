"""Owns closing a patient's record by hand: the mark on the record and the end of the recall, in one
transaction.

What is on its way to a carrier sees the mark as the last thing before it leaves. Appointments stay
as they are: whether one is still wanted only people know.
"""

from django.db import models, transaction

from patients import records
from patients.models import Patient
from practices.journal import Actor
from recall import episodes
from recall.models import Episode


class Because(models.TextChoices):
    LEFT = "left", "They have left the practice"
    DIED = "died", "They have died"


def close(*, patient: Patient, because: Because, actor: Actor) -> Patient:
    """The patient with the mark. A repeat changes nothing."""
    mark = records.mark_deceased if because == Because.DIED else records.archive
    with transaction.atomic():
        patient = mark(patient=patient, actor=actor)
        open_one = Episode.objects.filter(
            practice=patient.practice_id, patient=patient, closed_at=None
        ).first()
        if open_one is not None:
            episodes.advance(episode=open_one, actor=actor)
    return patient
