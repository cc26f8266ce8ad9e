"""Calls counted against the plan. One conditional UPDATE decides, so that the last call of a month
is given away once however many workers ask for it.
"""

from datetime import date, datetime
from uuid import UUID

from django.db import connection
from django.db.models import F

from practices import plans
from practices.models import MonthlyUsage, Practice
from sightsync.lib import clock


def month_of(moment: datetime) -> date:
    """The first of the London calendar month that `moment` falls in."""
    return clock.london(moment).date().replace(day=1)


def next_month(month: date) -> date:
    """The first of the month after."""
    if month.month == 12:
        return date(month.year + 1, 1, 1)
    return date(month.year, month.month + 1, 1)


def take(*, practice: Practice, month: date) -> bool:
    """Count one call if the plan has one left; whether it had.

    The row stays locked until the caller's transaction ends: claims of one practice queue here.
    """
    left = MonthlyUsage.objects.filter(
        practice=practice, month=month, calls_used__lt=plans.monthly_limit(practice.plan)
    )
    if left.update(calls_used=F("calls_used") + 1) == 1:
        return True
    _ensure_row(practice.pk, month)
    return left.update(calls_used=F("calls_used") + 1) == 1


def give_back(*, practice_id: UUID, month: date) -> None:
    """Uncount one call that is known not to have been made."""
    MonthlyUsage.objects.filter(practice_id=practice_id, month=month, calls_used__gt=0).update(
        calls_used=F("calls_used") - 1
    )


def used(*, practice_id: UUID, month: date) -> int:
    row = MonthlyUsage.objects.filter(practice_id=practice_id, month=month).first()
    return row.calls_used if row else 0


def _ensure_row(practice_id: UUID, month: date) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO practices_monthlyusage (practice_id, month, calls_used)"
            " VALUES (%s, %s, 0) ON CONFLICT DO NOTHING",
            [practice_id, month],
        )
