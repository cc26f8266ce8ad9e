"""The one door for "do not contact me": the wish and everything queued, in one transaction.

Voice, inbound messages, patients' pages and staff all come through here. What is on its way to a
carrier already sees the wish as the last thing before it leaves (`attempts.last_look`).
"""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from patients import opt_out as wishes
from patients.models import Patient
from practices.journal import Actor
from practices.models import Practice
from recall import episodes
from recall.models import Attempt, AttemptState, Episode, EpisodeState
from sightsync.lib import clock

REASON = "opted_out"


def opt_out(
    *,
    practice: Practice,
    source: str,
    actor: Actor,
    patients: Iterable[Patient] = (),
    phone: str = "",
    channel: str | None = None,
) -> int:
    """Record it for the patients, and for a number (E.164) whether or not anybody has it; how many
    patients it now holds for, everybody who shares the number included.

    `channel` None is all contact. A repeat changes nothing. `source` is a code for the journal:
    phone_call, sms_reply, whatsapp_reply, opt_out_page, email_one_click, staff.
    """
    with transaction.atomic():
        reached: set[UUID] = set()
        if phone:
            said = wishes.record_number(
                practice=practice, phone=phone, source=source, actor=actor, channel=channel
            )
            reached.update(said.patients)
        for patient in patients:
            if patient.practice_id != practice.pk:
                raise ValueError("a patient of another practice")
            said = wishes.record(patient=patient, source=source, actor=actor, channel=channel)
            reached.update(said.patients)
        _withdraw(practice, reached, channel, actor)
    return len(reached)


def _withdraw(
    practice: Practice, patients: Iterable[UUID], channel: str | None, actor: Actor
) -> None:
    """Close or turn the patients' recalls, and cancel every planned message and call."""
    keys = list(patients)
    open_ones = Episode.objects.filter(practice=practice, patient__in=keys, closed_at=None)
    for episode in open_ones.order_by("patient_id"):
        if channel is None:
            episodes.close(
                episode=episode, state=EpisodeState.OPTED_OUT, reason=REASON, actor=actor
            )
    planned = Attempt.objects.filter(
        practice=practice, patient__in=keys, state=AttemptState.PLANNED
    )
    if channel is not None:
        planned = planned.filter(channel=channel)
    planned.update(state=AttemptState.CANCELLED, reason=REASON, ended_at=clock.now())
    if channel is not None:
        for episode in open_ones.order_by("patient_id"):
            episodes.advance(episode=episode, actor=actor)
