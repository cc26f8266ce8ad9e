"""How buying a number is said to people. Pure."""

import re
from dataclasses import dataclass

from integrations.models import DedicatedNumber, NumberState

_E164 = re.compile(r"\+44\d{9,10}")
_ORDER = (
    (NumberState.CHOSEN, "Number chosen"),
    (NumberState.ADDRESS, "Address registered"),
    (NumberState.BUNDLE, "Papers handed in"),
    (NumberState.REVIEW, "Papers reviewed by the carrier"),
    (NumberState.BUYING, "Number bought"),
    (NumberState.ACTIVE, "In use"),
)
_PLACE = {state: place for place, (state, _) in enumerate(_ORDER)}
_LIKE = {NumberState.REFUSED: NumberState.REVIEW, NumberState.UNKNOWN: NumberState.BUYING}


@dataclass(frozen=True, slots=True)
class Step:
    """One step: done, now or ahead."""

    words: str
    state: str


def steps(number: DedicatedNumber) -> list[Step]:
    """The way to a number, and where it stands; none once it is in use or being given back."""
    state = NumberState(number.state)
    here = _PLACE.get(_LIKE.get(state, state), len(_ORDER))
    if here >= _PLACE[NumberState.ACTIVE]:
        return []
    return [
        Step(words, "done" if place < here or place == 0 else "now" if place == here else "ahead")
        for place, (_, words) in enumerate(_ORDER)
    ]


_WHY = {
    "papers_refused": "The carrier did not accept the papers. It wrote why to {email}.",
    "sold": "Somebody else bought {phone} first. Choose another number.",
    "unreachable": "The carrier cannot be reached. It is tried again by itself.",
    "21631": "The carrier did not accept the address. Correct the papers.",
}


def why(number: DedicatedNumber) -> str:
    """What stands in the way, if anything does."""
    if number.state == NumberState.UNKNOWN:
        return "The carrier did not say whether the number was bought. We are finding out."
    if not number.reason or number.reason == "abandoned":
        return ""
    said = _WHY.get(number.reason)
    if said is None and number.state in (NumberState.REFUSED, NumberState.FAILED):
        said = f"The carrier refused it with code {number.reason}."
    if said is None:
        said = "The carrier had a fault. It is tried again by itself."
    return said.format(email=number.papers.get("email", ""), phone=number.phone_number)


def is_number(text: str) -> bool:
    """Whether it is a UK number as +44..."""
    return bool(_E164.fullmatch(text))
