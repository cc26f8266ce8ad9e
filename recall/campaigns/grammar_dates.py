"""Days and spans of time as people say them in Britain: 3/4/24 is the third of April.

Pure: today is told to it. A day may be a stretch: "March 2024" is from its first day to its last.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august"),
    *("september", "october", "november", "december"),
)
_MONTH = "|".join(["may", "sept", *(f"{m[:3]}(?:{m[3:]})?" for m in MONTHS if m != "may")])

NUMBER = r"(?:\d{1,5}|an?)"
UNIT = r"(?:days?|weeks?|fortnights?|months?|years?)"
SPAN = (
    rf"(?:half a year|{NUMBER} {UNIT} and a half|{NUMBER} and a half {UNIT}"
    rf"|{NUMBER} {UNIT}(?: and {NUMBER} {UNIT})?)"
)
DAY = (
    r"(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}/\d{1,2}/(?:\d{4}|\d{2})"
    rf"|(?:the )?\d{{1,2}}(?:st|nd|rd|th)?(?: of)? (?:{_MONTH})(?: \d{{4}})?"
    rf"|(?:{_MONTH}) (?:the )?\d{{1,2}}(?:st|nd|rd|th)?(?: \d{{4}})?(?! ?\d)"
    rf"|(?:the )?(?:start|beginning) of (?:the |this )?(?:year|month|week|\d{{4}})"
    rf"|(?:{_MONTH})(?: \d{{4}})?|(?:19|20)\d\d"
    r"|today|yesterday|(?:this|last) (?:week|month|year)"
    rf"|{SPAN} ago)"
)
_DAYS_IN = {"day": 1, "week": 7, "fortnight": 14}


class NotADate(ValueError):
    """It looks like a day, and there is none such, or it is yet to come."""


@dataclass(frozen=True, slots=True)
class Span:
    """Calendar months, then days."""

    months: int = 0
    days: int = 0

    def before(self, day: date) -> date:
        """Raises NotADate when it leads out of the calendar."""
        try:
            return day - relativedelta(months=self.months) - timedelta(days=self.days)
        except (ValueError, OverflowError) as error:
            raise NotADate from error


@dataclass(frozen=True, slots=True)
class Stretch:
    """From its first day to its last."""

    first: date
    last: date


def span(text: str) -> Span:
    """A year and a half: 18 months. `text` matches SPAN."""
    if text == "half a year":
        return Span(6)
    if " and a half" in text:
        whole = _part(text.replace(" and a half", "", 1))
        if not whole.months or whole.months % 12:
            raise NotADate
        return Span(whole.months + 6)
    parts = [_part(part) for part in text.split(" and ")]
    return Span(sum(part.months for part in parts), sum(part.days for part in parts))


def _part(text: str) -> Span:
    count, unit = text.split(" ")
    number, unit = 1 if count in ("a", "an") else int(count), unit.rstrip("s")
    if unit in _DAYS_IN:
        return Span(days=number * _DAYS_IN[unit])
    return Span(months=number * (12 if unit == "year" else 1))


def stretch(text: str, today: date) -> Stretch:
    """The days that `text` (which matches DAY) means. Raises NotADate."""
    try:
        found = _stretch(text.removeprefix("the "), today)
    except NotADate:
        raise
    except (ValueError, OverflowError) as error:
        raise NotADate from error
    if found.first > today or found.first.year < 1900:
        raise NotADate
    return found


def _stretch(text: str, today: date) -> Stretch:
    if text.endswith(" ago"):
        return _one(span(text.removesuffix(" ago")).before(today))
    if "-" in text:
        year, month, day = map(int, text.split("-"))
        return _one(date(year, month, day))
    if "/" in text:
        day, month, year = map(int, text.split("/"))
        return _one(date(year + 2000 if year < 100 else year, month, day))
    if starts := re.fullmatch(r"(?:start|beginning) of (?:the |this )?(\w+)", text):
        unit = starts[1]
        return _one(_whole(unit if unit.isdigit() else f"this {unit}", today).first)
    if text in ("today", "yesterday"):
        return _one(today - timedelta(days=text == "yesterday"))
    if re.fullmatch(r"\d{4}|(?:this|last) \w+", text):
        return _whole(text, today)
    return _named(text, today)


def _one(day: date) -> Stretch:
    return Stretch(day, day)


def _whole(text: str, today: date) -> Stretch:
    """A year, or this or the last week (from Monday), month or year."""
    if text.isdigit():
        return Stretch(date(int(text), 1, 1), date(int(text), 12, 31))
    which, unit = text.split(" ")
    back = which == "last"
    if unit == "week":
        first = today - timedelta(days=today.weekday() + 7 * back)
        return Stretch(first, first + timedelta(days=6))
    if unit == "year":
        return Stretch(date(today.year - back, 1, 1), date(today.year - back, 12, 31))
    first = today.replace(day=1) - relativedelta(months=back)
    return Stretch(first, _month_end(first))


def _month_end(first: date) -> date:
    return first + relativedelta(months=1) - timedelta(days=1)


def _named(text: str, today: date) -> Stretch:
    """A day or month by its name; without a year the latest that has begun."""
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    name = next(word for word in re.findall(r"[a-z]+", text) if word[:3] in _BY_LETTERS)
    month = _BY_LETTERS[name[:3]]
    year = next((number for number in numbers if number > 31), None)
    day = next((number for number in numbers if number <= 31), None)
    for tried in [year] if year else [today.year, today.year - 1]:
        first = date(tried, month, day or 1)
        if year or first <= today:
            return _one(first) if day else Stretch(first, _month_end(first))
    raise NotADate


_BY_LETTERS = {month[:3]: number for number, month in enumerate(MONTHS, start=1)}
