"""A practice that changes its system: nobody is there twice afterwards."""

import pytest

from integrations import connections
from integrations.models import Kind
from patients.models import Patient
from practices.models import JournalEntry
from tests.engine import ACTOR
from tests.systems import System

pytestmark = pytest.mark.django_db
ROBIN = {"first": "Robin", "last": "Doe", "mobile": "07700 900123", "born": "1950-02-03"}


def test_the_same_people_in_another_system_are_the_same_patients(
    practice, connection, optix, connect, read, sandbox
) -> None:
    former = optix.add(**ROBIN)
    read(connection)
    robin = Patient.objects.get(practice=practice, external_id=former)
    everybody = Patient.objects.filter(practice=practice).count()
    connections.disconnect(connection=connection, actor=ACTOR)

    acuitas = System(sandbox, Kind.ACUITAS)
    acuitas.size(40)
    later = connect(practice, Kind.ACUITAS)
    number = acuitas.add(**ROBIN)
    done = read(later)
    robin.refresh_from_db()
    assert robin.external_id == number
    assert Patient.objects.filter(phone_number=robin.phone_number).count() == 1
    [entry] = JournalEntry.objects.filter(action="connection.ids_released")
    assert entry.facts == {"kind": Kind.ACUITAS, "count": everybody}
    assert done.rejected < 5

    # Read again, and connected again, it finds its own: nothing more is released.
    read(later, full=True)
    connections.disconnect(connection=later, actor=ACTOR)
    read(connect_again(connection), full=True)
    assert JournalEntry.objects.filter(action="connection.ids_released").count() == 1
    assert Patient.objects.filter(phone_number=robin.phone_number).count() == 1


def connect_again(connection):
    return connections.connect(
        practice=connection.practice,
        kind=connection.kind,
        credential={"api_key": "optical-key-0001"},
        shown="0001",
        settings={},
        user=None,
        actor=ACTOR,
    )
