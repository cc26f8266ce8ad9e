"""What a phrase of a goal says of a patient, once its words have been matched.

Pure. The patterns themselves are in `grammar_phrases`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from recall.campaigns import grammar_dates as dates
from recall.campaigns.choice import MAX_AGE, MAX_PATIENTS

Said = Mapping[str, Any]


class Kind(StrEnum):
    CONDITION = "condition"
    NOUN = "noun"
    """Patients, the ones: it names people without saying anything of them."""
    DUE = "due"
    """True of everybody whom a recall is for."""
    LIMIT = "limit"
    FILLER = "filler"
    AND = "and"
    OR = "or"
    COMMA = "comma"
    ELSE = "else"
    """Parts the goal in two whatever stands around it."""
    NOT = "not"
    EXCEPT = "except"
    ALL_BUT = "all but"


@dataclass(frozen=True, slots=True)
class Term:
    """What a phrase says. `opposite` is the same denied, where that is a condition of its own;
    with nothing in `says` the phrase is understood after a "not" alone. `noun` is True of words
    that stand for people by themselves (diabetics).
    """

    kind: Kind
    says: Said | None = None
    opposite: Said | None = None
    noun: bool = False
    denied: bool = False
    """What it says is not so: the phrase has its own "not"."""


class Refused(ValueError):
    """The words have the shape of a phrase and cannot be meant."""


Maker = Callable[["re.Match[str]", date], Term]


def says(noun: bool = False, **said: Any) -> Maker:
    return lambda _match, _today: Term(Kind.CONDITION, said, noun=noun)


def kind(kind: Kind) -> Maker:
    return lambda _match, _today: Term(kind)


def refuse(_match: "re.Match[str]", _today: date) -> Term:
    raise Refused


# --- overdue ------------------------------------------------------------------------------------


def overdue(match: "re.Match[str]", _today: date) -> Term:
    found = match.groupdict()
    span = dates.span(found["span"])
    more, less = found.get("more"), found.get("less")
    below = less or found.get("most") or found.get("or_less")
    if (span.months == span.days == 0) or span.months > 1200 or span.days > 36000:
        raise Refused
    edge = 1 if more or (below and not less) else 0
    name = "overdue_below" if below else "overdue"
    said = {f"{name}_months": span.months, f"{name}_days": span.days + edge}
    other = "overdue" if below else "overdue_below"
    denied = {f"{other}_months": span.months, f"{other}_days": span.days + edge}
    return Term(Kind.CONDITION, said, denied)


def overdue_between(match: "re.Match[str]", _today: date) -> Term:
    upper = match["upper"]
    unit = upper.split(" ")[1]
    low = dates.span(match["lower"] if " " in match["lower"] else f"{match['lower']} {unit}")
    high = dates.span(upper)
    said = {
        "overdue_months": low.months,
        "overdue_days": low.days,
        "overdue_below_months": high.months,
        "overdue_below_days": high.days + 1,
    }
    return Term(Kind.CONDITION, said)


# --- age ----------------------------------------------------------------------------------------


def age(match: "re.Match[str]", _today: date) -> Term:
    """Over 70 is 70 and over, since nobody stays at a birthday; under 16 is 15 and under."""
    found = match.groupdict()
    years = int(found["years"])
    if years > MAX_AGE:
        raise Refused
    if found.get("under"):
        if years == 0:
            raise Refused
        return Term(Kind.CONDITION, {"age_to": years - 1}, noun=bool(found.get("s")))
    if found.get("down"):
        return Term(Kind.CONDITION, {"age_to": years}, noun=bool(found.get("s")))
    return Term(Kind.CONDITION, {"age_from": years}, noun=bool(found.get("s")))


def ages(match: "re.Match[str]", _today: date) -> Term:
    found = match.groupdict()
    low = int(found["low"])
    high = int(found.get("high") or low)
    if max(low, high) > MAX_AGE or low > high:
        raise Refused
    noun = bool(found.get("olds"))
    return Term(Kind.CONDITION, {"age_from": low, "age_to": high}, noun=noun)


# --- eye tests ----------------------------------------------------------------------------------


def tested(match: "re.Match[str]", today: date) -> Term:
    found = match.groupdict()
    day = dates.stretch(found["day"], today)
    if found.get("before"):
        return Term(Kind.CONDITION, {"tested_to": day.first - timedelta(days=1)})
    if found.get("until"):
        return Term(Kind.CONDITION, {"tested_to": day.last})
    if found.get("after"):
        if day.last >= today:
            raise Refused
        return Term(Kind.CONDITION, {"tested_from": day.last + timedelta(days=1)})
    if found.get("since"):
        return Term(Kind.CONDITION, {"tested_from": day.first})
    return Term(Kind.CONDITION, {"tested_from": day.first, "tested_to": day.last})


def tested_between(match: "re.Match[str]", today: date) -> Term:
    first, last = match["first"], match["last"]
    year = re.search(r"(?<!\d)(?:19|20)\d\d$", last)
    if year and not re.search(r"\d{4}|/\d\d$|ago$|year", first):
        first = f"{first} {year[0]}"
    begins, ends = dates.stretch(first, today), dates.stretch(last, today)
    if begins.first > ends.last:
        raise Refused
    return Term(Kind.CONDITION, {"tested_from": begins.first, "tested_to": ends.last})


def tested_ago(match: "re.Match[str]", today: date) -> Term:
    """More than two years ago, within the last six months, not for three years."""
    found = match.groupdict()
    if found.get("period"):
        return Term(Kind.CONDITION, {"tested_from": dates.stretch(found["period"], today).first})
    day = dates.span(found["span"] or f"a {found['unit']}").before(today)
    if found.get("more"):
        return Term(Kind.CONDITION, {"tested_to": day - timedelta(days=1)})
    if found.get("least"):
        return Term(Kind.CONDITION, {"tested_to": day})
    if found.get("less"):
        return Term(Kind.CONDITION, {"tested_from": day + timedelta(days=1)})
    return Term(Kind.CONDITION, {"tested_from": day})


def not_tested(match: "re.Match[str]", today: date) -> Term:
    found = match.groupdict()
    if found.get("day"):
        since = dates.stretch(found["day"], today).first
    elif found.get("period"):
        since = dates.stretch(found["period"], today).first
    else:
        since = dates.span(found["span"] or f"a {found['unit']}").before(today)
    return Term(Kind.CONDITION, {"tested_from": since}, denied=True)


# --- calls and messages -------------------------------------------------------------------------


def contact(match: "re.Match[str]", today: date) -> Term:
    """Called or contacted since then: with days, so that "not in the last 30 days" keeps them."""
    found = match.groupdict()
    word = "contacted" if "contacted" in match[0] else "called"
    if found.get("span") or found.get("unit"):
        span = dates.span(found["span"] or f"a {found['unit']}")
        since = span.before(today)
        if span.days and not span.months:
            if span.days > 36500:
                raise Refused
            opposite: Said = {f"not_{word}_days": span.days}
        else:
            opposite = {f"not_{word}_since": since}
        return Term(Kind.CONDITION, {f"{word}_since": since}, opposite)
    day = dates.stretch(found["day"], today)
    if not found.get("since") and day.last < today:
        raise Refused  # a stretch that is over has two ends; a contact since then has one
    said = {f"{word}_since": day.first}
    return Term(Kind.CONDITION, said, {f"not_{word}_since": day.first})


def ever_contacted(match: "re.Match[str]", _today: date) -> Term:
    word = "contacted" if "contacted" in match[0] else "called"
    return Term(Kind.CONDITION, {}, {f"never_{word}": True})


def never_contacted(match: "re.Match[str]", _today: date) -> Term:
    word = "contacted" if "contacted" in match[0] else "called"
    return Term(Kind.CONDITION, {f"never_{word}": True})


def appointment(has: bool) -> Maker:
    said, opposite = {"has_appointment": has}, {"has_appointment": not has}
    return lambda _match, _today: Term(Kind.CONDITION, said, opposite)


def limit(match: "re.Match[str]", _today: date) -> Term:
    count = int(match["count"])
    if not 1 <= count <= MAX_PATIENTS:
        raise Refused
    return Term(Kind.LIMIT, {"limit": count})
