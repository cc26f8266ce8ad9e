"""What a practice's former system leaves behind: its numbers for the patients.

They say nothing in another system, where the same number may be somebody else's. Without one, a
patient is known by name and by number or address, so that nobody is there, and rung, twice.
"""

from django.db.models import Exists, OuterRef

from integrations.models import PMS_KINDS, Connection
from patients import records
from patients.models import Patient, PmsRecord
from practices import journal
from practices.journal import Actor
from sightsync.lib import clock


def release_ids(connection: Connection, actor: Actor) -> int:
    """Before a system's first page is taken, in the caller's transaction; how many were released.

    A system that is connected again finds its patients by its own records, and releases none.
    """
    if connection.kind not in PMS_KINDS or _known(connection):
        return 0
    records.serialise_practice(connection.practice_id)
    given = PmsRecord.objects.filter(
        practice=connection.practice_id,
        patient=OuterRef("pk"),
        external_id=OuterRef("external_id"),
        connection__kind__in=PMS_KINDS,
    )
    released = (
        Patient.objects.filter(practice=connection.practice_id)
        .filter(Exists(given))
        .exclude(external_id="")
        .update(external_id="", updated_at=clock.now())
    )
    if released:
        journal.record(
            practice=connection.practice_id,
            action="connection.ids_released",
            actor=actor,
            subject=connection,
            facts={"kind": connection.kind, "count": released},
        )
    return released


def _known(connection: Connection) -> bool:
    return PmsRecord.objects.filter(connection=connection).exists()
