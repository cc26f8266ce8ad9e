"""Small pieces every template needs: icons, pills, London dates in words, phone numbers.

It turns values into words and marks. It must not read the database or know what a status means;
`recall.wording` does that.
"""

from datetime import date, datetime, time

import phonenumbers
from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from sightsync.lib import clock

register = template.Library()

PILL_TONES = ("green", "blue", "amber", "red", "grey")


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """One symbol of static/icons/sprite.svg; silent for screen readers unless it has a label."""
    if label:
        return format_html(
            '<svg class="icon" role="img" aria-label="{}"><use href="{}#{}"></use></svg>',
            label,
            static("icons/sprite.svg"),
            name,
        )
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>',
        static("icons/sprite.svg"),
        name,
    )


@register.simple_tag
def pill(word: str, tone: str = "grey", live: bool = False) -> SafeString:
    """A status as a word and a shape. An unknown tone is a bug and raises."""
    if tone not in PILL_TONES:
        raise ValueError(f"No such tone: {tone}")
    return format_html(
        '<span class="pill pill-{}{}">{}</span>', tone, " pill-live" if live else "", word
    )


def _london(value: datetime | date) -> datetime | date:
    return clock.london(value) if isinstance(value, datetime) else value


@register.filter
def day(value: datetime | date | None) -> str:
    """Tuesday 24 November, with the year when it is not this one."""
    if value is None:
        return ""
    moment = _london(value)
    year = f" {moment.year}" if moment.year != clock.today().year else ""
    return f"{moment:%A} {moment.day} {moment:%B}{year}"


@register.filter
def plain_date(value: datetime | date | None) -> str:
    """24 November 2026."""
    if value is None:
        return ""
    moment = _london(value)
    return f"{moment.day} {moment:%B} {moment.year}"


@register.filter
def wall_time(value: datetime | None) -> str:
    """2:30pm on a London clock; minutes are always said."""
    if value is None:
        return ""
    moment = clock.london(value)
    return f"{moment.hour % 12 or 12}:{moment:%M}{'am' if moment.hour < 12 else 'pm'}"


@register.filter
def day_time(value: datetime | None) -> str:
    """Tuesday 24 November at 2:30pm."""
    return f"{day(value)} at {wall_time(value)}" if value else ""


@register.filter
def near(value: datetime | None) -> str:
    """The shortest words that are still exact: today at 9:02am, tomorrow at 4:00pm, 12 Nov."""
    if value is None:
        return ""
    moment = clock.london(value)
    days = (moment.date() - clock.today()).days
    named = {0: "today", 1: "tomorrow", -1: "yesterday"}.get(days)
    if named:
        return f"{named} at {wall_time(value)}"
    if 1 < days < 7:
        return f"{moment:%A} at {wall_time(value)}"
    return f"{short_day(value)} at {wall_time(value)}"


@register.filter
def short_day(value: datetime | date | None) -> str:
    """12 Nov, with the year when it is not this one."""
    if value is None:
        return ""
    moment = _london(value)
    year = f" {moment.year}" if moment.year != clock.today().year else ""
    return f"{moment.day} {moment:%b}{year}"


@register.filter
def stamp(value: datetime | None) -> str:
    """For a timeline's margin: Today 9:02am, otherwise 12 Nov."""
    if value is None:
        return ""
    if clock.london(value).date() == clock.today():
        return f"Today {wall_time(value)}"
    return short_day(value)


@register.filter
def age(value: datetime | None) -> str:
    """How long ago, in one unit: now, 23 min, 4 h, 3 days."""
    if value is None:
        return ""
    minutes = int((clock.now() - value).total_seconds() // 60)
    if minutes < 1:
        return "now"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h"
    days = minutes // (24 * 60)
    return f"{days} day{'s' if days > 1 else ''}"


@register.filter
def duration(seconds: int | None) -> str:
    """38 seconds, 2 minutes 5 seconds."""
    if seconds is None:
        return ""
    minutes, rest = divmod(seconds, 60)
    parts = []
    if minutes:
        parts.append(f"{minutes} minute{'s' if minutes > 1 else ''}")
    if rest or not minutes:
        parts.append(f"{rest} second{'s' if rest != 1 else ''}")
    return " ".join(parts)


@register.filter
def national(number: str) -> str:
    """+447700900110 as people in the UK write it: 07700 900110. Anything else stays as it is."""
    try:
        parsed = phonenumbers.parse(number, "GB")
    except phonenumbers.NumberParseException:
        return number
    if parsed.country_code == 44:
        return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


@register.filter
def count_of(number: int, noun: str) -> str:
    """`3|count_of:"patient"` is 3 patients; a plural of its own comes after a comma."""
    one, _, many = noun.partition(",")
    return f"{number:,} {one if number == 1 else many or one + 's'}"


@register.filter
def overdue(due: date) -> str:
    """How long past its date something is, or how soon: 14 months overdue, due in 9 days."""
    days = (clock.today() - due).days
    if days == 0:
        return "due today"
    if days < 0:
        return f"due in {_span(-days)}"
    return f"{_span(days)} overdue"


def _span(days: int) -> str:
    if days < 45:
        return f"{days} day{'s' if days != 1 else ''}"
    months = round(days / 30.44)
    return f"{months} month{'s' if months != 1 else ''}"


@register.filter
def years(born: date) -> int:
    """Age in completed years today."""
    today = clock.today()
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


@register.filter
def wall(value: time) -> str:
    """A time of day without a date: 9am, 5:30pm."""
    minutes = f":{value:%M}" if value.minute else ""
    return f"{value.hour % 12 or 12}{minutes}{'am' if value.hour < 12 else 'pm'}"


@register.filter
def minutes(value: int) -> str:
    """A delay in its largest whole unit: 30 minutes, 24 hours, 2 days."""
    for size, unit in ((2880, "days"), (120, "hours")):
        if value >= size and value % (size // 2) == 0:
            return f"{value // (size // 2)} {unit}"
    return f"{value} minute{'s' if value != 1 else ''}"


_BROWSERS = (
    ("Edg/", "Edge"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "a Mac"),
    ("Linux", "Linux"),
)


@register.filter
def browser_name(user_agent: str) -> str:
    """A User-Agent header as people would say it: Chrome on Windows."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "A browser")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser
