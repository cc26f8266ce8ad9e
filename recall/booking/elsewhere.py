"""Appointments that another system made and keeps: written down here, in no diary of ours.

No slot is taken and the patient is sent nothing, for that system does both. The recall, the journal
and the webhooks take the same notice as of one made here. Cancelling, confirming and marking are
`book`'s for both kinds. What a connected system says comes by `from_pms`.
"""

from datetime import date, datetime, time, timedelta

from django.db import IntegrityError, transaction

from patients.models import Patient
from practices.journal import Actor
from practices.models import Practice
from recall.booking import book, notices, recall_effect
from recall.booking.write_back import copies
from recall.models import Appointment, AppointmentStatus, Attempt, Purpose
from recall.models.appointments import LIVE_APPOINTMENT, NO_TIME
from sightsync.lib import clock
from sightsync.lib.errors import AppError

SOURCE = "api"


def instant_of(day: date, wall: time | None) -> datetime:
    """When it begins; without a time the last minute of the day, so that it is ahead all day.

    Raises AppError 400 for a time that the spring change leaves out.
    """
    at = wall or NO_TIME
    found = clock.at_london(day, at)
    if clock.london(found).time() != at:
        raise AppError("no_such_time", "The clocks go forward then: that time does not exist.")
    return found


def record(
    *,
    practice: Practice,
    patient: Patient,
    day: date,
    wall: time | None,
    actor: Actor,
    attempt: Attempt | None = None,
    status: str = AppointmentStatus.BOOKED,
) -> Appointment:
    """Write one down. The same patient at the same time is the same appointment, whoever made it.

    One that lies ahead ends the patient's open recall as booked. Raises AppError when the record is
    closed.
    """
    starts_at = instant_of(day, wall)
    with transaction.atomic():
        person = book.lock_patient(practice, patient)
        row = _same(person, starts_at)
        if row is None:
            length = _length(practice, wall)
            row = Appointment(starts_at=starts_at, ends_at=starts_at + length, source=SOURCE)
            row.has_time, row.attempt = wall is not None, attempt
            _create(row, person, actor)
        elif attempt is not None and row.attempt_id is None:
            row.attempt = attempt
            row.save(update_fields=["attempt"])
        if status == AppointmentStatus.CONFIRMED and row.status != status:
            row.status = AppointmentStatus.CONFIRMED
            row.save(update_fields=["status"])
            book.note(row, "appointment.confirmed", actor, source=SOURCE, **book.when(row))
    return row


def move(*, appointment: Appointment, day: date, wall: time | None, actor: Actor) -> Appointment:
    """The other system has moved it. Moving to where it is changes nothing. Raises AppError when it
    is not an appointment ahead.
    """
    starts_at = instant_of(day, wall)
    with transaction.atomic():
        person, row = book.lock(appointment)
        book.must_be_ahead(row, "moved")
        if (row.starts_at, row.has_time) == (starts_at, wall is not None):
            return row
        before = row.starts_at
        row.starts_at, row.ends_at = starts_at, starts_at + _length(row.practice, wall)
        row.has_time, row.version = wall is not None, row.version + 1
        row.status = AppointmentStatus.BOOKED
        row.save(
            update_fields=["starts_at", "ends_at", "has_time", "version", "status"],
        )
        facts = {**book.when(row), "from": before.isoformat(), "version": row.version}
        book.note(row, "appointment.moved", actor, source=SOURCE, **facts)
        if starts_at > clock.now():
            recall_effect.booked(patient=person, actor=actor)
    return row


def note_down(
    *,
    practice: Practice,
    patient: Patient,
    starts_at: datetime,
    ends_at: datetime,
    source: str,
    actor: Actor,
) -> Appointment:
    """As `record`, of a system that we read, with the times that it gives."""
    with transaction.atomic():
        person = book.lock_patient(practice, patient)
        row = _same(person, starts_at)
        if row is None:
            row = Appointment(starts_at=starts_at, ends_at=ends_at, source=source)
            _create(row, person, actor)
    return row


def follow(
    *, appointment: Appointment, starts_at: datetime, ends_at: datetime, source: str, actor: Actor
) -> Appointment:
    """The system in which it stands has moved it, one of ours too: nobody asks whether the time is
    free. Of ours the patient is sent the new time. Raises AppError when it is not ahead.
    """
    with transaction.atomic():
        person, row = book.lock(appointment)
        book.must_be_ahead(row, "moved")
        if (row.starts_at, row.ends_at) == (starts_at, ends_at):
            return row
        before, row.starts_at, row.ends_at = row.starts_at, starts_at, ends_at
        row.has_time, row.version = True, row.version + 1
        row.status = AppointmentStatus.BOOKED
        _keep_place(row)
        notices.withdraw(appointment=row, reason="moved")
        if not row.made_elsewhere:
            notices.plan(appointment=row, patient=person, purpose=Purpose.CONFIRMATION)
        copies.plan(appointment=row)
        facts = {**book.when(row), "from": before.isoformat(), "version": row.version}
        book.note(row, "appointment.moved", actor, source=source, **facts)
        if starts_at > clock.now():
            recall_effect.booked(patient=person, actor=actor)
    return row


def _keep_place(row: Appointment) -> None:
    """Save the new time, in its diary unless somebody else's stands there at that very time."""
    fields = ["starts_at", "ends_at", "has_time", "version", "status"]
    try:
        with transaction.atomic():
            row.save(update_fields=fields)
    except IntegrityError:
        row.diary = None
        row.save(update_fields=[*fields, "diary"])


def _same(patient: Patient, starts_at: datetime) -> Appointment | None:
    return Appointment.objects.filter(
        patient=patient, starts_at=starts_at, status__in=LIVE_APPOINTMENT
    ).first()


def _create(row: Appointment, patient: Patient, actor: Actor) -> None:
    ahead = row.starts_at > clock.now()
    row.practice_id, row.patient, row.created_at = patient.practice_id, patient, clock.now()
    row.episode = recall_effect.open_recall(patient=patient) if ahead else None
    row.save(force_insert=True)
    book.note(row, "appointment.booked", actor, source=row.source, **book.when(row))
    if ahead:
        recall_effect.booked(patient=patient, actor=actor)


def _length(practice: Practice, timed: object) -> timedelta:
    return timedelta(minutes=practice.appointment_minutes if timed is not None else 1)
