"""Days and times as people say them on the phone: "half two on Tuesday", "after four", "next week".

Pure: words and `now` in, a wish or a window out. An hour without am or pm means the one between
eight in the morning and seven at night, because practices keep such hours.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

from recall.voice.conversation import LONDON, Window, Wish

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
}  # fmt: skip
_ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7,
    "eighth": 8, "ninth": 9, "tenth": 10, "eleventh": 11, "twelfth": 12, "thirteenth": 13,
    "fourteenth": 14, "fifteenth": 15, "sixteenth": 16, "seventeenth": 17, "eighteenth": 18,
    "nineteenth": 19, "twentieth": 20, "thirtieth": 30,
}  # fmt: skip
_TENS = {"twenty": 20, "thirty": 30}
_MINUTES = {
    "fifteen": 15, "thirty": 30, "forty five": 45, "forty": 40, "ten": 10, "twenty": 20,
    "fifty": 50, "oclock": 0,
}  # fmt: skip
_HOUR = rf"(?:{'|'.join(_NUMBERS)}|2[0-3]|1\d|\d)"
_CLOCK = re.compile(
    rf"\b(?:(?P<spoken>half past|half|quarter past|quarter to|ten past|ten to|twenty past|"
    rf"twenty to|five past|five to) (?P<h1>{_HOUR})\b|(?P<h2>{_HOUR})(?:[:. ](?P<m2>[0-5]\d)\b|"
    rf" (?P<w2>{'|'.join(_MINUTES)})\b)|(?P<mark>at|about|around|after|before|by|from|until|"
    rf"till|past|between|and|to|say) (?P<h3>{_HOUR})\b(?![:. ]\d|"
    rf" (?:{'|'.join(_MINUTES)})\b)(?! (?:week|day|month|minute|hour)s?\b)|"
    rf"\b(?P<h4>{_HOUR})(?= ?(?:am|pm|a m|p m|in the (?:morning|afternoon|"
    rf"evening))\b))(?: ?(?P<half>am|pm|a m|p m|in the morning|in the afternoon|"
    rf"in the evening)\b)?"
)
_SPOKEN = {
    "half past": 30, "half": 30, "quarter past": 15, "quarter to": -15, "ten past": 10,
    "ten to": -10, "twenty past": 20, "twenty to": -20, "five past": 5, "five to": -5,
}  # fmt: skip
_PARTS = (
    (r"first thing|early morning|early in the morning", time(8), time(10)),
    (r"late morning", time(10, 30), time(12)),
    (r"late afternoon|end of the day|teatime", time(15, 30), time(18)),
    (r"early afternoon|lunch ?time|over lunch|at lunch", time(12), time(14)),
    (r"mornings?", time(0), time(11, 59)),
    (r"afternoons?|after lunch", time(12), time(17, 59)),
    (r"after school", time(15, 30), None),
    (r"evenings?|tonight|after work", time(17), None),
    (r"noon|midday", time(12), time(13)),
)
_UNABLE = r"\b(?:away|on holiday|busy|working|not|cannot (?:do|make))(?: at all| all| for)?"
_DELAY = re.compile(
    r"\bin (?:about )?(?P<n>a couple of|a few|half an|an|a|\d+|"
    + "|".join(_NUMBERS)
    + r")(?: and a half)? ?(?P<unit>minutes?|mins?|hours?|days?|weeks?|fortnight|"
    r"months?)(?:'?s? time)?\b"
)


@dataclass(frozen=True)
class Said:
    """The time in an utterance. `at` is a clock time named exactly, also held in the wish."""

    wish: Wish = field(default_factory=Wish)
    at: time | None = None
    starts: datetime | None = None

    def is_empty(self) -> bool:
        return self.wish.is_empty() and self.at is None and self.starts is None


def parse(text: str, now: datetime, *, bare_hours: bool = False) -> Said:
    """Read `words.bare` text; nothing understood gives an empty `Said`.

    With `bare_hours`, when a time was asked for, "five" alone is five o'clock.
    """
    if bare_hours and re.fullmatch(_HOUR, text):
        text = f"at {text}"
    today = now.astimezone(LONDON).date()
    if delay := _delay(text, now):
        return delay
    wish = _with_days(_with_dates(Wish(), text, today), text, today)
    wish, at = _with_clock(_with_part(wish, text), text)
    return Said(wish=wish, at=at)


def window(said: Said, now: datetime) -> Window | None:
    """From when until when somebody asked to be rung, always in the future; None if not said."""
    if said.is_empty():
        return None
    if said.starts is not None:
        return Window(said.starts, said.starts + timedelta(hours=2))
    wish = said.wish
    if said.at is not None and wish.earliest is not None:
        wish = replace(wish, earliest=said.at, latest=_plus(said.at, 60))
    local = now.astimezone(LONDON)
    for offset in range(400):
        day = max(local.date(), wish.from_date or local.date()) + timedelta(days=offset)
        if not _wanted(day, wish):
            continue
        last = wish.to_date if wish.to_date and not wish.weekdays else day
        start = datetime.combine(day, wish.earliest or time(0), LONDON)
        until = datetime.combine(max(day, last), wish.latest or time(23, 59), LONDON)
        if until > now:
            return Window(max(start, local), until)
    return None


def _wanted(day: date, wish: Wish) -> bool:
    """Whether a day was asked for; with none named, any working day was."""
    if wish.weekdays:
        return day.weekday() in wish.weekdays
    return wish.from_date is not None or day.weekday() < 5


def weekdays_in(text: str) -> tuple[int, ...]:
    """The weekdays named, in order of the week."""
    return tuple(n for n, day in enumerate(DAYS) if re.search(rf"\b{day}s?\b", text))


def _delay(text: str, now: datetime) -> Said | None:
    found = _DELAY.search(text)
    if found is None:
        return None
    words, unit = found["n"], found["unit"]
    count = {"a couple of": 2.0, "a few": 3.0, "half an": 0.5, "an": 1.0, "a": 1.0}.get(words)
    if count is None:
        count = float(_NUMBERS.get(words) or int(words))
    if unit[0] == "m" and not unit.startswith("month"):
        return Said(starts=now + timedelta(minutes=count))
    if unit.startswith("hour"):
        return Said(starts=now + timedelta(hours=count))
    days = {"d": 1, "w": 7, "f": 14, "m": 30}[unit[0]] * count
    start = now.astimezone(LONDON).date() + timedelta(days=min(days, 730))
    spread = 0 if unit[0] == "d" else 6
    return Said(wish=Wish(from_date=start, to_date=start + timedelta(days=spread)))


def _with_dates(wish: Wish, text: str, today: date) -> Wish:
    """Today, tomorrow, this or next week or month, a day of the month, a month."""
    monday = today - timedelta(days=today.weekday())
    first = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    spans: tuple[tuple[str, date, date], ...] = (
        (r"day after tomorrow", today + timedelta(days=2), today + timedelta(days=2)),
        (r"tomorrows?", today + timedelta(days=1), today + timedelta(days=1)),
        (r"today|this (?:morning|afternoon|evening)|tonight", today, today),
        (r"week after next", monday + timedelta(days=14), monday + timedelta(days=20)),
        (r"next week", monday + timedelta(days=7), monday + timedelta(days=13)),
        (r"after the weekend", monday + timedelta(days=7), monday + timedelta(days=8)),
        (r"end of the week", max(today, monday + timedelta(days=3)), monday + timedelta(days=4)),
        (r"this week|later in the week", today, monday + timedelta(days=6)),
        (r"next month", first, _month_end(first)),
        (r"(?:the )?new year", date(today.year + 1, 1, 2), date(today.year + 1, 1, 31)),
        (r"after christmas", date(today.year, 12, 27), date(today.year + 1, 1, 31)),
    )
    for pattern, start, end in spans:
        if re.search(rf"{_UNABLE} (?:{pattern})\b", text):
            return replace(wish, from_date=end + timedelta(days=1))
        if re.search(rf"\b(?:{pattern})\b", text):
            return replace(wish, from_date=start, to_date=end)
    if day := _day_of_month(text, today):
        open_end = re.search(r"\b(?:until|till|after|from) (?:the )?\d", text)
        return replace(wish, from_date=day, to_date=None if open_end else day)
    month = re.search(rf"\b(?:in|during|until|till) ({'|'.join(MONTHS)})\b", text)
    if month:
        start = _on_or_after(today, 1, MONTHS.index(month[1]) + 1)
        return replace(wish, from_date=max(start, today), to_date=_month_end(start))
    return wish


def _day_of_month(text: str, today: date) -> date | None:
    """ "The 24th", "24 November", "twenty fourth of November". First to third need a month."""
    months = "|".join(MONTHS)
    words = "|".join(_ORDINALS)
    match = re.search(
        rf"\b(?:(?P<on>on the) )?(?:(?P<n>[0-3]?\d)(?P<th>st|nd|rd|th)?|(?:(?P<tens>twenty|"
        rf"thirty) )?(?P<word>{words}))(?: of)?(?: (?P<month>{months}))?\b(?![:.]\d)",
        text,
    )
    if match is None:
        return None
    number = int(match["n"]) if match["n"] else _ORDINALS[match["word"]]
    number += _TENS.get(match["tens"] or "", 0)
    ordinal = bool(match["th"] or match["word"]) and (number > 3 or bool(match["on"]))
    if not (match["month"] or ordinal) or not 1 <= number <= 31:
        return None
    month = MONTHS.index(match["month"]) + 1 if match["month"] else None
    return _on_or_after(today, number, month)


def _on_or_after(today: date, day: int, month: int | None) -> date:
    """The next such date; for the first of a month, this month's counts while it lasts."""
    year, candidate = today.year, month or today.month
    for _ in range(60):
        if day <= monthrange(year, candidate)[1]:
            found = date(year, candidate, day)
            if found >= today or (day == 1 and month and _month_end(found) >= today):
                return found
        year, candidate = (
            (year + 1, candidate) if month else (year + candidate // 12, candidate % 12 + 1)
        )
    return today


def _month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def _with_days(wish: Wish, text: str, today: date) -> Wish:
    days = weekdays_in(text)
    if not days:
        if re.search(r"(?<!after the )\bweekends?\b", text):
            return replace(wish, weekdays=(5, 6))
        return wish
    names = "|".join(DAYS)
    if re.search(
        r"\b(?:not|except|apart from|but|cannot (?:do|make|manage)|busy|working|away)"
        rf"(?: on)?(?: a)?(?: (?:{names})s?(?: or| and)?)+\b|\b(?:{names})s? (?:is|are) no good",
        text,
    ):
        return replace(wish, weekdays=tuple(n for n in range(7) if n not in days))
    wish = replace(wish, weekdays=days)
    monday = today - timedelta(days=today.weekday())
    if re.search(rf"\bnext (?:{names})\b", text) and wish.from_date is None:
        return replace(
            wish, from_date=monday + timedelta(days=7), to_date=monday + timedelta(days=13)
        )
    return wish


def _with_part(wish: Wish, text: str) -> Wish:
    for pattern, earliest, latest in _PARTS:
        if re.search(rf"\b(?:{pattern})\b", text) and not re.search(
            rf"\b(?:not|cannot do|hate|no)(?: in)?(?: the)? (?:{pattern})\b", text
        ):
            return replace(wish, earliest=earliest, latest=latest)
    if re.search(r"\b(?:not|cannot do|hate|no)(?: in)?(?: the)? mornings?\b", text):
        return replace(wish, earliest=time(12))
    if re.search(r"\b(?:not|cannot do|hate|no)(?: in)?(?: the)? afternoons?\b", text):
        return replace(wish, latest=time(11, 59))
    return wish


def _with_clock(wish: Wish, text: str) -> tuple[Wish, time | None]:
    found = [(match, _clock(match)) for match in _CLOCK.finditer(text)]
    times = [(match, clock) for match, clock in found if clock is not None]
    if not times:
        return wish, None
    match, clock = times[0]
    before = text[: match.start()].rstrip() + " " + (match["mark"] or "")
    if re.search(r"\b(?:after|from|past|till|until) ?$", before):
        # "I work until five": free after it.
        return replace(wish, earliest=clock, latest=_latest(wish, clock)), None
    if re.search(r"\b(?:before|by) ?$", before):
        return replace(wish, earliest=None, latest=clock), None
    if len(times) > 1 and "between" in text:
        return replace(wish, earliest=clock, latest=max(clock, times[1][1])), None
    return replace(wish, earliest=_plus(clock, -30), latest=_plus(clock, 60)), clock


def _latest(wish: Wish, earliest: time) -> time | None:
    return wish.latest if wish.latest and wish.latest > earliest else None


def _clock(match: re.Match[str]) -> time | None:
    word = match["h1"] or match["h2"] or match["h3"] or match["h4"]
    hour = _NUMBERS.get(word) or int(word)
    minutes = 0
    if match["spoken"]:
        minutes = _SPOKEN[match["spoken"]]
    elif match["m2"]:
        minutes = int(match["m2"])
    elif match["w2"]:
        minutes = _MINUTES[match["w2"]]
    total = _on_the_day(hour, match["half"] or "") * 60 + minutes
    return time(total // 60, total % 60) if 0 <= total < 24 * 60 else None


def _on_the_day(hour: int, half: str) -> int:
    """The hour on the 24-hour clock."""
    if half.startswith("a") or half == "in the morning":
        return hour % 12
    if half or hour < 8:
        return hour % 12 + 12
    return hour


def _plus(clock: time, minutes: int) -> time:
    total = clock.hour * 60 + clock.minute + minutes
    total = max(0, min(total, 23 * 60 + 59))
    return time(total // 60, total % 60)
