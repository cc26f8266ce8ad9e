"""What an upsert of one patient has to know, read in one statement: the records that the details
may belong to, locked, what the register says of the number, and what is suppressed.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from patients import matching, suppressions
from patients.assigning import Lookups
from patients.models import Patient
from patients.models.tps import RegisterList, TpsListing

# The left join keeps one row where no record is found. With a number the address finds nobody
# (`matching`), and an address that hundreds share is not read for nothing.
_LOOK = """
SELECT p.*, l.listing AS found_listing, l.suppressed AS found_suppressed
FROM (
    SELECT
        (SELECT CASE WHEN bool_or(listing <> %(ctps)s) THEN
            CASE WHEN EXISTS (SELECT 1 FROM tps_number WHERE n = %(key)s)
                 THEN CASE WHEN bool_or(listing = %(both)s) THEN %(bits_both)s
                           ELSE %(bits_tps)s END
                 ELSE 0 END
            | CASE WHEN bool_or(listing = %(ctps)s)
                    AND EXISTS (SELECT 1 FROM ctps_number WHERE n = %(key)s)
                   THEN %(bits_ctps)s ELSE 0 END
         END FROM patients_tpsregister WHERE current) AS listing,
        (SELECT json_agg(json_build_array(kind, encode(hash, 'hex'), channel))
         FROM patients_suppression
         WHERE practice_id = %(practice)s AND hash = ANY(%(hashes)s) AND lifted_at IS NULL
        ) AS suppressed
) l
LEFT JOIN (
    SELECT * FROM patients_patient
    WHERE practice_id = %(practice)s AND erased_at IS NULL AND (
        (external_id <> '' AND external_id = ANY(%(ids)s))
        OR phone_number = ANY(%(numbers)s)
        OR email = ANY(%(addresses)s)
    )
    ORDER BY id
    FOR UPDATE
) p ON TRUE
ORDER BY p.id
"""


@dataclass(frozen=True, slots=True)
class Look:
    """`records` are locked until the transaction ends."""

    records: dict[UUID, Patient]
    lookups: Lookups

    def candidates(self) -> list[matching.Candidate]:
        return [matching.Candidate(key, _person(row)) for key, row in self.records.items()]


def look(practice_id: UUID, person: matching.Person) -> Look:
    """Needs a transaction, and the writers' locks (`records.serialise`) taken before."""
    number, address = person.phone_number, person.email
    hashes = suppressions.of_person(
        first_name=person.first_name, last_name=person.last_name, phone=number, email=address
    )
    rows = list(
        Patient.objects.raw(
            _LOOK,
            {
                "practice": practice_id,
                # Arrays: of an empty one the planner knows that it finds nothing.
                "ids": [person.external_id] if person.external_id else [],
                "numbers": [number] if number else [],
                "addresses": [address] if address and not number else [],
                "key": int(number[1:]) if number else None,
                "hashes": [item.digest for item in hashes],
                "ctps": RegisterList.CTPS.value,
                "both": RegisterList.BOTH.value,
                "bits_both": TpsListing.BOTH.value,
                "bits_tps": TpsListing.TPS.value,
                "bits_ctps": TpsListing.CTPS.value,
            },
        )
    )
    found: Any = rows[0]
    lookups = Lookups(
        listings={number: found.found_listing} if number else {},
        suppressed=suppressions.found(found.found_suppressed or []),
    )
    return Look({row.pk: row for row in rows if row.pk is not None}, lookups)


def _person(row: Patient) -> matching.Person:
    return matching.Person(
        first_name=row.first_name,
        last_name=row.last_name,
        external_id=row.external_id,
        phone_number=row.phone_number,
        email=row.email,
        date_of_birth=row.date_of_birth,
    )
