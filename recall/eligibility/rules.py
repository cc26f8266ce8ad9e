"""The rules, once each, as one table in the order in which the API answers them: lasting reasons
before passing ones.

A rule looks at a case and says whether it fails, in words why, and when it would pass. It never
looks at another rule, and none is skipped because another failed.
"""

from functools import lru_cache

from recall.eligibility.case import Rule
from recall.eligibility.standing_rules import STANDING_RULES
from recall.eligibility.timing_rules import TIMING_RULES
from recall.models import Channel, Purpose

RULES: tuple[Rule, ...] = STANDING_RULES + TIMING_RULES


@lru_cache(maxsize=32)
def rules_for(channel: Channel, purpose: Purpose) -> tuple[Rule, ...]:
    """The rules that have a say, in order."""
    return tuple(rule for rule in RULES if channel in rule.channels and purpose in rule.purposes)
