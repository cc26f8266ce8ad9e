"""What an answer means at the question that is open, by rules alone.

Pure and deterministic: it works with no model configured and judges what a model says when there
is one. It must not decide what happens next; that is the dialogue's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from recall.voice import choosing, phrases, safety, when
from recall.voice.conversation import (
    CallFacts,
    Flag,
    Kind,
    Meaning,
    Stage,
    State,
    Utterance,
    Wish,
)
from recall.voice.heard import Heard
from recall.voice.words import bare, plain

_SAFETY_KINDS = (
    (Flag.OPT_OUT, Kind.OPT_OUT),
    (Flag.DECEASED, Kind.DECEASED),
    (Flag.SYMPTOMS, Kind.SYMPTOMS),
)
_ANY_TIME = re.compile(r"\b(?:any ?time|whenever|do not mind|up to you|any day)\b")


def understand(utterance: Utterance, *, state: State, facts: CallFacts, now: datetime) -> Meaning:
    """The meaning of what was said; `Kind.UNCLEAR` when the rules have none. Ignores keys."""
    text = plain(utterance.speech)
    if not text:
        return Meaning()
    flags = safety.flags(text)
    for flag, kind in _SAFETY_KINDS:
        if flag in flags:
            return Meaning(kind, flags=flags)
    asks = text.endswith("?")
    said = bare(_without_recording(text) if Flag.NO_RECORDING in flags else text)
    heard = Heard(said, asks, state, facts, now)
    for rule in _RULES:
        if meaning := rule(heard):
            return replace(meaning, flags=flags)
    return Meaning(flags=flags)


def _without_recording(text: str) -> str:
    """The rest of "no recording, yes it's me"."""
    parts = re.split(r"[,;.!?]| but | and ", text)
    return ", ".join(part for part in parts if "record" not in part)


def _identity(heard: Heard) -> Meaning | None:
    """Who is on the line, before anything else is made of the words."""
    kin = phrases.KIN
    if heard.stage not in _BEFORE_OFFER:
        mistaken = rf"\b(?:i am|this is)(?: only| just)? (?:his|her|their|{{name}}s) {kin}\b"
        if not heard.guardian and heard.says(mistaken):
            return Meaning(Kind.SOMEONE_ELSE)
        return None
    if heard.guardian and heard.says(
        r"\b(?:i am|this is|it is|yes|speaking)\b.*\b(?:his|her|their|{name}s|the) (?:mum|"
        r"mam|mom|mother|dad|father|parent|guardian|stepmum|stepdad|foster \w+)\b"):  # fmt: skip
        return Meaning(Kind.YES)
    if heard.guardian and heard.says(
        r"\b(?:his|her|their) (?:mum|mam|mom|mother|dad|father|parent|guardian) speaking|"
        r"\b(?:he|she|{name}) is my (?:son|daughter|child|boy|girl|little)|^(?:yes )?(?:mum|dad|"
        r"mother|father|parent|guardian) speaking$"
    ):
        return Meaning(Kind.YES)
    if heard.says(
        rf"\b(?:i am|this is|it is|speaking to|you are (?:speaking|talking) to)(?: only|"
        rf" just)? (?:his|her|their|{{name}}s|the|a|mr \w+|mrs \w+)? ?{kin}\b|\b(?:his|her|"
        rf"their|{{name}}s) {kin}(?: here| speaking)?\b|\bmy {kin}s? (?:phone|number)\b|\b(?:he|"
        rf"she|{{name}}) is my {kin}\b"
    ):
        return Meaning(Kind.SOMEONE_ELSE, window=when.window(heard.time, heard.now))
    return _names_themselves(heard)


def _names_themselves(heard: Heard) -> Meaning | None:
    if heard.says(r"\b(?:not|never) (?:called )?{name}\b") or (
        heard.guardian and heard.says(r"\b(?:i am|this is|my name is|it is) {name}\b")
    ):
        return Meaning(Kind.SOMEONE_ELSE if heard.guardian else Kind.NO)
    if heard.says(
        r"^(?:yes |hello |hi )*(?:this is|i am|it is|you are speaking (?:to|with)|"
        r"my name is)? ?{name}(?: here| speaking)*$"
    ) and not heard.guardian:  # fmt: skip
        return None if heard.asks else Meaning(Kind.YES)
    if heard.says(phrases.BUSY):
        return None
    if heard.says(
        r"^(?:yes |hello )*this is (?:she|he|her|him|me)$|^(?:yes )?(?:it is me|that is me)"
    ):
        return Meaning(Kind.YES)
    if heard.says(
        r"\b(?:this is|my name is|you are speaking to|you have got) (?!a\b|her\b|him\b|me\b|"
        r"about\b|the\b|not\b|very\b|really\b|just\b|so\b|for\b|too\b|"
        r"an\b)(?!{name})[a-z]+(?: speaking| here)?$"):  # fmt: skip
        return Meaning(Kind.NO)
    return None


def _table(heard: Heard) -> Meaning | None:
    for phrase in phrases.TABLE:
        if phrase.stages and heard.stage not in phrase.stages:
            continue
        if phrase.kind is Kind.SOMEONE_ELSE and heard.stage not in _BEFORE_OFFER | {Stage.OFFER}:
            continue
        if heard.says(phrase.pattern) and not (
            heard.guardian
            and phrase.kind is Kind.SOMEONE_ELSE
            and heard.says(r"\b(?:he|she|they|{name})\b")
        ):
            timed = phrase.kind in (Kind.SOMEONE_ELSE, Kind.CALL_BACK)
            window = when.window(heard.time, heard.now) if timed else None
            return Meaning(phrase.kind, reason=phrase.reason, window=window)
    return None


_BEFORE_OFFER = frozenset({Stage.IDENTITY, Stage.NUMBER_CHECK})


def _asks_who_or_again(heard: Heard) -> Meaning | None:
    if heard.says(phrases.WHO):
        return Meaning(Kind.WHO)
    if heard.says(phrases.REPEAT):
        return Meaning(Kind.REPEAT)
    return None


def _call_back(heard: Heard) -> Meaning | None:
    """Ring another time. While times are offered, "busy on Tuesday" is about the times instead."""
    open_question = heard.stage is Stage.CALL_BACK
    if not open_question and not heard.says(phrases.BUSY):
        return None
    offering = heard.stage in (Stage.OFFER, Stage.READ_BACK)
    if offering and heard.says(r"^(?:sorry |no )*another time(?: please)?$"):
        return None
    about_us = heard.says(r"\b(?:call|ring|phone|try)")
    if offering and not about_us and not heard.time.is_empty():
        return None
    if open_question and heard.says(r"\b(?:never|no need|do not bother|no thank you)\b"):
        return Meaning(Kind.NO)
    if open_question and _ANY_TIME.search(heard.said):
        tomorrow = (heard.now + timedelta(days=1)).date()
        said = when.Said(wish=Wish(from_date=tomorrow, to_date=tomorrow + timedelta(days=6)))
        return Meaning(Kind.CALL_BACK, window=when.window(said, heard.now))
    said = _later_today(heard) if heard.says(r"\blater (?:on )?today\b") else heard.time
    window = when.window(said, heard.now)
    if open_question and window is None:
        return None
    return Meaning(Kind.CALL_BACK, window=window)


def _later_today(heard: Heard) -> when.Said:
    return when.Said(starts=heard.now + timedelta(hours=2))


def _decline(heard: Heard) -> Meaning | None:
    if heard.stage is Stage.READ_BACK and heard.says(_NO_BUT_FINE):
        # "No, that's fine" to "shall I book it?" can be either: ask again.
        return Meaning()
    if heard.stage is Stage.READ_BACK and heard.says(_NOT_THAT):
        return Meaning(Kind.NO)
    if heard.stage is Stage.NUMBER_CHECK:
        return None
    for reason, pattern in phrases.DECLINE:
        if heard.says(pattern):
            return Meaning(Kind.DECLINE, reason=reason)
    return None


_NOT_THAT = (
    r"^(?:not really|change it|can i change|cancel|wrong)\b|^no (?!thank|i am|need|interest)"
)
_NO_BUT_FINE = (
    r"^no (?:no )?(?:that is|it is|i am) (?:fine|ok|good|great|perfect|all right|alright|lovely)"
)


def _question(heard: Heard) -> Meaning | None:
    if not heard.says(phrases.QUESTION):
        return None
    return Meaning(Kind.WHO if heard.stage in _BEFORE_OFFER else Kind.QUESTION)


def _yes_or_no(heard: Heard) -> Meaning | None:
    answering_the_phone = heard.stage is Stage.IDENTITY and (
        heard.asks and heard.state.identity_asked < 2
    )
    if answering_the_phone and heard.says(r"^(?:hello )?(?:yes|speaking|{name})(?: hello)?$"):
        return Meaning(Kind.GREETING)
    if heard.says(phrases.GREETING):
        return Meaning(Kind.GREETING)
    asked_who = heard.stage in _BEFORE_OFFER
    if asked_who and not heard.guardian and heard.says(_OF_A_THIRD):
        return Meaning(Kind.SOMEONE_ELSE)
    if heard.says(_WAVERS) or (heard.stage is Stage.IDENTITY and _speaks_of_another(heard)):
        return Meaning()
    if heard.says(phrases.IS_ME if asked_who else phrases.YES):
        return Meaning(Kind.YES)
    if heard.says(phrases.NOT_ME if asked_who else phrases.NO):
        return Meaning(Kind.NO)
    return None


# A yes with a condition is no agreement to book, and no answer to who is speaking.
def _speaks_of_another(heard: Heard) -> bool:
    """ "Yes, this is her house" begins with yes, and is not she."""
    if heard.guardian or heard.says(
        r"\b(?:this|that|it) is (?:she|he|her|him)$|speaking to (?:her|him)$"
    ):
        return False
    return heard.says(
        r"\b(?:she|he|her|his|him|hers|they|their|house|residence|office|number|line|phone)\b"
    )


_OF_A_THIRD = (
    r"^(?:no |sorry |yes |well |oh |i am afraid )*(?:he|she|they|{name})(?= [a-z])"
    r"(?! speaking| here)"
)
_WAVERS = (
    r"\b(?:not sure|no idea|do not know)\b|^(?:yes|ok|sure|no)\b.*\b(?:but|except|if|unless|"
    r"wait|actually|depends)\b|^(?:yes|ok|sure)\b.*\bno\b|^no\b(?! problem| worries).*\byes\b"
)


_Rule = Callable[[Heard], Meaning | None]


def _recorded_greeting(heard: Heard) -> Meaning | None:
    if heard.stage is Stage.IDENTITY and heard.says(phrases.MACHINE):
        return Meaning(Kind.MACHINE)
    return None


_RULES: tuple[_Rule, ...] = (
    _recorded_greeting,
    _asks_who_or_again,
    _identity,
    _table,
    _call_back,
    choosing.choice,
    _decline,
    _question,
    _yes_or_no,
)
