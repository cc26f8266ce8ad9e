"""Which message goes with an appointment: planned as rows, in the transaction of the change.

Words are made when the message is sent, from the appointment as it then is (`messages.render`).
"""

from datetime import datetime

from patients import opt_out
from patients.models import NumberKind, Patient
from recall.models import Appointment, Attempt, AttemptState, Channel, Purpose
from sightsync.lib import clock

# Before every recall (`recall.priority` ends below): somebody is waiting for these.
PRIORITY = 1_000_000


def channel_for(patient: Patient) -> Channel | None:
    """SMS to a mobile, else email, else nothing; never a channel that the patient turned off."""
    can_text = patient.phone_kind == NumberKind.MOBILE and patient.phone_wrong_at is None
    if can_text and not opt_out.is_opted_out(patient, Channel.SMS):
        return Channel.SMS
    can_mail = bool(patient.email) and patient.email_bounced_at is None
    if can_mail and not opt_out.is_opted_out(patient, Channel.EMAIL):
        return Channel.EMAIL
    return None


def message(
    *, appointment: Appointment, purpose: Purpose, channel: Channel, due_at: datetime
) -> Attempt:
    """An unsaved planned message about this version of the appointment."""
    return Attempt(
        practice_id=appointment.practice_id,
        patient_id=appointment.patient_id,
        appointment=appointment,
        appointment_version=appointment.version,
        channel=channel,
        purpose=purpose,
        state=AttemptState.PLANNED,
        priority=PRIORITY,
        due_at=due_at,
        created_at=clock.now(),
    )


def plan(*, appointment: Appointment, patient: Patient, purpose: Purpose) -> None:
    """Plan a confirmation or a cancellation notice for now; one per version, whoever asks twice."""
    channel = channel_for(patient)
    if channel is not None:
        row = message(appointment=appointment, purpose=purpose, channel=channel, due_at=clock.now())
        Attempt.objects.bulk_create([row], ignore_conflicts=True)


def withdraw(*, appointment: Appointment, reason: str) -> None:
    """What was planned about the appointment is not sent: it was moved or cancelled, or is over."""
    Attempt.objects.filter(appointment=appointment, state=AttemptState.PLANNED).update(
        state=AttemptState.CANCELLED, reason=reason, ended_at=clock.now()
    )
