"""What each plan includes. Pure: no database, no clock."""

from practices.models import Plan

CALLS_A_MONTH: dict[str, int] = {
    Plan.STARTER: 300,
    Plan.GROWTH: 750,
    Plan.PRACTICE: 1500,
    Plan.GROUP: 5000,
}

_DEDICATED_NUMBER = frozenset({Plan.PRACTICE, Plan.GROUP})


def monthly_limit(plan: str) -> int:
    """Calls in one calendar month (Europe/London). An unknown plan raises KeyError."""
    return CALLS_A_MONTH[plan]


def has_dedicated_number(plan: str) -> bool:
    """Whether the practice's calls come from a number of its own."""
    return plan in _DEDICATED_NUMBER
