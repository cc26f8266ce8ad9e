"""What a rule is and what it is asked: the case, the kinds of failure, the channels and purposes
that a rule may have a say in. Pure.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from recall.eligibility.facts import Facts, Policy
from recall.models import Channel, Purpose
from sightsync.lib.clock import LONDON

VOICE = frozenset({Channel.VOICE})
EMAIL = frozenset({Channel.EMAIL})
BY_NUMBER = frozenset({Channel.VOICE, Channel.WHATSAPP, Channel.SMS})
TEXTS = frozenset({Channel.WHATSAPP, Channel.SMS})
MESSAGES = frozenset({Channel.WHATSAPP, Channel.SMS, Channel.EMAIL})
EVERY = frozenset(Channel)

RECALLS = frozenset({Purpose.RECALL})
ANYTHING = frozenset(Purpose)


class Kind(StrEnum):
    """What a failed rule means for the future."""

    LASTING = "lasting"
    """It stays so until the patient's record changes."""
    HELD = "held"
    """It stays so until somebody at the practice acts."""
    PASSING = "passing"
    """It ends by itself at a known instant."""


@dataclass(frozen=True, slots=True)
class Case:
    """One question: may this patient be contacted, on this channel, for this, now?"""

    facts: Facts
    policy: Policy
    now: datetime
    channel: Channel
    purpose: Purpose = Purpose.RECALL

    @property
    def today(self) -> date:
        return self.now.astimezone(LONDON).date()


@dataclass(frozen=True, slots=True)
class Rule:
    """`status` is the API's answer when this rule is the first to fail. `why` words a failure,
    `fine` a pass. `passes_at` is asked of PASSING rules only.
    """

    code: str
    status: int
    kind: Kind
    fails: Callable[[Case], bool]
    why: Callable[[Case], str]
    fine: str
    passes_at: Callable[[Case], datetime | None] = lambda case: None
    channels: frozenset[Channel] = EVERY
    purposes: frozenset[Purpose] = ANYTHING


def said(text: str) -> Callable[[Case], str]:
    return lambda case: text
