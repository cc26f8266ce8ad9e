"""Reads the contact receipt: the rules as they stood when an attempt was claimed.

It decides nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from recall.models import Attempt
from recall.wording import RULES, TELLING, rule_words


@dataclass(frozen=True, slots=True)
class Line:
    words: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Receipt:
    """`at` is when the rules were put to the case, `register_date` which TPS list they used.

    `told` are what failed and what people ask about first; `quiet` is the rest.
    """

    at: datetime | None
    register_date: date | None
    told: tuple[Line, ...]
    quiet: tuple[Line, ...]


def read(attempt: Attempt) -> Receipt | None:
    """The receipt in words; None for an attempt that was never claimed."""
    stored = attempt.receipt
    rules = stored.get("rules")
    if not isinstance(rules, dict):
        return None
    known = [*(code for code in RULES if code in rules), *sorted(rules.keys() - RULES.keys())]
    telling = {code for code in known if code in TELLING or not rules[code]}
    at, register = stored.get("at"), stored.get("register_date")
    return Receipt(
        at=datetime.fromisoformat(at) if at else None,
        register_date=date.fromisoformat(register) if register else None,
        told=tuple(_line(code, rules) for code in known if code in telling),
        quiet=tuple(_line(code, rules) for code in known if code not in telling),
    )


def _line(code: str, rules: Mapping[str, object]) -> Line:
    passed = bool(rules[code])
    return Line(rule_words(code, passed=passed), passed)
