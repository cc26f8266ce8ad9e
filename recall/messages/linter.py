"""Words that do not belong in a message to a patient. Pure.

A recall is a service message only while it is neutral: one word of promotion makes it direct
marketing (PECR regulation 22; ICO, "direct marketing and regulatory communications"). And it must
not say what anybody suffers from: a phone lies on the kitchen table.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """Why a word is marked."""

    PROMOTION = "promotion"
    CONDITION = "condition"


@dataclass(frozen=True, slots=True)
class Marked:
    """A marked word, where it stands (end exclusive), and what is wrong with it."""

    word: str
    start: int
    end: int
    fault: Fault


_PROMOTION = (
    r"offers?",
    r"deals?",
    r"discount(?:s|ed)?",
    r"sales?",
    r"bargains?",
    r"vouchers?",
    r"coupons?",
    r"promo(?:tion(?:s|al)?)?",
    r"\d+\s?%(?:\s+off)?",
    r"\d+\s?per\s?cent off",
    r"half[- ]price",
    r"[£$€]\s?\d+(?:\.\d\d)?",
    r"free (?!times?\b|slots?\b|to\b)\w+",
    r"for free",
    r"complimentary",
    r"save (?:up to|money|on)",
    r"prizes?",
    r"win",
    r"reward(?:s|ed)?",
    r"loyalty",
    r"buy",
    r"purchase",
    r"shop",
    r"pric(?:e|es|ing)",
    r"cheap(?:er|est)?",
    r"best[- ]value",
    r"latest (?:frames|range|styles|lenses)",
    r"designer",
    r"frames",
    r"sunglasses",
    r"limited[- ]time",
    r"hurry",
    r"don['’]?t miss(?: out)?",
    r"exclusive(?:ly)?",
    r"upgrade",
    r"two for one|2 for 1|2-for-1|bogof",
    r"new range",
    r"refer a friend",
)

_CONDITION = (
    r"diabet\w*",
    r"glaucoma\w*",
    r"ocular hypertens\w*",
    r"(?:eye|intraocular) pressure",
    r"cataracts?",
    r"macula\w*",
    r"a\.?m\.?d\.?",
    r"retinopath\w*",
    r"retina\w*",
    r"myopi\w*",
    r"short[- ]sighted\w*",
    r"long[- ]sighted\w*",
    r"hyperop\w*",
    r"astigmat\w*",
    r"presbyop\w*",
    r"keratoconus",
    r"amblyop\w*",
    r"lazy eye",
    r"squint",
    r"uveitis",
    r"iritis",
    r"conjunctivitis",
    r"blepharitis",
    r"dry eyes?",
    r"floaters?",
    r"flash(?:es|ing lights?)",
    r"contact lens(?:es)?",
    r"dementia",
    r"stroke",
    r"cancer",
    r"tumou?r",
    r"blind(?:ness)?",
    r"sight loss",
    r"loss of (?:sight|vision)",
    r"(?:high|increased|at) risk",
    r"risk (?:category|group|level)",
    r"suspects?",
    r"disease",
    r"diagnos\w+",
    r"condition",
    r"symptoms?",
    r"medication",
)


def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    # No word character on either side: "shop" is marked, "Bishop" is not; "20%" has no \b after it.
    return re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.IGNORECASE)


_PATTERNS = ((Fault.PROMOTION, _pattern(_PROMOTION)), (Fault.CONDITION, _pattern(_CONDITION)))


def marked(text: str) -> list[Marked]:
    """The words that keep a text from being sent as a service message, in order; empty is fine.

    Addresses are left out: a practice's own domain may be called anything.
    """
    seen = re.sub(r"https?://\S+", lambda found: " " * len(found[0]), text)
    found = [
        Marked(text[match.start() : match.end()], match.start(), match.end(), fault)
        for fault, pattern in _PATTERNS
        for match in pattern.finditer(seen)
    ]
    return sorted(found, key=lambda one: one.start)
