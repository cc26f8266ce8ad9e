"""The copies of an appointment: which systems should have it, and in which version.

`plan` is called inside the transaction of every change of an appointment, with the patient locked.
One that a system made and keeps gets a copy there, and there only, once it is changed here.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from integrations import connections
from integrations.models import PMS_KINDS, Connection, ConnectionState
from integrations.pms.connector import RemoteStatus
from patients.models import Patient
from recall.booking.write_back import states
from recall.models import Appointment, AppointmentCopy, CopyState, Diary, TheirAppointment
from recall.models.appointments import LIVE_APPOINTMENT
from sightsync.lib import clock, ids

_REACHABLE = (ConnectionState.CONNECTED, ConnectionState.NEEDS_ATTENTION)


def plan(*, appointment: Appointment) -> None:
    """Say what should stand in every connected system now. A copy that is on its way or not known
    keeps its state: whoever holds it finds the new wish when it is done.
    """
    if not appointment.has_time:
        return
    theirs = TheirAppointment.objects.filter(appointment=appointment)
    kept = {row.connection_id: row for row in theirs.select_related("connection")}
    systems = {row.connection_id: row.connection for row in kept.values()}
    if not appointment.made_elsewhere:
        systems.update({each.pk: each for each in connections.live(appointment.practice)})
    for key, connection in systems.items():
        plan_in(appointment, connection, kept.get(key))


def plan_in(
    appointment: Appointment, connection: Connection, theirs: TheirAppointment | None
) -> None:
    """As `plan`, in one system. `theirs` is what that system itself keeps of it."""
    wanted = _wanted(appointment, connection)
    copy = AppointmentCopy.objects.filter(appointment=appointment, connection=connection).first()
    now = clock.now()
    if copy is None:
        if _says_something_else(theirs, appointment, wanted) if theirs else wanted:
            AppointmentCopy.objects.create(
                practice_id=appointment.practice_id,
                appointment=appointment,
                connection=connection,
                wanted=wanted,
                standing=max(1, appointment.version - 1) if theirs else None,
                external_id=theirs.external_id if theirs else "",
                next_try_at=now,
                created_at=now,
            )
        return
    if copy.wanted == wanted:
        return
    AppointmentCopy.objects.filter(pk=copy.pk).update(wanted=wanted)
    move(
        copy.pk,
        to=CopyState.ACCEPTED,
        sources=(CopyState.WRITTEN, CopyState.FAILED),
        reason="",
        tries=0,
        next_try_at=now,
    )
    # One that waits for its turn is not kept waiting for the sake of the old wish.
    AppointmentCopy.objects.filter(
        pk=copy.pk, state=CopyState.ACCEPTED, connection__error_code=""
    ).update(next_try_at=now, tries=0)


def _says_something_else(theirs: TheirAppointment, appointment: Appointment, wanted: int) -> bool:
    """Whether the system that keeps it has to hear of a change. What it told us it knows."""
    if theirs.status != RemoteStatus.BOOKED:
        return False
    return not wanted or theirs.starts_at != appointment.starts_at


def is_kept_there(copy: AppointmentCopy) -> bool:
    """Whether the system made the appointment itself."""
    rows = TheirAppointment.objects.filter(connection=copy.connection_id)
    return rows.filter(appointment=copy.appointment_id).exists()


def _wanted(appointment: Appointment, connection: Connection) -> int:
    """The version that should stand there; 0 for nothing, as of a calendar of another diary."""
    if appointment.status not in LIVE_APPOINTMENT:
        return 0
    only = own_diary(connection)
    return appointment.version if only in (None, appointment.diary_id) else 0


def take_out(*, patient: Patient) -> int:
    """Have what stands of a patient in calendars taken out, past appointments too; how many. A PMS
    is the practice's own record and keeps them. Inside the caller's transaction, which has the
    patient locked.
    """
    rows = AppointmentCopy.objects.filter(
        appointment__patient=patient, connection__state__in=_REACHABLE
    ).exclude(connection__kind__in=PMS_KINDS)
    keys = list(rows.exclude(wanted=0).values_list("pk", flat=True))
    for key in keys:
        AppointmentCopy.objects.filter(pk=key).update(wanted=0)
        settled = (CopyState.WRITTEN, CopyState.FAILED)
        move(
            key, to=CopyState.ACCEPTED, sources=settled, reason="", tries=0, next_try_at=clock.now()
        )
    return len(keys)


def own_diary(connection: Connection) -> UUID | None:
    """The one diary of ours that a calendar belongs to; None for all."""
    return _key(connection.settings.get("diary"))


def diary_map(connection: Connection) -> dict[str, UUID]:
    """Our diaries by the other system's ids of them."""
    chosen: dict[str, Any] = connection.settings.get("diaries") or {}
    found = {str(theirs): _key(ours) for theirs, ours in chosen.items()}
    return {theirs: ours for theirs, ours in found.items() if ours is not None}


def _key(public_id: Any) -> UUID | None:
    try:
        return ids.decode(Diary.PREFIX, str(public_id)) if public_id else None
    except ids.BadId:
        return None


def move(
    copy_id: UUID,
    *,
    to: CopyState,
    sources: tuple[CopyState, ...] = (),
    only_if: Q | None = None,
    **changes: Any,
) -> bool:
    """Perform one move as one UPDATE that must hit one row; whether it did."""
    allowed = states.sources(to)
    starts = sources or allowed
    if not set(starts) <= set(allowed):
        raise ValueError(f"no move from {starts} to {to}")
    rows = AppointmentCopy.objects.filter(pk=copy_id, state__in=starts)
    if only_if is not None:
        rows = rows.filter(only_if)
    return rows.update(state=to, **changes) == 1


def held(lease: datetime | None) -> Q:
    """That nobody has taken the copy since its lease was read."""
    return Q(lease_until=lease)


def lock(copy_id: UUID) -> AppointmentCopy | None:
    """Lock the appointment's patient, then the copy: the order in which everybody locks. Needs a
    transaction.
    """
    patients = Patient.objects.select_for_update(no_key=True, of=("self",))
    list(patients.filter(appointments__copies__pk=copy_id).values_list("pk"))
    return (
        AppointmentCopy.objects.select_for_update(no_key=True, of=("self",))
        .select_related("practice", "connection", "appointment__patient", "appointment__diary")
        .filter(pk=copy_id)
        .first()
    )
