"""Where every overdue patient of a practice stands: exactly one state and one reason each, so that
nobody falls through. It reads, and decides nothing that the rules have not decided.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import QuerySet

from patients.models import Patient
from practices.models import Practice
from recall.chain import ChainPolicy
from recall.eligibility import gather
from recall.eligibility.case import Kind
from recall.eligibility.evaluate import ManyPatients
from recall.eligibility.facts import Row
from recall.models import Channel, Episode, EpisodeState
from sightsync.lib import clock


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
    today = clock.london(now).date()
    policy = gather.policy_of(practice, now)
    judges = {channel: ManyPatients(policy, now, channel) for channel in ChainPolicy().channels}
    due = overdue_patients(practice, today)
    if patients is not None:
        due = due.filter(pk__in=patients)
    overdue = set(due.values_list("pk", flat=True))
    recalls = _recalls(practice, patients)
    for row in gather.rows(practice_id=practice.pk, now=now, patients=patients):
        if row.patient_id not in overdue:
            continue
        state, reason = _of_recall(recalls.get(row.patient_id), row) or _of_rules(judges, row)
        yield Standing(row.patient_id, state, reason)


def overdue_patients(practice: Practice, today: date) -> QuerySet[Patient]:
    """Due by `today` and still a patient."""
    return Patient.objects.filter(
        practice=practice,
        archived_at=None,
        deceased_at=None,
        erased_at=None,
        next_clinical_due_date__lte=today,
    )


def counts(practice: Practice, now: datetime | None = None) -> Counter[tuple[str, str]]:
    """How many overdue patients stand in each state for each reason."""
    return Counter((str(one.state), one.reason) for one in standing(practice, now))


def _recalls(practice: Practice, patients: Collection[UUID] | None) -> dict[UUID, Episode]:
    """Each patient's open recall, or else the last one."""
    rows = Episode.objects.filter(practice=practice)
    if patients is not None:
        rows = rows.filter(patient__in=patients)
    latest = rows.order_by("patient_id", "closed_at", "opened_at").only(
        "patient_id", "state", "reason", "closed_at", "cycle_due_date"
    )
    found: dict[UUID, Episode] = {}
    for episode in latest:
        held = found.get(episode.patient_id)
        # PostgreSQL sorts null last: the open one comes after all that are closed.
        if held is None or held.closed_at is not None:
            found[episode.patient_id] = episode
    return found


def _of_recall(episode: Episode | None, row: Row) -> tuple[EpisodeState, str] | None:
    """What the recall says; a closed one only of the cycle that is due now."""
    if episode is not None and episode.closed_at is None:
        return EpisodeState(episode.state), episode.reason or episode.state
    if row.appointment_at is not None:
        return EpisodeState.BOOKED, "future_appointment"
    if episode is None or episode.cycle_due_date != row.due_on:
        return None
    if episode.state == EpisodeState.BOOKED:
        return EpisodeState.DUE, "appointment_lost"
    return EpisodeState(episode.state), episode.reason or episode.state


def _of_rules(judges: dict[Channel, ManyPatients], row: Row) -> tuple[EpisodeState, str]:
    """Nobody has begun: due, unless the patient said no or no channel is left."""
    closed = [code for judge in judges.values() if (code := _lasting(judge, row.bits))]
    if "opted_out" in closed:
        return EpisodeState.OPTED_OUT, "opted_out"
    if len(closed) == len(judges):
        return EpisodeState.NOT_CONTACTABLE, closed[0]
    return EpisodeState.DUE, "not_started"


def _lasting(judge: ManyPatients, bits: int) -> str:
    """The first lasting reason against the channel, blank when there is none."""
    return next((rule.code for rule in judge.failed(bits) if rule.kind is Kind.LASTING), "")
