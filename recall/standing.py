"""Where every overdue patient of a practice stands: exactly one state and one reason each, so that
nobody falls through. It reads, and decides nothing that the rules have not decided.

What recalls and appointments say is one SQL expression, so that a state's patients are counted and
paged by the database. Where they say nothing the rules do: they are asked about each distinct
signature, of which a practice has a few hundred.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from string import Template
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from patients.models import Patient
from practices.models import Practice
from recall.chain import ChainPolicy
from recall.eligibility import gather, sql
from recall.eligibility.case import Kind
from recall.eligibility.evaluate import ManyPatients
from recall.models import Channel, EpisodeState
from sightsync.lib import clock

_DUE = """p.practice_id = ANY(%(practices)s) AND p.next_clinical_due_date <= %(today)s
    AND p.archived_at IS NULL AND p.deceased_at IS NULL AND p.erased_at IS NULL"""
_SOME = " AND p.id = ANY(%(patients)s)"
_RISK = " AND p.risk_category = %(risk)s"

# The patient's open recall, or else the last one. A closed one speaks only of the cycle that is
# due now; one that ended in an appointment which is no more has to begin anew.
_STANDING = Template(
    """
    SELECT p.id, p.next_clinical_due_date AS due, $signature AS bits, said.*
    FROM patients_patient p $joins
    LEFT JOIN (
        SELECT DISTINCT ON (patient_id) patient_id, state, reason, closed_at, cycle_due_date
        FROM recall_episode
        WHERE practice_id = ANY(%(practices)s) $whose
        ORDER BY patient_id, closed_at DESC NULLS FIRST, opened_at DESC
    ) recall ON recall.patient_id = p.id
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN recall.state IS NOT NULL AND recall.closed_at IS NULL THEN recall.state
            WHEN own.starts_at IS NOT NULL THEN 'booked'
            WHEN recall.cycle_due_date IS DISTINCT FROM p.next_clinical_due_date THEN ''
            WHEN recall.state = 'booked' THEN 'due'
            ELSE recall.state END AS state,
        CASE
            WHEN recall.state IS NOT NULL AND recall.closed_at IS NULL THEN recall.reason
            WHEN own.starts_at IS NOT NULL THEN 'future_appointment'
            WHEN recall.state = 'booked' THEN 'appointment_lost'
            ELSE recall.reason END AS reason
    ) said
    WHERE $which"""
)
_OF_PRACTICE = {"signature": sql.SIGNATURE_SQL, "joins": sql.JOINS_AT_ONCE, "whose": ""}
_OF_SOME = {**_OF_PRACTICE, "whose": "AND patient_id = ANY(%(patients)s)"}
_OF_FEW = {**_OF_SOME, "joins": sql.JOINS_EACH}
_COUNTED = Template(
    """
SELECT state, CASE WHEN state = '' THEN bits END AS bits, count(*)
FROM ($standing) stand
GROUP BY 1, 2"""
)
_PAGE = Template(
    """
SELECT id, state, reason, bits
FROM ($standing) stand
WHERE state = %(state)s$or_by_rules
ORDER BY due, id
LIMIT %(limit)s OFFSET %(offset)s"""
)


@dataclass(frozen=True, slots=True)
class Standing:
    """One overdue patient. `reason` is never blank."""

    patient_id: UUID
    state: EpisodeState
    reason: str


def standing(
    practice: Practice, now: datetime | None = None, *, patients: Collection[UUID] | None = None
) -> Iterator[Standing]:
    """Every patient who is due and still a patient, each once; a fixed number of queries.

    With `patients`, those of them only.
    """
    now = now or clock.now()
    rules = _Rules(practice, now)
    params = gather.parameters([practice.pk], now)
    parts, which = _OF_PRACTICE, _DUE
    if patients is not None:
        params["patients"] = list(patients)
        parts, which = _OF_FEW if len(patients) <= gather.FEW else _OF_SOME, _DUE + _SOME
    with connection.chunked_cursor() as cursor:
        cursor.execute(_STANDING.substitute(parts, which=which), params)
        while batch := cursor.fetchmany(gather.BATCH):
            for key, _, bits, state, reason in batch:
                yield rules.standing(key, state, reason, bits)


def of_state(
    practice: Practice,
    state: str,
    *,
    offset: int,
    limit: int,
    risk: str = "",
    patient: UUID | None = None,
) -> tuple[list[Standing], int]:
    """That part of the overdue patients in this state, the earliest due first, and how many there
    are. Two queries more than a practice's policy takes, whatever the number of patients.
    """
    now = clock.now()
    rules = _Rules(practice, now)
    params: dict[str, Any] = gather.parameters([practice.pk], now)
    params |= {"risk": risk, "patients": [patient], "state": state}
    which = _DUE + (_RISK if risk else "") + (_SOME if patient else "")
    stand = _STANDING.substitute(_OF_SOME if patient else _OF_PRACTICE, which=which)
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED.substitute(standing=stand), params)
        groups = [
            (bits, count)
            for said, bits, count in cursor.fetchall()
            if (said or rules.state(bits)) == state
        ]
        total = sum(count for _, count in groups)
        if offset >= total:
            return [], total
        signatures = [bits for bits, _ in groups if bits is not None]
        params |= {"bits": signatures, "limit": limit, "offset": offset}
        either = " OR (state = '' AND bits = ANY(%(bits)s))" if signatures else ""
        cursor.execute(_PAGE.substitute(standing=stand, or_by_rules=either), params)
        return [rules.standing(*row) for row in cursor.fetchall()], total


def overdue_patients(practice: Practice, today: date) -> QuerySet[Patient]:
    """Due by `today` and still a patient."""
    return Patient.objects.filter(
        practice=practice,
        archived_at=None,
        deceased_at=None,
        erased_at=None,
        next_clinical_due_date__lte=today,
    )


class _Rules:
    """What the rules say of those whom nobody has begun to recall."""

    def __init__(self, practice: Practice, now: datetime) -> None:
        policy = gather.policy_of(practice, now)
        self._judges = [
            ManyPatients(policy, now, Channel(channel)) for channel in ChainPolicy().channels
        ]

    def standing(self, patient_id: UUID, state: str, reason: str | None, bits: int) -> Standing:
        if state:
            return Standing(patient_id, EpisodeState(state), reason or state)
        return Standing(patient_id, *self._of(bits))

    def state(self, bits: int) -> EpisodeState:
        return self._of(bits)[0]

    def _of(self, bits: int) -> tuple[EpisodeState, str]:
        """Due, unless the patient said no or no channel is left."""
        closed = [code for judge in self._judges if (code := _lasting(judge, bits))]
        if "opted_out" in closed:
            return EpisodeState.OPTED_OUT, "opted_out"
        if len(closed) == len(self._judges):
            return EpisodeState.NOT_CONTACTABLE, closed[0]
        return EpisodeState.DUE, "not_started"


def _lasting(judge: ManyPatients, bits: int) -> str:
    """The first lasting reason against the channel, blank when there is none."""
    return next((rule.code for rule in judge.failed(bits) if rule.kind is Kind.LASTING), "")
