"""Owns the NHS number and its Scottish and Northern Irish sisters: the check digit, the kind, the
way it is written. Pure. A number is personal data: it never goes into a message, a log or a URL.

Rule: ten digits, the last a modulus 11 check over the first nine with weights 10 to 2 (NHS data
dictionary).
"""

import re
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """Who issued the number; all three use the same check digit."""

    NHS = "nhs"
    CHI = "chi"
    HEALTH_AND_CARE = "hc"


class NhsNumber(NamedTuple):
    """A number that passed its check: ``digits`` are ten, without spaces."""

    digits: str
    kind: Kind


class Rejection(ValueError):
    """Text that is no NHS number: ``code`` for machines, ``message`` says what is wrong and what
    to do.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


_SEPARATORS = re.compile(r"[\s\u00a0-]+")
_TEN = re.compile(r"[0-9]{10}")
_FILLER = "9876543210"
_HC_FIRST, _HC_LAST = 3_200_000_010, 3_999_999_999


def parse(raw: str) -> NhsNumber:
    """The number in a typed or exported cell, and its kind. Raises Rejection."""
    text = digits_of(raw)
    return NhsNumber(text, _kind(text))


def digits_of(raw: str) -> str:
    """The number in a typed or exported cell: spaces, dashes, a leading apostrophe and Excel's
    '.0' are fine.

    A Scottish CHI number starts with the day of birth, and Excel drops its leading zero: nine
    digits that make a date and pass the check with the zero restored are accepted. Raises
    Rejection.
    """
    text = raw.strip()
    if not _TEN.fullmatch(text):
        text = _SEPARATORS.sub("", text.lstrip("'\u2019"))
        text = re.sub(r"\.0$", "", text)
    if (
        len(text) == 9
        and re.fullmatch(r"[0-9]{9}", text)
        and _is_chi("0" + text)
        and has_valid_check_digit("0" + text)
    ):
        text = "0" + text
    if not _TEN.fullmatch(text):
        raise Rejection("nhs_number_format", "An NHS number has ten digits, such as 943 476 5919.")
    if not has_valid_check_digit(text):
        raise Rejection(
            "nhs_number_check",
            "This NHS number fails its check digit. Compare it with the patient's record.",
        )
    return text


def has_valid_check_digit(digits: str) -> bool:
    """Whether ten digits pass modulus 11.

    Ten equal digits always would, and so does 9876543210; people type them to fill a field, and
    none of them has been issued, so they do not count.
    """
    if not _TEN.fullmatch(digits) or digits == digits[0] * 10 or digits == _FILLER:
        return False
    a, b, c, d, e, f, g, h, i, check = map(int, digits)
    total = 10 * a + 9 * b + 8 * c + 7 * d + 6 * e + 5 * f + 4 * g + 3 * h + 2 * i
    return (11 - total % 11) % 11 == check


def display(digits: str) -> str:
    """The number as it is printed: 943 476 5919."""
    return f"{digits[:3]} {digits[3:6]} {digits[6:]}" if len(digits) == 10 else digits


def _kind(digits: str) -> Kind:
    if _HC_FIRST <= int(digits) <= _HC_LAST:
        return Kind.HEALTH_AND_CARE
    return Kind.CHI if _is_chi(digits) else Kind.NHS


def _is_chi(digits: str) -> bool:
    """CHI numbers begin with a date of birth, DDMMYY."""
    return 1 <= int(digits[:2]) <= 31 and 1 <= int(digits[2:4]) <= 12
