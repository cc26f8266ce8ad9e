"""Every change of an appointment: booking, moving, cancelling, confirming, and what became of it.

The phone call, the patient's page, the API and the staff all come through here. A change locks the
patient, then the diary, and decides from rows read under those locks. No network in here: messages
and calendars follow from the rows that the transaction leaves.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db import DatabaseError, transaction

from patients import records
from patients.models import Patient
from practices import journal
from practices.journal import Actor
from practices.models import Practice
from recall.booking import diary, notices, recall_effect
from recall.booking.diary import DiarySlot
from recall.booking.write_back import copies
from recall.models import Appointment, AppointmentStatus, Attempt, Diary, Episode, Purpose
from recall.models.appointments import LIVE_APPOINTMENT
from sightsync.lib import clock, ids
from sightsync.lib.errors import AppError

# Who may have to be told that an appointment was cancelled: the patient, unless it was the patient.
PATIENT_SOURCES = frozenset({"call", "link", "reply"})

_SLOT_CONSTRAINT = "one_live_appointment_per_slot"
_LOST_RACE = frozenset({"40001", "40P01"})  # serialisation failure, deadlock

Made = TypeVar("Made")


class SlotTaken(AppError):
    """The time is not free, or no time of the diary. `next_slots` are up to three that are."""

    def __init__(self, next_slots: list[DiarySlot]) -> None:
        super().__init__(
            "slot_taken",
            "That time is not free any more. Choose another.",
            409,
            next_slots=[_as_json(slot) for slot in next_slots],
        )
        self.next_slots = next_slots


class AlreadyBooked(AppError):
    """The patient has an appointment ahead: move that one. `appointment` is it."""

    def __init__(self, appointment: Appointment) -> None:
        super().__init__(
            "already_booked",
            "There is an appointment already. Move it, or cancel it first.",
            409,
            appointment_id=appointment.public_id,
        )
        self.appointment = appointment


class _Gone(Exception):
    """Inside the transaction: the slot is not free. Answered outside, after the rollback."""


def book(
    *,
    practice: Practice,
    patient: Patient,
    diary_id: UUID | None,
    starts_at: datetime,
    source: str,
    actor: Actor,
    attempt: Attempt | None = None,
    episode: Episode | None = None,
    status: str = AppointmentStatus.BOOKED,
) -> Appointment:
    """Book a free time; `diary_id` None means any diary that has it.

    Asking again for the time that the patient already has gives the same appointment. Ends the
    patient's open recall as booked and plans the confirmation. Raises SlotTaken, AlreadyBooked,
    and AppError when the patient cannot be booked. `source`: call, link, staff, api or pms.
    """

    def insert(chosen: UUID) -> Appointment:
        person = lock_patient(practice, patient)
        standing = ahead(patient=person)
        if standing is not None:
            if standing.starts_at == starts_at and diary_id in (None, standing.diary_id):
                return standing
            raise AlreadyBooked(standing)
        slot = _take(practice, chosen, starts_at)
        recall = episode or recall_effect.open_recall(patient=person)
        appointment = Appointment.objects.create(
            practice=practice,
            diary_id=slot.diary_id,
            patient=person,
            episode=recall,
            attempt=attempt,
            starts_at=slot.start,
            ends_at=slot.end,
            status=status,
            source=source,
            created_at=clock.now(),
        )
        note(appointment, "appointment.booked", actor, source=source, **when(appointment))
        recall_effect.booked(patient=person, actor=actor)
        notices.plan(appointment=appointment, patient=person, purpose=Purpose.CONFIRMATION)
        copies.plan(appointment=appointment)
        return appointment

    # A repeat finds its own time taken, so that it has to be recognised before a diary is chosen.
    standing = ahead(patient=patient)
    if standing is not None and standing.diary_id is not None and diary_id is None:
        return _one_of([standing.diary_id], practice, starts_at, insert)
    return _one_of(_choices(practice, diary_id, starts_at), practice, starts_at, insert)


def move(
    *,
    appointment: Appointment,
    diary_id: UUID | None,
    starts_at: datetime,
    actor: Actor,
    source: str,
) -> Appointment:
    """Move to another free time. The patient has to confirm again, and is sent the new time.

    Moving to where it is changes nothing. Raises SlotTaken, and the old time is then kept; AppError
    when it is not an appointment ahead.
    """
    practice = appointment.practice

    def update(chosen: UUID) -> Appointment:
        person, row = lock(appointment)
        must_be_ahead(row, "moved")
        if row.starts_at == starts_at and diary_id in (None, row.diary_id):
            return row
        slot = _take(practice, chosen, starts_at, leaving_out=row.pk)
        before = row.starts_at
        row.diary_id, row.starts_at, row.ends_at = slot.diary_id, slot.start, slot.end
        row.status, row.version, row.has_time = AppointmentStatus.BOOKED, row.version + 1, True
        row.save(update_fields=["diary", "starts_at", "ends_at", "has_time", "status", "version"])
        notices.withdraw(appointment=row, reason="moved")
        notices.plan(appointment=row, patient=person, purpose=Purpose.CONFIRMATION)
        copies.plan(appointment=row)
        facts = {**when(row), "from": before.isoformat(), "version": row.version}
        note(row, "appointment.moved", actor, source=source, **facts)
        return row

    choices = _choices(practice, diary_id, starts_at, leaving_out=appointment.pk)
    return _one_of(choices, practice, starts_at, update)


def cancel(*, appointment: Appointment, actor: Actor, source: str) -> Appointment:
    """Give the time back. A repeat changes nothing. Raises AppError when it is over.

    The patient is due as before, so the recall opens again: `recall_effect.lost` says when. When it
    was not the patient who cancelled, the patient is told.
    """
    with transaction.atomic():
        person, row = lock(appointment)
        if row.status == AppointmentStatus.CANCELLED:
            return row
        must_be_ahead(row, "cancelled")
        row.status, row.cancelled_at = AppointmentStatus.CANCELLED, clock.now()
        row.save(update_fields=["status", "cancelled_at"])
        notices.withdraw(appointment=row, reason="cancelled")
        if source not in PATIENT_SOURCES and not row.made_elsewhere:
            notices.plan(appointment=row, patient=person, purpose=Purpose.CANCELLATION)
        copies.plan(appointment=row)
        note(row, "appointment.cancelled", actor, source=source, **when(row))
        recall_effect.lost(
            appointment=row, patient=person, reason="appointment_cancelled", actor=actor
        )
        return row


def confirm(*, appointment: Appointment, actor: Actor, source: str) -> Appointment:
    """The patient says that they will come. A repeat changes nothing. Raises AppError when over."""
    with transaction.atomic():
        _person, row = lock(appointment)
        if row.status == AppointmentStatus.CONFIRMED:
            return row
        must_be_ahead(row, "confirmed")
        row.status = AppointmentStatus.CONFIRMED
        row.save(update_fields=["status"])
        note(row, "appointment.confirmed", actor, source=source, **when(row))
        return row


def mark_attended(*, appointment: Appointment, actor: Actor) -> Appointment:
    """The patient came: the day becomes their last eye test, so that the next recall follows it."""
    with transaction.atomic():
        person, row = lock(appointment)
        if not _mark(row, AppointmentStatus.ATTENDED):
            return row
        note(row, "appointment.attended", actor, **when(row))
        recall_effect.attended(patient=person, actor=actor)
        day = clock.london(row.starts_at).date()
        if person.erased_at is None and (person.last_eye_test_date or day) <= day:
            records.update(
                patient=person,
                data={"last_eye_test_date": day},
                source="appointment",
                actor=actor,
            )
        return row


def mark_no_show(*, appointment: Appointment, actor: Actor) -> Appointment:
    """The patient did not come: they are still due, so the recall opens again."""
    with transaction.atomic():
        person, row = lock(appointment)
        if not _mark(row, AppointmentStatus.NO_SHOW):
            return row
        note(row, "appointment.no_show", actor, **when(row))
        recall_effect.lost(appointment=row, patient=person, reason="no_show", actor=actor)
        return row


def ahead(*, patient: Patient) -> Appointment | None:
    """The patient's next live appointment, if one lies ahead."""
    return (
        Appointment.objects.filter(
            patient=patient, status__in=LIVE_APPOINTMENT, starts_at__gt=clock.now()
        )
        .order_by("starts_at")
        .first()
    )


