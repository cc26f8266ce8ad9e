"""What an incoming text message means: stop, start, confirm, or something for a person. Pure.

When in doubt between stop and anything else it is stop: a patient who writes again can be told
apart from one who was ignored. Twilio acts on single words only ("STOP PLEASE" passes it by), so
this is broader. https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
"""

import re
import unicodedata
from enum import StrEnum


class Meaning(StrEnum):
    STOP = "stop"
    START = "start"
    CONFIRM = "confirm"
    OTHER = "other"


# Twilio blocks the number on these, whatever the patient meant: the block is a fact.
CARRIER_STOP = frozenset(
    {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"}
)
# Of those, the ones that in answer to an appointment may be about the appointment.
MAY_MEAN_APPOINTMENT = frozenset({"cancel", "end"})

_START = frozenset({"start", "unstop", "resubscribe", "subscribe", "opt in", "optin"})

_STOP_WORD = r"stop|stopp|stopall|unsubscribe|unsubscribed?|unsub|optout|opt out|opting out|revoke"
# A message that begins with a stop word means it, whatever comes after, but for these.
_NOT_STOP = re.compile(r"stop (?:by|in|over|off|at|for)\b")
_STOP = re.compile(
    rf"""
    (?:(?:please|pls|plz|hi|hello|can\ you|could\ you|i\ want\ to|i\ would\ like\ to|id\ like\ to
        |just|i\ said|ok|no|now)\ )*
    (?:{_STOP_WORD})\b .*
    | (?:{_STOP_WORD}) (?:\ (?:please|pls|now|it|all|this|thanks|thank\ you))*
    | .*\b(?:do\ not|dont|never)\ (?:\w+\ )?(?:contact|call|ring|phone|text|message|email|write\ to
        |send|bother|disturb)\ (?:me|us|this|any|anything|more|them|these)\b .*
    | .*\bstop\ (?:the\ |all\ |these\ |your\ |sending\ |with\ the\ )*(?:texts?|texting|calls?
        |calling|messages?|messaging|contact(?:ing)?|emails?|emailing|ringing|phoning|spam(?:ming)?
        |me)\b .*
    | .*\b(?:remove|delete|take)\ (?:me|my\ (?:number|details|name)|this\ number)\b .*
        (?:list|system|records?|database|off)\b .*
    | (?:remove|delete)\ (?:me|my\ number)(?:\ please)?
    | take\ me\ off .*
    | .*\bno\ more\ (?:texts?|calls?|messages?|emails?|contact)\b .*
    | .*\b(?:opt|opting)\ (?:me\ )?out\b .*
    | .*\bunsubscribe\b .*
    | .*\bleave\ me\ alone\b .*
    | .*\b(?:wish|want)\ to\ be\ (?:removed|left\ alone|taken\ off)\b .*
    """,
    re.VERBOSE,
)
_YES = frozenset(
    {
        "y", "yes", "yes please", "yes thanks", "yes thank you", "yes i will", "yes ill be there",
        "yes i will be there", "yes confirmed", "yes confirm", "yes that is fine", "yes thats fine",
        "yep", "yeah", "yup", "confirm", "confirmed", "i confirm", "1", "ok yes", "yes ok",
        "i will be there", "ill be there", "i will come", "see you then", "yes see you then",
    }
)  # fmt: skip

# Letters of other alphabets that look like ours: Ѕ Т О Р is not S T O P to a machine.
_LOOKALIKES = str.maketrans(
    "АВЕЅЗНІКМОРСТУХабеѕіокмнорстух" "ΑΒΕΗΙΚΜΝΟΡΤΥΧαβεικνορτυχ",
    "abes3hikmopctyxabesiokmhopctyx" "abehikmnoptyxabeiknoptux",
)  # fmt: skip
_RIGHT_TO_LEFT_OVERRIDE = "\u202e"


def of(body: str) -> Meaning:
    """The meaning of a message's text."""
    readings = [plain(body)]
    if _RIGHT_TO_LEFT_OVERRIDE in body:
        # Shown from right to left: what the patient sees as STOP arrives as POTS.
        readings.append(readings[0][::-1])
    for text in readings:
        if _is_stop(text):
            return Meaning.STOP
    text = readings[0]
    if text in _START:
        return Meaning.START
    if text in _YES or _is_thumb_up(body):
        return Meaning.CONFIRM
    return Meaning.OTHER


def plain(body: str) -> str:
    """Small letters and digits with single spaces; accents, emoji and invisible signs gone."""
    text = unicodedata.normalize("NFKD", body).translate(_LOOKALIKES).casefold()
    text = re.sub(r"['’‘`]", "", text)
    kept = "".join(
        character
        for character in text
        if not unicodedata.combining(character) and unicodedata.category(character) != "Cf"
    )
    return " ".join(re.sub(r"[^0-9a-z]+", " ", kept).split())


def _is_stop(text: str) -> bool:
    if text.removesuffix(" please") in CARRIER_STOP or text.replace(" ", "") in CARRIER_STOP:
        return True
    return _NOT_STOP.match(text) is None and _STOP.fullmatch(text) is not None


def _is_thumb_up(body: str) -> bool:
    """The emoji alone, in any shade of skin."""
    signs = [sign for sign in body if not sign.isspace()]
    return bool(signs) and signs[0] == "👍" and len(signs) <= 2
