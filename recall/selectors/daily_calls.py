"""The calls of each London day, as the usage report gives them."""

from datetime import date, time, timedelta
from typing import Any

from django.db.models import Count, Q
from django.db.models.functions import TruncDate

from practices.models import Practice
from recall.models import Attempt, AttemptState, Channel, Outcome
from sightsync.lib import clock

_FAILED = Q(state=AttemptState.FAILED) | Q(
    outcome__in=(Outcome.BUSY, Outcome.NO_ANSWER, Outcome.FAILED)
)
"""As `call.failed` in the journal: nobody was reached, not even a machine."""


def daily(practice: Practice, first: date, last: date) -> list[dict[str, Any]]:
    """Every day from `first` to `last`: calls handed to the carrier (`total`), those of them that
    ended with somebody or something answering (`completed`), and those that did not (`failed`).
    """
    rows = (
        Attempt.objects.filter(
            practice=practice,
            channel=Channel.VOICE,
            submitted_at__gte=clock.at_london(first, time()),
            submitted_at__lt=clock.at_london(last + timedelta(days=1), time()),
        )
        .values(day=TruncDate("submitted_at", tzinfo=clock.LONDON))
        .annotate(
            total=Count("pk"),
            failed=Count("pk", filter=_FAILED),
            ended=Count("pk", filter=Q(state__in=(AttemptState.DONE, AttemptState.FAILED))),
        )
    )
    found: dict[date, dict[str, Any]] = {row["day"]: {**row} for row in rows.order_by()}
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [_day(day, found.get(day)) for day in days]


def _day(day: date, row: dict[str, Any] | None) -> dict[str, Any]:
    if row is None:
        return {"date": day, "total": 0, "completed": 0, "failed": 0}
    completed = max(0, row["ended"] - row["failed"])
    return {"date": day, "total": row["total"], "completed": completed, "failed": row["failed"]}