# --- inside -------------------------------------------------------------------------------------


def _choices(
    practice: Practice,
    diary_id: UUID | None,
    starts_at: datetime,
    *,
    leaving_out: UUID | None = None,
) -> list[UUID]:
    if diary_id is not None:
        return [diary_id]
    facts = diary.read(practice=practice, now=clock.now(), leaving_out=leaving_out)
    return [
        one.diary_id
        for one in facts
        if diary.slot_at(one, now=clock.now(), starts_at=starts_at) is not None
    ]


def _one_of(
    choices: list[UUID], practice: Practice, starts_at: datetime, write: Callable[[UUID], Made]
) -> Made:
    """Write in the first diary that still has the time. Raises SlotTaken, with nothing written."""
    for chosen in choices:
        try:
            with transaction.atomic():
                return write(chosen)
        except _Gone:
            continue
        except DatabaseError as error:
            if not _lost_race(error):
                raise
    raise SlotTaken(diary.next_free(practice=practice, now=clock.now(), near=starts_at))


def _lost_race(error: DatabaseError) -> bool:
    """Whether somebody else was faster: the slot's own constraint, or a deadlock we lost."""
    cause = error.__cause__
    diagnosis = getattr(cause, "diag", None)
    return (
        getattr(diagnosis, "constraint_name", None) == _SLOT_CONSTRAINT
        or getattr(cause, "sqlstate", None) in _LOST_RACE
    )


