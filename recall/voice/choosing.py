"""Which of the offered times was chosen, or which others are wished for. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

from recall.voice import phrases
from recall.voice.conversation import Kind, Meaning, Stage, Wish
from recall.voice.heard import Heard


def choice(heard: Heard) -> Meaning | None:
    """One of the offered times, by position, day or clock; or a wish for others."""
    if heard.stage not in (Stage.OFFER, Stage.READ_BACK):
        return None
    if not heard.state.offered:
        return None
    if heard.says(
        r"^(?:no |not )*(?:none|neither|not any|no good|cannot (?:do|make|manage) (?:any|either|"
        r"those|them|that))"):  # fmt: skip
        return Meaning(Kind.OTHER_TIMES, wish=heard.time.wish)
    if not heard.says(_NOT_ONE):
        position = _position(heard)
        if position is not None:
            return Meaning(Kind.CHOOSE, slots=(position,))
    if not heard.time.is_empty():
        return _by_time(heard)
    return _others(heard)


_NOT_ONE = r"\b(?:not|cannot (?:do|make|manage))(?: \w+)? (?:first|second|third|last) one\b"
_POSITIONS = (
    r"\b(?:the |number |option |press |slot )?(?:first|1st)(?: (?:one|option|time|slot|please|"
    r"will|is|would|available|thank)|$)|^(?:yes |ok |um )*(?:number |option |press |"
    r"slot )?(?:one|1)(?: please| thank you)*$|\b(?:number|option|slot) (?:one|1)\b|"
    r"\bearliest\b|\bsoonest\b|\bas soon as possible\b|\basap\b",
    r"(?<!\ba )(?<!\bone )\b(?:the |number |option )?(?:second|2nd|middle)(?: (?:one|option|"
    r"time|slot|please|will|is|would|thank)|$)|^(?:yes |ok |um )*(?:number |option |press |"
    r"slot )?(?:two|2|to|too)(?: please| thank you)*$|\b(?:number|option|slot) (?:two|2)\b",
    r"\b(?:the |number |option )?(?:third|3rd)(?: (?:one|option|time|slot|please|will|is|would|"
    r"thank)|$)|^(?:yes |ok |um )*(?:number |option |press |slot )?(?:three|3|free)(?: please|"
    r" thank you)*$|\b(?:number|option|slot) (?:three|3)\b",
)
_LAST = r"\b(?:the )?(?:last|latest|final) (?:one|option|time|slot|of (?:those|them|the three))\b"
_ANY_OF_THEM = (
    r"\b(?:any|either)(?: one)? of (?:those|them|these)\b|\bwhichever\b|\bdo not mind\b|"
    r"\byou choose\b|\bany will do\b|\bany is fine\b|\bany of them\b|"
    r"^(?:any|either)(?: one)?(?: is fine)?$"
)


def _position(heard: Heard) -> int | None:
    if heard.says(r"\bfirst thing\b"):
        return None
    for position, pattern in enumerate(_POSITIONS):
        if heard.says(pattern):
            return position
    if heard.says(_LAST):
        return len(heard.state.offered) - 1
    if heard.says(_ANY_OF_THEM) and not heard.says(r"\b(?:cannot|none|not (?:any|sure))\b"):
        return 0
    return None


def _matching(heard: Heard) -> tuple[int, ...]:
    """The positions of the offered times that fit the day and the clock time that were said."""
    if heard.says(r"\b(?:other|another|different|else|later than|earlier than|instead of)\b"):
        return ()
    return tuple(
        n
        for n, slot in enumerate(heard.state.offered)
        if heard.time.wish.allows(slot.starts_at) and heard.time.at in (None, slot.local().time())
    )


def _by_time(heard: Heard) -> Meaning:
    """The offered times that fit what was said; if none does, the wish itself."""
    slots = heard.state.offered
    wish = heard.time.wish
    matching = _matching(heard)
    if matching and heard.says(r"\b(?:bit|little|any|anything|something) later\b|\blater on\b"):
        after = slots[matching[-1]].local() + timedelta(minutes=1)
        return Meaning(Kind.OTHER_TIMES, wish=replace(wish, earliest=after.time()))
    if not matching:
        return Meaning(Kind.OTHER_TIMES, wish=wish)
    chosen = heard.state.chosen
    if heard.stage is Stage.READ_BACK and chosen in [slots[n] for n in matching]:
        if heard.says(phrases.YES):
            return Meaning(Kind.YES)
        if heard.says(phrases.NO):
            return Meaning(Kind.NO)
    if len(matching) == len(slots) > 1:
        return Meaning(Kind.OTHER_TIMES, wish=wish)
    return Meaning(Kind.CHOOSE, slots=matching)


def _others(heard: Heard) -> Meaning | None:
    first, last = heard.state.offered[0].local(), heard.state.offered[-1].local()
    if heard.says(r"\b(?:earlier|sooner|too late|before (?:that|then))\b"):
        in_the_day = heard.says(r"\bearlier (?:in the day|on)\b|\bearlier time\b")
        wish = Wish(latest=first.time()) if in_the_day else Wish(to_date=first.date())
        return Meaning(Kind.OTHER_TIMES, wish=wish)
    if heard.says(r"\blater in the day\b|\blater (?:time|appointment|slot)\b"):
        return Meaning(Kind.OTHER_TIMES, wish=Wish(earliest=time(min(last.hour + 1, 23))))
    if heard.says(
        r"\b(?:an ?other|other|different|alternative|more) (?:days?|times?|dates?|options|"
        r"slots?|appointments?|choices?|ones?|week)\b|\bany ?thing (?:else|later|different|"
        r"other)\b|\blater\b|\bwhat else\b|\bdo(?:es)? not (?:suit|work)\b|\bcannot (?:do|make|"
        r"manage) (?:that|those|them|any|it|then)\b|\btoo (?:soon|early)\b|\bmore notice\b|"
        r"\bnone of\b|\bno good\b"
    ):
        return Meaning(Kind.OTHER_TIMES)
    return None
