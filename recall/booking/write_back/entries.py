"""What another system is told of an appointment: no more than it needs to keep it."""

from integrations.models import Connection
from integrations.pms.connector import Entry
from patients.models import PmsRecord
from recall.booking.write_back import copies
from recall.models import Appointment

BY_CALL = "call"


def build(appointment: Appointment, connection: Connection) -> Entry:
    """The appointment as it is now. The risk category goes only where the practice wants it."""
    patient = appointment.patient
    told = bool(connection.settings.get("risk_in_description"))
    return Entry(
        reference=appointment.public_id,
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        patient_id=_their_patient(appointment, connection),
        first_name=patient.first_name,
        last_name=patient.last_name,
        phone=patient.phone_number,
        email=patient.email,
        risk=patient.risk_category if told else "",
        diary_id=_their_diary(appointment, connection),
        booked_by_call=appointment.source == BY_CALL,
    )


def _their_patient(appointment: Appointment, connection: Connection) -> str:
    known = PmsRecord.objects.filter(
        connection=connection, patient=appointment.patient_id, gone_at=None
    )
    return known.order_by("pk").values_list("external_id", flat=True).first() or ""


def _their_diary(appointment: Appointment, connection: Connection) -> str:
    found = copies.diary_map(connection).items()
    return next((theirs for theirs, ours in found if ours == appointment.diary_id), "")
