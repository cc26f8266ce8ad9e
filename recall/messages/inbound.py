"""What a patient writes back: kept once, then acted on once.

Keeping and acting are two transactions, because the carrier does not send a message again: should
acting fail, the message is still there, and `finish_left_over` takes it up.
"""

from collections.abc import Sequence
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from integrations.twilio import payloads
from patients.models import Patient
from practices import journal
from practices.journal import Actor
from practices.models import Practice
from recall import contact_stop, staff_tasks
from recall.booking import book
from recall.messages import meaning
from recall.messages.meaning import Meaning
from recall.models import Appointment, Attempt, Channel, InboundMessage, TaskKind
from recall.models.appointments import LIVE_APPOINTMENT
from sightsync.lib import clock

ACTOR = Actor.system("inbound")
LEFT_OVER_AFTER = timedelta(seconds=30)


def practices_with(number: str) -> list[Practice]:
    """Whose number it is. Practices on a small plan may share one."""
    if not number:
        return []
    return list(
        Practice.objects.filter(Q(caller_number=number) | Q(whatsapp_number=number)).order_by("pk")
    )


def receive(*, message: payloads.InboundMessage, practices: Sequence[Practice]) -> None:
    """Keep the message and act on it; a repeat of the carrier's changes nothing.

    `practices` are those with the number it was sent to, at least one.
    """
    said = Meaning.STOP if message.opt_out_type.upper() == "STOP" else None
    row = _keep(message, practices)
    act(row, said=said)


def act(row: InboundMessage, *, said: Meaning | None = None) -> None:
    """Do what a kept message asks for, once. `said` is the carrier's own reading, if any."""
    with transaction.atomic():
        row = (
            InboundMessage.objects.select_for_update(of=("self",))
            .select_related("practice", "patient")
            .get(pk=row.pk)
        )
        if row.meaning:
            return
        means = said or meaning.of(row.body)
        if means is Meaning.STOP:
            _stop(row)
        elif means is not Meaning.CONFIRM or not _confirm(row):
            means = Meaning.OTHER if means is Meaning.CONFIRM else means
            _ask_staff(row)
        row.meaning = means
        row.save(update_fields=["meaning", "patient"])
        journal.record(
            practice=row.practice,
            action="message.received",
            actor=Actor.patient(row.patient_id) if row.patient_id else ACTOR,
            patient=row.patient_id,
            subject=row,
            facts={"channel": row.channel, "meaning": str(means)},
        )


def finish_left_over() -> int:
    """Act on messages that were kept but not acted on; how many. The tick calls this."""
    rows = InboundMessage.objects.filter(
        meaning="", received_at__lt=clock.now() - LEFT_OVER_AFTER
    ).order_by("received_at")[:50]
    for row in rows:
        act(row)
    return len(rows)


# --- inside -------------------------------------------------------------------------------------


def _keep(message: payloads.InboundMessage, practices: Sequence[Practice]) -> InboundMessage:
    practice, patient = _home(message.from_, practices)
    try:
        with transaction.atomic():
            return InboundMessage.objects.create(
                practice=practice,
                patient=patient,
                channel=message.channel,
                provider_ref=message.sid,
                sender=message.from_[:20],
                body=message.body or message.button,
                received_at=clock.now(),
            )
    except IntegrityError:
        return InboundMessage.objects.get(provider_ref=message.sid)


def _home(sender: str, practices: Sequence[Practice]) -> tuple[Practice, Patient | None]:
    """Which of the practices, and which patient, the sender answers: the last to have been written
    to or rung at this number, else anybody who has it.
    """
    last = (
        Attempt.objects.filter(
            practice__in=practices, destination=sender, submitted_at__isnull=False
        )
        .select_related("practice", "patient")
        .order_by("-submitted_at")
        .first()
    )
    if last is not None:
        return last.practice, last.patient
    patient = (
        Patient.objects.filter(practice__in=practices, phone_number=sender, erased_at=None)
        .select_related("practice")
        .order_by("archived_at", "pk")
        .first()
    )
    return (patient.practice, patient) if patient else (practices[0], None)


def _stop(row: InboundMessage) -> None:
    """For every practice that writes from that number: the carrier blocks them all alike.

    The carrier takes a bare "cancel" for a stop, and so must we; but somebody with an appointment
    may have meant that, so a person asks.
    """
    may_mean_appointment = meaning.plain(row.body) in meaning.MAY_MEAN_APPOINTMENT
    if may_mean_appointment and _next_appointment(row) is not None:
        _ask_staff(row)
    if not row.sender.startswith("+"):
        return
    number = row.practice.caller_number
    if row.channel == Channel.WHATSAPP:
        number = row.practice.whatsapp_number or number
    for practice in practices_with(number) or [row.practice]:
        contact_stop.opt_out(
            practice=practice,
            phone=row.sender,
            source=f"{row.channel}_reply",
            actor=Actor.patient(row.patient_id) if row.patient_id else ACTOR,
        )


def _confirm(row: InboundMessage) -> bool:
    """Whether there was an appointment ahead to say yes to."""
    appointment = _next_appointment(row)
    if appointment is None:
        return False
    row.patient_id = appointment.patient_id
    book.confirm(
        appointment=appointment, actor=Actor.patient(appointment.patient_id), source="reply"
    )
    return True


def _next_appointment(row: InboundMessage) -> Appointment | None:
    """The appointment that the sender was last written to about; else the number's only one."""
    ahead = Appointment.objects.filter(
        practice=row.practice,
        patient__phone_number=row.sender,
        status__in=LIVE_APPOINTMENT,
        starts_at__gt=clock.now(),
    )
    told = (
        Attempt.objects.filter(
            appointment__in=ahead, destination=row.sender, submitted_at__isnull=False
        )
        .select_related("appointment")
        .order_by("-submitted_at")
        .first()
    )
    if told is not None:
        return told.appointment
    found = list(ahead[:2])
    return found[0] if len(found) == 1 else None


def _ask_staff(row: InboundMessage) -> None:
    staff_tasks.open_task(
        practice=row.practice, patient=row.patient, kind=TaskKind.REPLY, actor=ACTOR
    )
