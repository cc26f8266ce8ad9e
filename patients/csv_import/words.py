"""Owns the words that exports use for risk, consent and death, and what they mean here. Pure."""

import re
from functools import lru_cache

_YES = frozenset({"y", "yes", "true", "t", "1", "x", "✓", "✔", "ok", "agreed", "consented", "on"})
_NO = frozenset({"n", "no", "false", "f", "0", "refused", "declined", "off", "never", "withdrawn"})
_UNSAID = frozenset(
    {"", "-", "n/a", "na", "unknown", "not asked", "not known", "?", "none", "null"}
)

# Most frequent recall first, then the clinically weightier: of several, the first found counts.
_RISKS = (
    ("myopia_child", re.compile(r"myop")),
    ("diabetic", re.compile(r"diab|\bdm\b|\biddm\b|\bniddm\b|\bt[12]d")),
    ("glaucoma_suspect", re.compile(r"glauc|\bohts?\b|ocular hypert|\biop\b|\bpoag\b")),
    ("other_clinical", re.compile(r"other.?clin|clinical|macul|\bamd\b|catara|keratoc|retin")),
    ("contact_lens", re.compile(r"contact.?lens|\bcls?\b|\bcl\b|lens wearer")),
)
_STANDARD = re.compile(
    r"standard|normal|routine|general|regular|\bnone\b|\bn/?a\b|sight.?test|eye.?test|eye.?exam"
    r"|spectacle|glasses|\bnil\b|^-+$|^nhs$|^private$|^adult$|^child$|\blow\b|unknown"
)
_NEGATED = re.compile(r"\b(?:non|not|no)[ -]+\w+")


class Unclear(ValueError):
    """A word that is neither yes nor no."""


def risk(text: str) -> str:
    """The risk category that a word or a list of conditions means; unrecognised ones are standard.

    Of several conditions the one with the shortest interval counts, so that a patient is never
    recalled later than the strictest of them asks.
    """
    return recognised_risk(text) or "standard"


@lru_cache(maxsize=1024)
def recognised_risk(text: str) -> str:
    """As ``risk``, "" for words that mean nothing to us."""
    text = text.strip().lower().replace("_", " ")
    said = _NEGATED.sub("", text)
    for category, pattern in _RISKS:
        if pattern.search(said):
            return category
    usual = said != text or not text or _STANDARD.search(text) is not None
    return "standard" if usual else ""


def agrees(text: str) -> bool | None:
    """Yes, no, or nothing said, of a cell that asks for consent. Raises Unclear for other words."""
    word = text.strip().lower()
    if word in _UNSAID:
        return None
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise Unclear


def is_set(text: str) -> bool:
    """Whether a mark such as 'do not contact' or 'deceased' is set: by anything but a no or
    nothing, since a note in such a column is written for a reason.
    """
    word = text.strip().lower()
    return word not in _NO and word not in _UNSAID
