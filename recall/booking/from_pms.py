"""Appointments as a connected system has them: what was made, moved, cancelled and marked there is
so here too. Of ours, and of theirs once they were changed here, the copy says which it is; of
theirs `TheirAppointment` what was said last.

Each is heeded in a transaction of its own; heeding one again changes nothing. An appointment of
nobody we know is left out, and found again when everything is read the next night.
"""

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from integrations.models import Connection
from integrations.pms.connector import RemoteAppointment, RemoteStatus
from practices.journal import Actor
from recall.booking import book, elsewhere, whose
from recall.booking.write_back import copies, results
from recall.models import (
    Appointment,
    AppointmentCopy,
    AppointmentStatus,
    CopyState,
    TheirAppointment,
)
from recall.models.appointments import LIVE_APPOINTMENT
from sightsync.lib import clock, ids
from sightsync.lib.errors import AppError

logger = logging.getLogger(__name__)

SOURCE = "pms"
ACTOR = Actor.system("sync")
UNKNOWN_PATIENT = "unknown_patient"
LONGEST_ID = 255
MOST_PERCENT, MOST = 20, 3
"""More of theirs missing at once is a list that is not whole, and cancels nothing."""


class FromPms:
    """Heeds the pages of one reading, which began when this was made."""

    def __init__(self, actor: Actor = ACTOR) -> None:
        self.actor = actor
        self.asked_at = clock.now()

    def asking(self) -> None:
        """The next page is asked for now: what is written there from now on it may not show."""
        self.asked_at = clock.now()

    def take(self, connection: Connection, items: Sequence[RemoteAppointment]) -> Mapping[str, int]:
        """Heed one page; what could not be used, by code."""
        unusable: Counter[str] = Counter()
        usable = [one for one in items if 0 < len(one.external_id) <= LONGEST_ID]
        unusable["no_id"] = len(items) - len(usable)
        ours = _copies(connection, usable)
        known = _known(connection, usable)
        people = whose.of_appointments(connection, [one for one in usable if one not in ours])
        for remote in usable:
            try:
                code = self._heed(connection, remote, ours, known, people)
            except AppError as error:
                code = error.code
            if code:
                unusable[code] += 1
        return +unusable

    def settle(self, connection: Connection, seen: Collection[str], since: datetime) -> None:
        """Everything from today on was read: what is ahead and was not met is there no more."""
        rows = TheirAppointment.objects.filter(
            connection=connection,
            status=RemoteStatus.BOOKED,
            starts_at__gt=clock.now(),
            noted_at__lt=since,
        ).select_related("appointment__practice", "connection__practice")
        ahead = list(rows)
        gone = [row for row in ahead if row.external_id not in seen]
        if len(gone) > MOST and len(gone) * 100 > len(ahead) * MOST_PERCENT:
            logger.warning("appointments missing", extra={"connection": connection.pk})
            return
        for row in gone:
            self._theirs_changed(
                row,
                RemoteAppointment(
                    external_id=row.external_id,
                    starts_at=row.starts_at,
                    ends_at=row.ends_at,
                    status=RemoteStatus.CANCELLED,
                ),
            )

    def _heed(
        self,
        connection: Connection,
        remote: RemoteAppointment,
        ours: "Mapping[RemoteAppointment, AppointmentCopy]",
        known: Mapping[str, TheirAppointment],
        people: Mapping[RemoteAppointment, UUID],
    ) -> str:
        copy, row = ours.get(remote), known.get(remote.external_id)
        if copy is not None and not (row is not None and _is_out(copy)):
            self._ours(copy, remote)
        elif row is None:
            return self._new(connection, remote, people.get(remote))
        elif (row.starts_at, row.ends_at, row.status) != _said(remote):
            self._theirs_changed(row, remote, people.get(remote))
        return ""

    # --- ours -----------------------------------------------------------------------------------

    def _ours(self, copy: AppointmentCopy, remote: RemoteAppointment) -> None:
        """What somebody did there with an appointment of ours, unless we are about to change it."""
        row = copy.appointment
        if copy.state == CopyState.FAILED and _is_as_wanted(copy, remote):
            self._done_by_hand(copy)
            return
        if not _is_settled(copy, self.asked_at) or row.status not in LIVE_APPOINTMENT:
            return
        if remote.status == RemoteStatus.BOOKED and row.starts_at == remote.starts_at:
            return
        with transaction.atomic():
            locked = copies.lock(copy.pk)
            if locked is None or not _is_settled(locked, self.asked_at):
                return
            self._apply(locked.appointment, remote)
            _agree(locked)

    def _done_by_hand(self, copy: AppointmentCopy) -> None:
        """What we could not do there somebody has done."""
        with transaction.atomic():
            locked = copies.lock(copy.pk)
            if locked is not None and locked.state == CopyState.FAILED:
                AppointmentCopy.objects.filter(pk=copy.pk).update(standing=locked.wanted)
                results.agrees(locked, actor=self.actor)

    # --- theirs ---------------------------------------------------------------------------------

    def _new(
        self, connection: Connection, remote: RemoteAppointment, patient_id: UUID | None
    ) -> str:
        """One that we have not heard of; only one that lies ahead matters to the recall."""
        if remote.status != RemoteStatus.BOOKED or remote.starts_at <= clock.now():
            return ""
        if patient_id is None:
            return UNKNOWN_PATIENT
        with transaction.atomic():
            appointment = self._note_down(connection, remote, patient_id)
            TheirAppointment.objects.update_or_create(
                connection=connection,
                external_id=remote.external_id,
                defaults={
                    "practice_id": connection.practice_id,
                    "appointment": appointment,
                    **_as_row(remote),
                },
            )
        return ""

    def _theirs_changed(
        self, row: TheirAppointment, remote: RemoteAppointment, patient_id: UUID | None = None
    ) -> None:
        came_back = row.status == RemoteStatus.CANCELLED and remote.status == RemoteStatus.BOOKED
        with transaction.atomic():
            rows, appointment = TheirAppointment.objects.filter(pk=row.pk), row.appointment
            # First what they said, so that they are not told of it.
            rows.update(**_as_row(remote))
            if came_back and remote.starts_at > clock.now():
                found = patient_id or appointment.patient_id
                rows.update(appointment=self._note_down(row.connection, remote, found))
            elif appointment.status in LIVE_APPOINTMENT:
                self._apply(appointment, remote)

    def _note_down(
        self, connection: Connection, remote: RemoteAppointment, patient_id: UUID
    ) -> Appointment:
        return elsewhere.note_down(
            practice=connection.practice,
            patient=whose.patient(connection, patient_id),
            starts_at=remote.starts_at,
            ends_at=remote.ends_at,
            source=SOURCE,
            actor=self.actor,
        )

    # --- either ---------------------------------------------------------------------------------

    def _apply(self, appointment: Appointment, remote: RemoteAppointment) -> None:
        """Do here what was done there. What is over cannot be moved or cancelled any more."""
        try:
            with transaction.atomic():
                self._do(appointment, remote)
        except AppError as error:
            logger.info("not followed", extra={"code": error.code, "appointment": appointment.pk})

    def _do(self, appointment: Appointment, remote: RemoteAppointment) -> None:
        if remote.status == RemoteStatus.CANCELLED:
            book.cancel(appointment=appointment, actor=self.actor, source=SOURCE)
            return
        if appointment.starts_at != remote.starts_at:
            elsewhere.follow(
                appointment=appointment,
                starts_at=remote.starts_at,
                ends_at=remote.ends_at,
                source=SOURCE,
                actor=self.actor,
            )
        if remote.status == RemoteStatus.ATTENDED:
            book.mark_attended(appointment=appointment, actor=self.actor)
        elif remote.status == RemoteStatus.NO_SHOW:
            book.mark_no_show(appointment=appointment, actor=self.actor)


