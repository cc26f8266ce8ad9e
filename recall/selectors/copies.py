"""Appointments in connected systems: one appointment's, a list's, and what waits as a whole."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import Count, Prefetch, Q

from integrations import connections
from integrations.google_calendar.words import CHOOSE
from integrations.models import Connection, ConnectionState, Kind
from practices.models import Practice
from recall.booking.write_back.again import STUCK
from recall.models import Appointment, AppointmentCopy, CopyState, StaffTask, TaskKind
from sightsync.lib import clock

SILENT_AFTER = timedelta(minutes=15)
"""Polled every five minutes: one question that fails is nobody's business."""
_SETTINGS: Mapping[str, str] = {
    Kind.GOOGLE_CALENDAR: "google:show",
    Kind.MICROSOFT_BOOKINGS: "microsoft:show",
}
IN_SYSTEMS = Prefetch(
    "copies",
    AppointmentCopy.objects.select_related("connection", "appointment").order_by(
        "connection__kind"
    ),
)
"""For a list of appointments: their copies with one query more."""


def copies_of(appointment: Appointment) -> list[AppointmentCopy]:
    """One per system that has, had or should have the appointment."""
    rows = AppointmentCopy.objects.filter(appointment=appointment)
    return list(rows.select_related("connection", "appointment").order_by("connection__kind"))


@dataclass(frozen=True, slots=True)
class Waiting:
    """A system that does not answer or has to be connected, and how many appointments wait for it;
    none wait yet when only what happens there is not heard of.
    """

    connection: Connection
    appointments: int = 0

    @property
    def name(self) -> str:
        return self.connection.get_kind_display()

    @property
    def settings_page(self) -> str:
        """The route at which it is connected again."""
        return _SETTINGS.get(self.connection.kind, "pms:index")

    @property
    def needs_connecting(self) -> bool:
        return self.connection.state == ConnectionState.NEEDS_ATTENTION

    @property
    def needs_choosing(self) -> bool:
        """Whether it is connected but for the calendar."""
        return self.needs_connecting and self.connection.error_code == CHOOSE


def systems_waiting(practice: Practice) -> list[Waiting]:
    """Systems that hold appointments up, or of which nothing is heard; two queries."""
    held_up = ~Q(reason="") | Q(connection__state=ConnectionState.NEEDS_ATTENTION)
    counts = dict(
        AppointmentCopy.objects.filter(
            held_up,
            practice=practice,
            next_try_at__isnull=False,
            state__in=[CopyState.ACCEPTED, CopyState.UNKNOWN],
        )
        .values_list("connection")
        .annotate(Count("pk"))
    )
    silent = Q(failing_since__lt=clock.now() - SILENT_AFTER)
    silent |= Q(state=ConnectionState.NEEDS_ATTENTION) & ~Q(error_code=CHOOSE)
    rows = connections.live(practice).filter(silent | Q(pk__in=counts)).order_by("kind")
    return [Waiting(row, counts.get(row.pk, 0)) for row in rows]


def with_stuck_copies(tasks: Iterable[StaffTask]) -> list[StaffTask]:
    """The tasks, those about an unwritten appointment with the copy that they are about."""
    found = list(tasks)
    patients = [task.patient_id for task in found if task.kind == TaskKind.WRITE_BACK]
    if patients:
        stuck = _stuck_by_patient(patients)
        for task in found:
            if task.kind == TaskKind.WRITE_BACK and task.patient_id is not None:
                task.stuck_copy = stuck.get(task.patient_id)
    return found


def _stuck_by_patient(patients: list[UUID | None]) -> dict[UUID, AppointmentCopy]:
    rows = AppointmentCopy.objects.filter(
        appointment__patient__in=patients, state__in=STUCK
    ).select_related("connection", "appointment")
    return {row.appointment.patient_id: row for row in rows.order_by("created_at")}
