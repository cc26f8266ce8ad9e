"""How many patients of a practice may be contacted, and what keeps the others: counted without
reading the patients one by one.

The database groups patients by their signature; each distinct one is put to the same rules as any
single patient.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import connection

from practices.models import Practice
from recall.eligibility import gather, sql
from recall.eligibility.evaluate import ManyPatients
from recall.models import Channel, Purpose


@dataclass(slots=True)
class Summary:
    """Counts of one practice. A patient with three reasons counts once in `first_reasons`, three
    times in `reasons`.
    """

    patients: int = 0
    allowed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    first_reasons: Counter[str] = field(default_factory=Counter)


def summarise(
    practices: Iterable[Practice],
    *,
    channel: Channel,
    now: datetime,
    purpose: Purpose = Purpose.RECALL,
    require_due: bool = False,
) -> dict[UUID, Summary]:
    """A summary of each practice by id, in four queries however many practices and patients."""
    policies = gather.policies_of(practices, now, require_due=require_due)
    summaries = {practice_id: Summary() for practice_id in policies}
    judges = {
        practice_id: ManyPatients(policy, now, channel, purpose)
        for practice_id, policy in policies.items()
    }
    with connection.cursor() as cursor:
        cursor.execute(sql.COUNTS, gather.parameters(list(policies), now))
        for practice_id, bits, count in cursor.fetchall():
            _add(summaries[practice_id], judges[practice_id], bits, count)
    return summaries


def _add(summary: Summary, judge: ManyPatients, bits: int, count: int) -> None:
    failed = judge.failed(bits)
    summary.patients += count
    if not failed:
        summary.allowed += count
        return
    summary.first_reasons[failed[0].code] += count
    for rule in failed:
        summary.reasons[rule.code] += count