# --- inside -------------------------------------------------------------------------------------


def _is_settled(copy: AppointmentCopy, asked_at: datetime) -> bool:
    """Nothing of ours is on its way there, and what we were told is younger than what we wrote."""
    written = copy.written_at
    return (
        copy.state == CopyState.WRITTEN
        and copy.standing == copy.wanted
        and (written is None or written < asked_at)
    )


def _is_as_wanted(copy: AppointmentCopy, remote: RemoteAppointment) -> bool:
    if not copy.wanted:
        return remote.status == RemoteStatus.CANCELLED
    same_time = copy.appointment.starts_at == remote.starts_at
    return remote.status == RemoteStatus.BOOKED and same_time


def _is_out(copy: AppointmentCopy) -> bool:
    """Taken out at our word: of one of theirs, whatever they say then is news."""
    return copy.state == CopyState.WRITTEN and not copy.wanted


def _agree(copy: AppointmentCopy) -> None:
    """What was done there stands there: nothing has to be written to that system."""
    now = Appointment.objects.get(pk=copy.appointment_id)
    version = now.version if now.status in LIVE_APPOINTMENT else 0
    if now.status in (AppointmentStatus.ATTENDED, AppointmentStatus.NO_SHOW):
        version = copy.wanted
    AppointmentCopy.objects.filter(pk=copy.pk).update(
        state=CopyState.WRITTEN,
        wanted=version,
        standing=version,
        reason="",
        tries=0,
        next_try_at=None,
    )


def _copies(
    connection: Connection, items: Iterable[RemoteAppointment]
) -> "dict[RemoteAppointment, AppointmentCopy]":
    """Which of them are ours: by our reference, or by the id that their system gave ours."""
    items = list(items)
    by_reference = {one: _key(one.reference) for one in items if one.reference}
    rows = AppointmentCopy.objects.filter(connection=connection).select_related("appointment")
    rows = rows.order_by("created_at")  # of one that they took up again the latest counts
    of_appointment = {
        row.appointment_id: row
        for row in rows.filter(appointment__in=[key for key in by_reference.values() if key])
    }
    of_id = {
        row.external_id: row
        for row in rows.filter(external_id__in=[one.external_id for one in items])
    }
    found = {}
    for one in items:
        key = by_reference.get(one)
        copy = (of_appointment.get(key) if key else None) or of_id.get(one.external_id)
        if copy is not None:
            found[one] = copy
    return found


def _key(reference: str) -> UUID | None:
    try:
        return ids.decode(Appointment.PREFIX, reference)
    except ids.BadId:
        return None


def _known(
    connection: Connection, items: Iterable[RemoteAppointment]
) -> dict[str, TheirAppointment]:
    rows = TheirAppointment.objects.filter(
        connection=connection, external_id__in=[one.external_id for one in items]
    )
    return {
        row.external_id: row for row in rows.select_related("appointment__practice", "connection")
    }


def _said(remote: RemoteAppointment) -> tuple[datetime, datetime, str]:
    return remote.starts_at, remote.ends_at, str(remote.status)


def _as_row(remote: RemoteAppointment) -> dict[str, Any]:
    return {
        "starts_at": remote.starts_at,
        "ends_at": remote.ends_at,
        "status": str(remote.status),
        "noted_at": clock.now(),
    }
