"""Who: practices, their people and keys, what they used, and the journal of all changes."""

from practices.models.api_keys import ApiKey
from practices.models.api_use import ApiCount, StoredAnswer
from practices.models.journal import JournalEntry
from practices.models.operations import Heartbeat, JobTry
from practices.models.people import Membership, Role, User
from practices.models.practice import Mode, Nation, Plan, Practice, SubscriptionStatus
from practices.models.usage import MonthlyUsage

__all__ = [
    "ApiCount",
    "ApiKey",
    "Heartbeat",
    "JobTry",
    "JournalEntry",
    "Membership",
    "Mode",
    "MonthlyUsage",
    "Nation",
    "Plan",
    "Practice",
    "Role",
    "StoredAnswer",
    "SubscriptionStatus",
    "User",
]
