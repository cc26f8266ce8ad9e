"""A practice's own words for its messages: which places they must leave for names and links, and
whether they may be sent at all. Pure: text in, text or what is wrong with it out.

A place is a name in braces: {first_name}. The way to stop messages is never the practice's to word:
it stands below the text of an email, and in a WhatsApp message it is a place that may not be left
out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from recall.messages import linter
from recall.messages.linter import Marked
from recall.models import Text

_PLACE = re.compile(r"\{(\w*)\}")
_STRAY = re.compile(r"[{}]")


@dataclass(frozen=True, slots=True)
class Rules:
    """What one text has to be. Lengths are in characters."""

    default: str
    longest: int
    must_have: tuple[str, ...] = ()
    may_have: tuple[str, ...] = ()

    @property
    def places(self) -> tuple[str, ...]:
        return (*self.must_have, *self.may_have)


RULES: Mapping[str, Rules] = {
    Text.WHATSAPP_RECALL: Rules(
        default=(
            "Hello {first_name}, this is {practice}.\n\n"
            "Your next {examination} is due. Choose a time that suits you: {booking_link}\n\n"
            "If you do not want messages from us, open {opt_out_link} or reply STOP."
        ),
        longest=1024,  # https://developers.facebook.com: the body of a template
        must_have=("practice", "booking_link", "opt_out_link"),
        may_have=("first_name", "examination"),
    ),
    Text.EMAIL_RECALL_SUBJECT: Rules(
        default="{practice}: your next {examination}",
        longest=120,
        must_have=("practice",),
        may_have=("examination",),
    ),
    Text.EMAIL_RECALL_BODY: Rules(
        default=(
            "Hello {first_name},\n\n"
            "Our records show that your next {examination} is due. "
            "Choose a day and a time that suit you.\n\n"
            "{booking_link}\n\n"
            "If you have been seen already, there is nothing to do."
        ),
        longest=3000,
        must_have=("booking_link",),
        may_have=("first_name", "practice", "examination", "phone"),
    ),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, in a sentence that says what to do."""

    message: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A text's problems, and the words of it that may not be sent."""

    problems: tuple[Problem, ...] = ()
    marks: tuple[Marked, ...] = ()

    @property
    def is_fine(self) -> bool:
        return not self.problems and not self.marks


def judge(name: str, text: str) -> Judged:
    """Whether the practice may send that text under that name."""
    rules = RULES[name]
    problems = [*_of_places(rules, text)]
    if not text.strip():
        problems.insert(0, Problem("Enter the text, or go back to the standard text."))
    if len(text) > rules.longest:
        problems.append(Problem(f"Use up to {rules.longest} characters: this has {len(text)}."))
    if name == Text.EMAIL_RECALL_SUBJECT and "\n" in text.strip():
        problems.append(Problem("Write the subject on one line."))
    return Judged(tuple(problems), tuple(linter.marked(text)))


def _of_places(rules: Rules, text: str) -> list[Problem]:
    found = _PLACE.findall(text)
    unknown = sorted({place for place in found if place not in rules.places})
    problems = [
        Problem(f"Take {{{place}}} out: it can be {_listed(rules.places)}.") for place in unknown
    ]
    if text.strip():
        problems += [
            Problem(f"Put {{{place}}} in: without it the message cannot be sent.")
            for place in rules.must_have
            if place not in found
        ]
    if _STRAY.search(_PLACE.sub("", text)):
        problems.append(Problem("Close every brace: a place is written {practice}."))
    return problems


def _listed(places: tuple[str, ...]) -> str:
    named = [f"{{{place}}}" for place in places]
    return f"{', '.join(named[:-1])} or {named[-1]}" if len(named) > 1 else named[0]


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its places filled; one that has no value becomes nothing."""
    return _PLACE.sub(lambda found: values.get(found[1], ""), text)


def paragraphs(text: str) -> list[str]:
    """The text's paragraphs: what blank lines divide."""
    return [
        part.strip() for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n")) if part.strip()
    ]


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text, and why it may not be sent: blank, promotion or condition."""

    text: str
    fault: str = ""


def pieces(text: str, marks: tuple[Marked, ...]) -> list[Piece]:
    """The text cut where marks begin and end, for showing them in place."""
    found, at = [], 0
    for mark in marks:
        if mark.start < at:
            continue
        found += [Piece(text[at : mark.start]), Piece(text[mark.start : mark.end], str(mark.fault))]
        at = mark.end
    return [piece for piece in [*found, Piece(text[at:])] if piece.text]
