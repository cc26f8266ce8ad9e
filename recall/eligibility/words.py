"""How days, moments, windows and channels are said in the evidence of a rule. Pure."""

from datetime import date, datetime, time

from recall.calling_hours import Window
from recall.models import Channel
from recall.models.appointments import NO_TIME
from sightsync.lib.clock import LONDON

_CHANNELS = {
    Channel.VOICE: "calls",
    Channel.WHATSAPP: "WhatsApp",
    Channel.SMS: "text messages",
    Channel.EMAIL: "email",
}
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def channel(value: Channel) -> str:
    return _CHANNELS[value]


def day(value: date) -> str:
    """Tuesday 24 November 2026."""
    return f"{value:%A} {value.day} {value:%B %Y}"


def moment(value: datetime | None) -> str:
    """Tuesday 24 November at 2:30pm, on a London clock."""
    if value is None:
        return "an unknown day"
    local = value.astimezone(LONDON)
    return f"{local:%A} {local.day} {local:%B} at {clock_time(local.time())}"


def visit(value: datetime | None) -> str:
    """An appointment's moment; only its day where nothing more is known."""
    if value is not None and (local := value.astimezone(LONDON)).time() == NO_TIME:
        return f"{local:%A} {local.day} {local:%B}"
    return moment(value)


def clock_time(value: time) -> str:
    """2:30pm, 9am."""
    hour = value.hour % 12 or 12
    minutes = f":{value.minute:02}" if value.minute else ""
    return f"{hour}{minutes}{'am' if value.hour < 12 else 'pm'}"


def window(value: Window) -> str:
    """Monday to Friday, 9am to 6pm; or the days one by one when they do not follow each other."""
    days = sorted(value.weekdays)
    hours = f"{clock_time(value.start)} to {clock_time(value.end)}"
    if days == list(range(7)):
        return f"every day, {hours}"
    if len(days) > 2 and days == list(range(days[0], days[-1] + 1)):
        return f"{_WEEKDAYS[days[0]]} to {_WEEKDAYS[days[-1]]}, {hours}"
    return f"{' and '.join(_WEEKDAYS[number] for number in days)}, {hours}"
