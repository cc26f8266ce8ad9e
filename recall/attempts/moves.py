"""Moving an attempt from state to state, and locking one for a change. Nothing else may write
`Attempt.state`.
"""

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.db.models.expressions import Combinable

from patients.models import Patient
from recall import states
from recall.models import Attempt, AttemptState


def move(
    attempt_id: UUID,
    *,
    to: AttemptState,
    sources: tuple[AttemptState, ...] = (),
    only_if: Q | Combinable | None = None,
    **changes: Any,
) -> bool:
    """Perform one move as one UPDATE that must hit one row; whether it did.

    `sources` narrows the states it may start from (default: all that the table allows). `only_if`
    must be about the attempt's own columns or an EXISTS of them: a condition that makes Django join
    would put the state check into a subquery, which PostgreSQL does not repeat after a lock wait.
    """
    allowed = states.sources(to)
    starts = sources or allowed
    if not set(starts) <= set(allowed):
        raise ValueError(f"no move from {starts} to {to}")
    rows = Attempt.objects.filter(pk=attempt_id, state__in=starts)
    if only_if is not None:
        rows = rows.filter(only_if)
    return rows.update(state=to, **changes) == 1


def lock(attempt_id: UUID) -> Attempt | None:
    """Lock the attempt's patient, then the attempt: every change to one patient's contacts queues
    here, always in this order. None when there is no such attempt. Needs a transaction.
    """
    # Not a key lock: rows that point to the patient may be written meanwhile.
    patients = Patient.objects.select_for_update(no_key=True, of=("self",))
    list(patients.filter(attempts__pk=attempt_id).values_list("pk"))
    return (
        Attempt.objects.select_for_update(no_key=True, of=("self",))
        .select_related("practice", "patient", "episode", "campaign")
        .filter(pk=attempt_id)
        .first()
    )