def _take(
    practice: Practice, diary_id: UUID, starts_at: datetime, *, leaving_out: UUID | None = None
) -> DiarySlot:
    """The slot, looked up again while the diary's row is locked: hours, closures, notice, horizon,
    buffers and everybody else's appointments. Raises _Gone.
    """
    _lock_diary(practice, diary_id)
    now = clock.now()
    for facts in diary.read(practice=practice, now=now, diary_id=diary_id, leaving_out=leaving_out):
        slot = diary.slot_at(facts, now=now, starts_at=starts_at)
        if slot is not None:
            return slot
    raise _Gone


def _lock_diary(practice: Practice, diary_id: UUID) -> None:
    list(
        Diary.objects.select_for_update(no_key=True)
        .filter(pk=diary_id, practice=practice)
        .values_list("pk")
    )


def lock_patient(practice: Practice, patient: Patient) -> Patient:
    person = (
        Patient.objects.select_for_update(no_key=True)
        .filter(pk=patient.pk, practice=practice)
        .first()
    )
    if person is None:
        raise AppError("patient_not_found", "There is no such patient.", 404)
    if person.erased_at or person.deceased_at or person.archived_at:
        raise AppError(
            "patient_gone", "This patient's record is closed, so nothing was booked.", 409
        )
    return person


def lock(appointment: Appointment) -> tuple[Patient, Appointment]:
    """Patient first, then the appointment: the order in which everybody locks."""
    person = Patient.objects.select_for_update(no_key=True).get(pk=appointment.patient_id)
    row = Appointment.objects.select_for_update(no_key=True).get(pk=appointment.pk)
    return person, row


def must_be_ahead(row: Appointment, what: str) -> None:
    if row.status not in LIVE_APPOINTMENT or row.starts_at <= clock.now():
        raise AppError("appointment_over", f"This appointment cannot be {what} any more.", 409)


def _mark(row: Appointment, status: AppointmentStatus) -> bool:
    """Whether the status changed. Staff may correct one mark into the other."""
    if row.status == status:
        return False
    if row.status == AppointmentStatus.CANCELLED:
        raise AppError("appointment_over", "This appointment was cancelled.", 409)
    if clock.london(row.starts_at).date() > clock.today():
        raise AppError("appointment_ahead", "This appointment is still to come.", 409)
    row.status = status
    row.save(update_fields=["status"])
    notices.withdraw(appointment=row, reason="over")
    return True


def when(row: Appointment) -> dict[str, Any]:
    diary_id = ids.encode(Diary.PREFIX, row.diary_id) if row.diary_id else ""
    return {"starts_at": row.starts_at.isoformat(), "diary": diary_id}


def note(row: Appointment, action: str, actor: Actor, **facts: Any) -> None:
    journal.record(
        practice=row.practice_id,
        action=action,
        actor=actor,
        patient=row.patient_id,
        subject=row,
        facts=facts,
    )


def _as_json(slot: DiarySlot) -> dict[str, str]:
    return {
        "starts_at": f"{slot.start:%Y-%m-%dT%H:%M:%SZ}",
        "ends_at": f"{slot.end:%Y-%m-%dT%H:%M:%SZ}",
        "diary_id": ids.encode(Diary.PREFIX, slot.diary_id),
    }
