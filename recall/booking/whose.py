"""Whose appointment it is that another system tells us of: by the patient's id there, or by number
and address where it has none. A number that a family shares does not say which of them.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q

from integrations.models import Connection
from integrations.pms.connector import RemoteAppointment
from patients import phone
from patients.models import Patient, PmsRecord


def of_appointments(
    connection: Connection, items: Sequence[RemoteAppointment]
) -> dict[RemoteAppointment, UUID]:
    """Our patient of each, where there is no doubt; in three queries at most."""
    found = _by_id(connection, [one for one in items if one.patient_id])
    found.update(_by_contact(connection, [one for one in items if not one.patient_id]))
    return found


def patient(connection: Connection, key: UUID) -> Patient:
    """The practice's patient."""
    return Patient.objects.get(practice=connection.practice_id, pk=key)


def _by_id(
    connection: Connection, items: Sequence[RemoteAppointment]
) -> dict[RemoteAppointment, UUID]:
    """What was read from that system counts; before it was first read, an id from a file."""
    wanted = {one.patient_id for one in items}
    if not wanted:
        return {}
    records = PmsRecord.objects.filter(
        connection=connection, external_id__in=wanted, patient__isnull=False
    )
    known = {row.external_id: row.patient_id for row in records}
    rest = Patient.objects.filter(
        practice=connection.practice_id, external_id__in=wanted - set(known), erased_at=None
    )
    known.update({row.external_id: row.pk for row in rest})
    return {one: key for one in items if (key := known.get(one.patient_id)) is not None}


def _by_contact(
    connection: Connection, items: Sequence[RemoteAppointment]
) -> dict[RemoteAppointment, UUID]:
    numbers = {one: _e164(one.phone) for one in items}
    addresses = {one: one.email.strip().lower() for one in items}
    asked = Q(phone_number__in={number for number in numbers.values() if number})
    asked |= Q(email__in={address for address in addresses.values() if address})
    if not items:
        return {}
    people = list(
        Patient.objects.filter(
            asked, practice=connection.practice_id, erased_at=None, archived_at=None
        )
    )
    found = {}
    for one in items:
        by_number = {p.pk for p in people if numbers[one] and p.phone_number == numbers[one]}
        by_address = {p.pk for p in people if addresses[one] and p.email == addresses[one]}
        likely = (by_number & by_address) or (by_number | by_address)
        if len(likely) == 1:
            found[one] = likely.pop()
    return found


def _e164(text: str) -> str:
    try:
        return phone.parse(text).e164 if text.strip() else ""
    except phone.Rejection:
        return ""
