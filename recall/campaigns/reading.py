"""A choice read back in plain words: as labelled pairs for chips, and as one sentence.

Pure. What `sentence` says, the grammar reads as the same choice again.
"""

from datetime import date

from recall.campaigns.choice import RISKS, Choice, Group

ADDED = "Added by the language model"
"""Before what the grammar did not read by itself."""

RISK_WORDS = {
    "glaucoma_suspect": "glaucoma suspect",
    "diabetic": "diabetic",
    "other_clinical": "other clinical",
    "myopia_child": "child with myopia",
    "contact_lens": "contact lenses",
    "standard": "standard",
}
_RISK_ADJECTIVES = {**RISK_WORDS, "myopia_child": "myopia", "contact_lens": "contact lens"}
Pair = tuple[str, str]


def words(choice: Choice) -> list[Pair]:
    """The choice read back: (what, value) pairs for the page."""
    if choice.only:
        count = len(choice.only)
        return [("Chosen by hand", f"{count} patient{'' if count == 1 else 's'}")]
    read = pairs(choice.main)
    if not any(what == "Overdue" for what, _ in read):
        read.insert(1 if choice.risks else 0, ("Overdue", "due now or before"))
    if not choice.risks:
        read.insert(0, ("Risk", "any"))
    read += [("Or", phrase(group)) for group in choice.also]
    read += [("Leaving out", phrase(group)) for group in choice.leaving_out]
    read.append(("At most", f"{choice.limit} patient{'' if choice.limit == 1 else 's'}"))
    return read


def pairs(group: Group) -> list[Pair]:
    """What a group says, one pair a condition."""
    found = [
        ("Risk", _or([RISK_WORDS[risk] for risk in RISKS if risk in group.risks])),
        ("Overdue", _overdue(group)),
        ("Overdue", _overdue_below(group)),
        ("Age", _age(group)),
        ("Eye test", "none on record" if group.never_tested else ""),
        ("Last eye test", _tested(group)),
        *_contacts(group),
        ("Appointment", {None: "", True: "booked", False: "none ahead"}[group.has_appointment]),
    ]
    return [(what, value) for what, value in found if value]


def phrase(group: Group) -> str:
    """The group as a noun with all that is said of it: diabetic patients aged 70 and over."""
    return " ".join([_noun(group), *_details(group)])


def sentence(choice: Choice) -> str:
    """The whole choice in words that the grammar reads as the same choice."""
    if choice.only:
        return words(choice)[0][1] + " chosen by hand"
    said = [", ".join([_noun(choice.main), *_details(choice.main)])]
    said += [f"or else {phrase(group)}" for group in choice.also]
    said += [f"except {phrase(group)}" for group in choice.leaving_out]
    return "; ".join([*said, f"at most {choice.limit} patient{'' if choice.limit == 1 else 's'}"])


def name(choice: Choice) -> str:
    """A name for a campaign, of at most 120 characters."""
    said = sentence(choice).rpartition("; at most")[0] or sentence(choice)
    said = said[0].upper() + said[1:]
    return said if len(said) <= 120 else f"{said[:119].rstrip(' ,;')}…"


def day(value: date) -> str:
    return f"{value.day} {value:%B} {value.year:04}"


def _noun(group: Group) -> str:
    risks = [_RISK_ADJECTIVES[risk] for risk in RISKS if risk in group.risks]
    return f"{_or(risks)} patients".strip()


def _details(group: Group) -> list[str]:
    age, tested = _age(group), _tested(group)
    overdue, below = _overdue(group), _overdue_below(group)
    contacts = {
        "Last called": lambda said: f"not called {said[4:]}",
        "Last contacted": lambda said: f"not contacted {said[4:]}",
        "Called": lambda said: "never called" if said == "never" else f"called {said}",
        "Contacted": lambda said: "never contacted" if said == "never" else f"contacted {said}",
    }
    said = [
        f"overdue by {overdue}" if overdue else "",
        f"overdue by {below}" if below else "",
        f"aged {age}" if age else "",
        "never tested" if group.never_tested else "",
        f"last tested {tested}" if tested else "",
        *(contacts[what](value) for what, value in _contacts(group)),
        {None: "", True: "with an appointment", False: "without an appointment"}[
            group.has_appointment
        ],
    ]
    return [detail for detail in said if detail]


def _or(names: list[str]) -> str:
    return " or ".join(names)


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}" if number else ""


def _span(months: int, days: int) -> str:
    return " and ".join(filter(None, (_count(months, "month"), _count(days, "day"))))


def _overdue(group: Group) -> str:
    if group.overdue_months and group.overdue_days == 1:
        return f"more than {_span(group.overdue_months, 0)}"
    span = _span(group.overdue_months, group.overdue_days)
    return f"{span} or more" if span else ""


def _overdue_below(group: Group) -> str:
    if group.overdue_below_months and group.overdue_below_days == 1:
        return f"at most {_span(group.overdue_below_months, 0)}"
    span = _span(group.overdue_below_months, group.overdue_below_days)
    return f"less than {span}" if span else ""


def _age(group: Group) -> str:
    if group.age_from is None:
        return "" if group.age_to is None else f"{group.age_to} and under"
    if group.age_to is None:
        return f"{group.age_from} and over"
    return f"{group.age_from} to {group.age_to}"


def _tested(group: Group) -> str:
    first, last = group.tested_from, group.tested_to
    if first and last:
        return f"between {day(first)} and {day(last)}"
    if first:
        return f"on or after {day(first)}"
    return f"on or before {day(last)}" if last else ""


def _contacts(group: Group) -> list[Pair]:
    found = []
    for word in ("called", "contacted"):
        days = getattr(group, f"not_{word}_days")
        not_since, since = getattr(group, f"not_{word}_since"), getattr(group, f"{word}_since")
        if days:
            found.append((f"Last {word}", f"not in the last {_count(days, 'day')}"))
        if not_since:
            found.append((f"Last {word}", f"not since {day(not_since)}"))
        if since:
            found.append((word.capitalize(), f"since {day(since)}"))
        if getattr(group, f"never_{word}"):
            found.append((word.capitalize(), "never"))
    return found
