"""A goal in plain English, read as a choice: what is understood, and exactly what is not.

Pure, and never guesses: a word that is neither a phrase of `grammar_terms` nor on its closed list
of fillers is handed back as it was typed. How phrases belong together is `grammar_scope`'s.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from recall.campaigns import grammar_scope, grammar_text, reading
from recall.campaigns.choice import Choice, Group
from recall.campaigns.grammar_dates import NotADate
from recall.campaigns.grammar_phrases import FILLERS, PATTERNS
from recall.campaigns.grammar_scope import Item, Unclear
from recall.campaigns.grammar_terms import Kind, Maker, Refused, Term
from recall.campaigns.grammar_text import Text

NOBODY = "It does not say who to contact."
ONLY_EXCEPTIONS = "It says who to leave out, and not who to contact."


@dataclass(frozen=True, slots=True)
class Reading:
    """`choice` is None when anything is left in `not_understood` (the exact words, in order) or
    the words do not fit together, which `problem` then says in a sentence.
    """

    choice: Choice | None
    understood: tuple[reading.Pair, ...] = ()
    not_understood: tuple[str, ...] = ()
    problem: str = ""
    partly: Choice = field(default_factory=Choice)
    """What the understood words say together, as far as they do."""


def compile_goal(typed: str, *, today: date, limit: int | None = None) -> Reading:
    """Reads a goal of at most MAX_LETTERS letters; `limit` holds unless the goal names a lower, and
    where none is given the goal's own does.
    """
    text = grammar_text.read(typed)
    if len(typed) > grammar_text.MAX_LETTERS:
        shown = f"{typed[:40].strip()}…"
        said = f"Say it in {grammar_text.MAX_LETTERS} letters or fewer."
        return Reading(None, not_understood=(shown,), problem=said)
    items, unknown = _scan(text, today)
    understood = tuple(_understood(items))
    try:
        choice = grammar_scope.choice_of(items, limit)
    except Unclear as error:
        words = tuple(unknown) or (_exact(text, error.item),)
        return Reading(None, understood, words, "" if unknown else error.problem)
    if unknown:
        return Reading(None, understood, tuple(unknown), partly=choice)
    problem = _nobody(items)
    if problem:
        return Reading(None, understood, tuple(filter(None, (typed.strip(),))), problem)
    return Reading(choice, tuple(reading.words(choice)), partly=choice)


def _nobody(items: list[Item]) -> str:
    """What is missing in a goal that names nobody to contact."""
    meant = [item for item in items if item.term.kind is not Kind.COMMA]
    if not any(item.names_somebody for item in meant):
        return NOBODY
    if meant[0].term.kind in (Kind.NOT, Kind.EXCEPT):
        first = next((item for item in meant[1:] if item.names_somebody), None)
        # Not called this month: a condition. Not children: an exception to nobody.
        if first is None or first.noun or meant[0].term.kind is Kind.EXCEPT:
            return ONLY_EXCEPTIONS
    return ""


def _scan(text: Text, today: date) -> tuple[list[Item], list[str]]:
    """The phrases in order, and what stands between them and is neither phrase nor filler."""
    items: list[Item] = []
    unknown: list[tuple[int, int]] = []
    index = 0
    while index < len(text.words):
        term, after = _longest(text, index, today)
        if term is None and text.words[index].plain in FILLERS and after == index + 1:
            term = Term(Kind.FILLER)
        if term is None:
            if unknown and unknown[-1][1] == index - 1:
                unknown[-1] = (unknown[-1][0], after - 1)
            else:
                unknown.append((index, after - 1))
        elif term.kind is Kind.ALL_BUT:
            kinds = (Kind.NOUN, Kind.EXCEPT)
            items += [Item(Term(kind), index, after - 1) for kind in kinds]
        elif term.kind is not Kind.FILLER:
            items.append(Item(term, index, after - 1))
        index = after
    return _nouns(items), [text.exact(first, last) for first, last in unknown]


def _longest(text: Text, index: int, today: date) -> tuple[Term | None, int]:
    """The longest phrase that begins at a word, and the word after it. None with a later word: it
    has a phrase's shape and cannot be meant (aged 300, 31 February).
    """
    start = text.offsets[index]
    found = [(match.end(), maker, match) for match, maker in _matches(text.plain, start)]
    if not found:
        return None, index + 1
    end, maker, match = max(found, key=lambda one: one[0])
    after = index
    while after < len(text.words) and text.offsets[after] < end:
        after += 1
    try:
        return maker(match, today), after
    except (Refused, NotADate):
        return None, after


def _matches(plain: str, start: int) -> Iterator[tuple["re.Match[str]", Maker]]:
    for pattern, maker in PATTERNS:
        match = pattern.match(plain, start)
        if match and match.end() > start:
            yield match, maker


def _nouns(items: list[Item]) -> list[Item]:
    """Marks the phrases that name people: diabetics; diabetic before patients."""
    marked = []
    for index, item in enumerate(items):
        following = items[index + 1].term.kind if index + 1 < len(items) else None
        noun = item.term.noun or item.term.kind is Kind.NOUN
        marked.append(replace(item, noun=noun or following is Kind.NOUN))
    return marked


def _understood(items: list[Item]) -> Iterator[reading.Pair]:
    """Each phrase by itself, for a goal that was not understood as a whole."""
    denied = False
    for item in items:
        term = item.term
        if term.kind is Kind.DUE:
            yield "Overdue", "due now or before"
        elif term.kind is Kind.LIMIT and term.says:
            yield "At most", f"{term.says['limit']} patients"
        elif term.kind is Kind.CONDITION:
            yield from _one(term, denied != term.denied)
        denied = term.kind in (Kind.NOT, Kind.EXCEPT) or (denied and term.kind is Kind.NOUN)


def _one(term: Term, denied: bool) -> Iterator[reading.Pair]:
    if denied and term.opposite:
        yield from reading.pairs(Group(**term.opposite))
    elif denied:
        yield "Leaving out", reading.phrase(Group(**(term.says or {})))
    else:
        yield from reading.pairs(Group(**(term.says or {})))


def _exact(text: Text, item: Item | None) -> str:
    if item is None:
        return text.typed.strip()
    return text.exact(item.first, item.last)
