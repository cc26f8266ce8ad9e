"""Owns how exported dates are read. Day before month, always: a column that can only be
month-first is refused rather than guessed at. Pure.
"""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from enum import Enum

_EXCEL_DAY_ZERO = date(1899, 12, 30)
_SERIAL = re.compile(r"([1-5]\d{4})(?:\.\d+)?")  # 18 May 1927 to 7 April 2064
_TIME = re.compile(
    r"[t ]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[ap]m)?(?:z|[+-]\d{2}:?\d{2})?$", re.IGNORECASE
)
_YEAR_FIRST = re.compile(r"(\d{4})[-/. ](\d{1,2})[-/. ](\d{1,2})")
_DAY_FIRST = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})")
_COMPACT = re.compile(r"\d{8}")
_NAMED_DAY_FIRST = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[-/. ]*([a-z]{3,9})[-/., ]*(\d{4}|\d{2})")
_NAMED_MONTH_FIRST = re.compile(r"([a-z]{3,9})[-/. ]*(\d{1,2})(?:st|nd|rd|th)?[-/., ]+(\d{4})")
_WEEKDAY = re.compile(r"^(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?[,. ]+")
_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
NOTHING = frozenset(
    {"", "-", "--", "n/a", "na", "none", "null", "nil", "never", "unknown", "not known", "?", "nat"}
    | {"00/00/0000", "0000-00-00", "0", "#n/a", "tbc"}
)


class Meaning(Enum):
    """What a date is of, which settles the century of a two-digit year."""

    BIRTH = "birth"
    PAST = "past"
    ANY = "any"


class BadDate(ValueError):
    """A cell that is no date; the text says what to do."""


def parse(
    text: str, meaning: Meaning, *, today: date, month_first_column: bool = False
) -> date | None:
    """The date in a cell, None for an empty one or a word like 'never'. Raises BadDate.

    Reads 3/4/2020 as 3 April, ISO, dots, two-digit years, 15 Jan 2024, 20240115 and Excel's day
    numbers. In a column known to put the month first, a date that could be either is refused.
    """
    text = _TIME.sub("", text.strip().lower()).strip()
    text = _WEEKDAY.sub("", text)
    if text in NOTHING:
        return None
    found = _year_first(text) or _serial(text) or _named(text, meaning, today)
    if found is not None:
        return found
    match = _DAY_FIRST.fullmatch(text)
    if match is None:
        raise BadDate("is not a date. Write it as DD/MM/YYYY.")
    day, month = int(match[1]), int(match[2])
    if month > 12 and day <= 12:
        raise BadDate("puts the month first. Write it as DD/MM/YYYY.")
    if month_first_column and day <= 12 and day != month:
        raise BadDate(
            "is in a column that puts the month first. Export it as DD/MM/YYYY or YYYY-MM-DD."
        )
    return _date(_year(match[3], meaning, today), month, day)


def is_month_first(cells: Iterable[str]) -> bool:
    """Whether a column puts the month before the day: more of its dates can only be read that way
    round than the right way, so that the ones which could be either are not to be trusted.
    """
    month_first = day_first = 0
    for cell in cells:
        match = _DAY_FIRST.fullmatch(_TIME.sub("", cell.strip()))
        if match:
            first, second = int(match[1]), int(match[2])
            month_first += first <= 12 < second <= 31
            day_first += second <= 12 < first <= 31
    return month_first > day_first


def _year_first(text: str) -> date | None:
    match = _YEAR_FIRST.fullmatch(text)
    if match:
        return _date(int(match[1]), int(match[2]), int(match[3]))
    if not _COMPACT.fullmatch(text):
        return None
    for year, month, day in (
        (text[:4], text[4:6], text[6:]),
        (text[4:], text[2:4], text[:2]),
    ):
        try:
            found = date(int(year), int(month), int(day))
        except ValueError:
            continue
        if 1900 <= found.year <= 2099:
            return found
    raise BadDate("is not a date. Write it as DD/MM/YYYY.")


def _serial(text: str) -> date | None:
    """Excel's day number, as a date column looks when it has lost its format."""
    match = _SERIAL.fullmatch(text)
    return _EXCEL_DAY_ZERO + timedelta(days=int(match[1])) if match else None


def _named(text: str, meaning: Meaning, today: date) -> date | None:
    match = _NAMED_DAY_FIRST.fullmatch(text)
    if match:
        return _date(_year(match[3], meaning, today), _month(match[2]), int(match[1]))
    match = _NAMED_MONTH_FIRST.fullmatch(text)
    if match:
        return _date(int(match[3]), _month(match[1]), int(match[2]))
    return None


def _month(name: str) -> int:
    if name == "sept":
        name = "sep"
    for number, month in enumerate(_MONTHS, start=1):
        if month == name or month[:3] == name:
            return number
    raise BadDate("names no month. Write it as DD/MM/YYYY.")


def _year(text: str, meaning: Meaning, today: date) -> int:
    """The year; of two digits, the latest that the meaning allows: no birth and no test lies
    ahead.
    """
    year = int(text)
    if len(text) == 4:
        return year
    year += 2000
    if meaning is not Meaning.ANY and year > today.year:
        year -= 100
    return year


def _date(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise BadDate("is no day of the calendar. Write it as DD/MM/YYYY.") from None
