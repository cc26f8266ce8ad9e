"""Owns UK telephone numbers: what a typed or exported cell means, what kind of number it is, and
what may be done with it. Pure: no settings, no clock, no database. Whether a patient may be
contacted on a number is decided by eligibility, never here.

Numbers are kept as E.164 (``+447700900001``). The rules are phonenumbers' own; its parser costs
about 40 microseconds, so the common spellings are first tried against one pattern compiled from
its GB, Jersey, Guernsey and Isle of Man metadata, and everything else goes to the library.
"""

import re
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple, NoReturn

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberType

COUNTRY_CODE = 44
LONGEST_CELL = 200


class Kind(StrEnum):
    """What a number reaches; the names are stored on the patient."""

    MOBILE = "mobile"
    FIXED_LINE = "fixed_line"
    VOIP = "voip"
    UAN = "uan"
    TOLL_FREE = "toll_free"
    PREMIUM_RATE = "premium_rate"  # only Ofcom's own drama range is ever accepted


class PhoneNumber(NamedTuple):
    """An accepted number. ``is_drama`` marks Ofcom's ranges for fiction, which reach nobody."""

    e164: str
    kind: Kind
    is_drama: bool


class Rejection(ValueError):
    """A number we do not accept: ``code`` for machines, ``message`` says what is wrong and what to
    do.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


_MESSAGES = {
    "not_a_number": "This is not a telephone number. Give a UK number such as 07700 900001.",
    "excel_damaged": (
        "A spreadsheet has shortened this number and its last digits are lost. "
        "Format the column as text, export it again, or type the number in full."
    ),
    "impossible": (
        "This number has too few or too many digits for the UK. Check it and type it in full."
    ),
    "unknown": "No number like this is in use in the UK. Check its first digits and its length.",
    "premium_rate": "This is a premium rate number. Give the patient's mobile or landline.",
    "personal_number": (
        "070 numbers are charged as personal numbers. Give the patient's mobile or landline."
    ),
    "pager": "This number belongs to a pager. Give the patient's mobile or landline.",
    "non_uk": (
        "Only UK, Jersey, Guernsey and Isle of Man numbers can be used. Give a number in +44."
    ),
    "extension_present": (
        "Numbers with an extension cannot be rung automatically. Give a direct number."
    ),
}

# Ofcom's numbers for television and radio drama. phonenumbers calls three of the ranges invalid.
_DRAMA = re.compile(
    r"\+44(?:1(?:13|14|15|16|17|18|21|31|41|51|61)4960\d{3}|2079460\d{3}|1914980\d{3}|2896496\d{3}"
    r"|2920180\d{3}|1632960\d{3}|7700900\d{3}|8081570\d{3}|9098790\d{3}|3069990\d{3})"
)
_DRAMA_KINDS = {
    "+447": Kind.MOBILE,
    "+448": Kind.TOLL_FREE,
    "+449": Kind.PREMIUM_RATE,
    "+443": Kind.UAN,
}
_ACCEPTED_TYPES = {
    PhoneNumberType.MOBILE: Kind.MOBILE,
    PhoneNumberType.FIXED_LINE: Kind.FIXED_LINE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: Kind.MOBILE,
    PhoneNumberType.VOIP: Kind.VOIP,
    PhoneNumberType.UAN: Kind.UAN,
    PhoneNumberType.TOLL_FREE: Kind.TOLL_FREE,
}
_REFUSED_TYPES = {
    PhoneNumberType.PREMIUM_RATE: "premium_rate",
    PhoneNumberType.SHARED_COST: "premium_rate",
    PhoneNumberType.PERSONAL_NUMBER: "personal_number",
    PhoneNumberType.PAGER: "pager",
}
_RINGABLE = frozenset({Kind.MOBILE, Kind.FIXED_LINE, Kind.VOIP, Kind.UAN})

_QUOTES = "'\u2018\u2019`\""
_EXCEL_SHORTENED = re.compile(r"\d(?:\.\d+)?\s*[eE]\s*\+?\s*\d{1,2}")
_EXTENSION = re.compile(r"(?:\bext(?:ension|n)?|x|#)\s*[.:]?\s*\d{1,7}\s*$", re.IGNORECASE)
_BETWEEN_NUMBERS = re.compile(r"[/,;|&\n]|\b(?:or|and)\b", re.IGNORECASE)
_NOTE = re.compile(r"[^\W\d_]|\(")
_DIGIT = re.compile(r"\d")


def _fast_pattern() -> re.Pattern[str]:
    """One pattern for ten-digit mobiles and landlines of the four regions of +44, from the
    metadata.
    """
    by_kind: dict[str, list[str]] = {"mobile": [], "fixed_line": []}
    for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[COUNTRY_CODE]:
        metadata = PhoneMetadata.metadata_for_region(region)
        if metadata is None:  # pragma: no cover - the four regions are always in the package
            continue
        for kind, description in (("mobile", metadata.mobile), ("fixed_line", metadata.fixed_line)):
            if description is not None and description.national_number_pattern:
                by_kind[kind].append(description.national_number_pattern)
    groups = "|".join(f"(?P<{kind}>{'|'.join(patterns)})" for kind, patterns in by_kind.items())
    drama = r"(?P<drama_mobile>7700900\d{3})"
    return re.compile(
        rf"(?:(?:\+44|0044)0?|44|0)?(?=[127][0-9]{{9}}$)(?:{drama}|{groups})", re.ASCII
    )


_FAST = _fast_pattern()
_FAST_DROPS = str.maketrans("", "", " -()\u00a0")
_LAST_AREA_BRACKET = 6  # a bracket further in may open a note, which the slow path cuts off


def parse(raw: str | None, *, region: str = "GB") -> PhoneNumber:
    """The number meant by a typed or exported cell.

    Accepts every spelling of one UK number; of several ("01632 960001 / 07700 900001") the first
    mobile, else the first good one. Raises Rejection with a code and a sentence for the person who
    typed it.
    """
    text = (raw or "").strip().strip(_QUOTES).strip()
    if region == "GB":
        number = parse_fast(text)
        if number is not None:
            return number
    return parse_slow(text, region=region)


def parse_fast(text: str) -> PhoneNumber | None:
    """The number when it is a plain UK mobile or landline in a common spelling, else None (not:
    invalid).
    """
    if "(" in text and text.rfind("(") > _LAST_AREA_BRACKET:
        return None
    match = _FAST.fullmatch(text.translate(_FAST_DROPS))
    if match is None:
        return None
    e164 = "+44" + match.string[-10:]
    if match.lastgroup == "mobile":
        return PhoneNumber(e164, Kind.MOBILE, False)
    if match.lastgroup == "drama_mobile":
        return PhoneNumber(e164, Kind.MOBILE, True)
    return PhoneNumber(e164, Kind.FIXED_LINE, is_drama(e164))


def parse_slow(text: str, *, region: str = "GB") -> PhoneNumber:
    """The same rules through the library, for every spelling; the fast path must never differ from
    it.
    """
    _refuse_at_sight(text)
    found: list[PhoneNumber] = []
    refused: list[Rejection] = []
    for part in _parts(text):
        try:
            found.append(_parse_one(part, region))
        except Rejection as rejection:
            refused.append(rejection)
    if not found:
        raise refused[0]
    return next((number for number in found if number.kind is Kind.MOBILE), found[0])


def _refuse_at_sight(text: str) -> None:
    if not _DIGIT.search(text[:LONGEST_CELL]):
        _reject("not_a_number")
    if len(text) > LONGEST_CELL:
        _reject("impossible")
    if _EXCEL_SHORTENED.fullmatch(text):
        _reject("not_a_number", _MESSAGES["excel_damaged"])


def _parts(text: str) -> list[str]:
    """The cell's numbers: split at separators, unless the pieces are too short to be numbers
    alone.
    """
    pieces = [piece.strip() for piece in _BETWEEN_NUMBERS.split(text)]
    pieces = [piece for piece in pieces if len(_DIGIT.findall(piece)) >= 9]
    if pieces:
        return pieces
    return [re.sub(r"[/,]", " ", text)]


def _parse_one(text: str, region: str) -> PhoneNumber:
    text = re.sub(r"\.0$", "", text.strip(_QUOTES + " "))
    extension = _EXTENSION.search(text)
    if extension and len(_DIGIT.findall(text[: extension.start()])) >= 10:
        _reject("extension_present")
    try:
        parsed = phonenumbers.parse(_without_note(text), region)
    except phonenumbers.NumberParseException as error:
        too_long = error.error_type == phonenumbers.NumberParseException.TOO_LONG
        _reject("impossible" if too_long else "not_a_number")
    if parsed.country_code != COUNTRY_CODE:
        _reject("non_uk")
    if parsed.extension:
        _reject("extension_present")
    if not phonenumbers.is_possible_number(parsed):
        _reject("impossible")
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if is_drama(e164):
        return PhoneNumber(e164, _DRAMA_KINDS.get(e164[:4], Kind.FIXED_LINE), True)
    number_type = phonenumbers.number_type(parsed)
    kind = _ACCEPTED_TYPES.get(number_type)
    if kind is None:
        _reject(_REFUSED_TYPES.get(number_type, "unknown"))
    return PhoneNumber(e164, kind, False)


def _without_note(text: str) -> str:
    """The text up to the first letter or bracket that follows ten digits: '07700 900001 (mum)'."""
    digits = 0
    for position, character in enumerate(text):
        if character.isdigit():
            digits += 1
        elif digits >= 10 and _NOTE.match(character):
            return text[:position]
    return text


def _reject(code: str, message: str = "") -> NoReturn:
    raise Rejection(code, message or _MESSAGES[code])


def is_drama(e164: str) -> bool:
    """Whether the number is one of Ofcom's 20,000 for fiction; a live provider must never be given
    one.
    """
    return _DRAMA.fullmatch(e164) is not None


def can_ring(kind: str) -> bool:
    """Whether an automated call may go to this kind of number: mobile, landline, VoIP, 03 and
    055.
    """
    return kind in _RINGABLE


def can_text(kind: str) -> bool:
    """Whether SMS and WhatsApp can reach this kind of number: mobiles only."""
    return kind == Kind.MOBILE


@lru_cache(maxsize=4096)
def national(e164: str) -> str:
    """The number as people in the UK write it, ``07700 900001``; text that is no number comes back
    as is.
    """
    try:
        parsed = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return e164
    style = phonenumbers.PhoneNumberFormat.INTERNATIONAL
    if parsed.country_code == COUNTRY_CODE:
        style = phonenumbers.PhoneNumberFormat.NATIONAL
    return phonenumbers.format_number(parsed, style)
