"""Owns how exported dates are read. Day before month, unless a person has said otherwise of the
column: one that seems to put the month first is refused rather than guessed at. Pure.
"""

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import Enum, StrEnum

_MOST_SPELLINGS = 20_000
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


class Order(StrEnum):
    """Which comes first in a column's dates. Under `UNSAID` a date that could be read either way
    is refused.
    """

    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"
    UNSAID = ""


class BadDate(ValueError):
    """A cell that is no date; the text says what to do."""


def parse(
    text: str, meaning: Meaning, *, today: date, order: Order = Order.DAY_FIRST
) -> date | None:
    """The date in a cell, None for an empty one or a word like 'never'. Raises BadDate.

    Reads 3/4/2020 as 3 April, ISO, dots, two-digit years, 15 Jan 2024, 20240115 and Excel's day
    numbers.
    """
    text = text.strip().lower()
    match = _DAY_FIRST.fullmatch(text)
    if match is None:
        text = _WEEKDAY.sub("", _TIME.sub("", text).strip())
        match = _DAY_FIRST.fullmatch(text)
    if text in NOTHING:
        return None
    if match is None:
        found = _year_first(text) or _serial(text) or _named(text, meaning, today)
        if found is None:
            raise BadDate("is not a date. Write it as DD/MM/YYYY.")
        return found
    day, month = _in_order(int(match[1]), int(match[2]), order)
    return _date(_year(match[3], meaning, today), month, day)


def _in_order(first: int, second: int, order: Order) -> tuple[int, int]:
    """Day and month. Raises BadDate where the column's order does not allow them."""
    if order is Order.MONTH_FIRST:
        if first > 12 and second <= 12:
            raise BadDate("puts the day first, and its column the month. Write it as YYYY-MM-DD.")
        return second, first
    if second > 12 and first <= 12:
        raise BadDate("puts the month first. Write it as DD/MM/YYYY.")
    if order is Order.UNSAID and first <= 12 and first != second:
        raise BadDate(
            "is in a column that puts the month first. Export it as DD/MM/YYYY or YYYY-MM-DD."
        )
    return first, second


@dataclass(slots=True)
class Evidence:
    """What the dates of a whole column say of its order. Cells of one length that begin alike
    count as one spelling, so that a long column costs little.
    """

    spellings: dict[tuple[str, int], list[str]] = field(default_factory=dict)
    counts: dict[tuple[str, int], int] = field(default_factory=dict)

    def add(self, cell: str) -> None:
        key = (cell[:6], len(cell))
        known = self.counts.get(key)
        if known is None:
            if len(self.counts) > _MOST_SPELLINGS:
                return
            self.spellings[key] = [cell]
            known = 0
        self.counts[key] = known + 1

    def weigh(self) -> "Weight":
        """How many dates can be read in which way."""
        weight = Weight()
        for key, cells in self.spellings.items():
            match = _DAY_FIRST.fullmatch(_TIME.sub("", cells[0].strip()))
            if match is None:
                continue
            first, second = int(match[1]), int(match[2])
            count = self.counts[key]
            if first <= 12 < second <= 31:
                weight.month_first += count
            elif second <= 12 < first <= 31:
                weight.day_first += count
            elif first != second and first <= 12 and second <= 12:
                weight.either += count
                weight.sample = weight.sample or cells[0]
            if len(match[3]) == 2:
                weight.two_digit_years += count
                weight.sample = weight.sample or cells[0]
        return weight


@dataclass(slots=True)
class Weight:
    """Dates of a column by the order in which alone they can be read, with a cell to show."""

    day_first: int = 0
    month_first: int = 0
    either: int = 0
    two_digit_years: int = 0
    sample: str = ""

    @property
    def presumed(self) -> Order:
        """Never the month first: where that is as likely, nothing is presumed."""
        certain = self.month_first == 0 or self.day_first > self.month_first
        return Order.DAY_FIRST if certain else Order.UNSAID

    @property
    def in_question(self) -> bool:
        """Whether a person has to say: no date, or too few, can be read in one way only."""
        return self.presumed is Order.UNSAID or (self.either > 0 and self.day_first == 0)


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
