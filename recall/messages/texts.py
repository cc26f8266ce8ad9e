"""Every sentence of an SMS or WhatsApp to a patient. Pure: names, times and links in, text out.

The practice comes first, then why we write, then how to stop. Never a reason, a risk or a
condition. Reading age nine to eleven. Emails are in templates/emails.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from patients import phone
from recall.messages import sms_length
from sightsync.lib.clock import london

MOST_SEGMENTS = 2
DEFAULT_EXAMINATION = "eye examination"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes: the practice's name, its phone as +44..., and its words for the examination."""

    name: str
    phone_number: str = ""
    examination: str = DEFAULT_EXAMINATION

    @property
    def phone(self) -> str:
        return phone.national(self.phone_number) if self.phone_number else ""


@dataclass(frozen=True, slots=True)
class Links:
    """The private links of one message; blank ones are not in it."""

    booking: str = ""
    opt_out: str = ""
    calendar: str = ""


@dataclass(frozen=True, slots=True)
class _Room:
    """How much a text may say; tried from the roomiest on until it fits two segments."""

    name: int
    long_date: bool = True
    with_phone: bool = True
    with_stop_word: bool = True


_ROOMS = (
    _Room(40),
    _Room(40, long_date=False),
    _Room(40, long_date=False, with_stop_word=False),
    _Room(24, long_date=False, with_stop_word=False),
    _Room(24, long_date=False, with_phone=False, with_stop_word=False),
    _Room(14, long_date=False, with_phone=False, with_stop_word=False),
)


def day(moment: datetime, *, long: bool = True) -> str:
    """Tuesday 24 November, or Tue 24 Nov; London's date."""
    local = london(moment)
    return f"{local:%A} {local.day} {local:%B}" if long else f"{local:%a} {local.day} {local:%b}"


def time_of_day(moment: datetime) -> str:
    """2:30pm on a London clock."""
    local = london(moment)
    return f"{local.hour % 12 or 12}:{local:%M}{'am' if local.hour < 12 else 'pm'}"


def near_day(moment: datetime, now: datetime, *, long: bool = True) -> str:
    """The day with the word that helps most: `tomorrow, Tuesday 24 November`."""
    days = (london(moment).date() - london(now).date()).days
    word = {0: "today, ", 1: "tomorrow, "}.get(days, "on ")
    return word + day(moment, long=long)


def sms_recall(*, sender: Sender, first_name: str, links: Links) -> str:
    def words(room: _Room) -> str:
        why = sms_length.to_gsm7(f"your next {sender.examination} is due.")
        name = sms_length.shortened(sms_length.to_gsm7(first_name), room.name)
        return _lines(
            f"{_name(sender, room)}: {f'{name}, ' if name else ''}{why}",
            f"Choose a time: {links.booking}{_or_ring(sender, room)}",
            _stop(links, room),
        )

    return _fitting(words)


def sms_confirmation(*, sender: Sender, starts_at: datetime, links: Links) -> str:
    """Date, time, practice, calendar file and opt-out link (seed 001, SMS at booking)."""

    def words(room: _Room) -> str:
        when = f"{day(starts_at, long=room.long_date)} at {time_of_day(starts_at)}"
        return _lines(
            f"{_name(sender, room)}: you are booked for {when}.",
            f"Save it: {links.calendar}",
            f"To change it, ring {sender.phone}." if room.with_phone and sender.phone else "",
            _stop(links, room),
        )

    return _fitting(words)


def sms_reminder(*, sender: Sender, starts_at: datetime, now: datetime) -> str:
    """Time and the practice's phone (seed 001, SMS before the appointment). It has no link: the
    reply stops messages, and one segment is enough.
    """

    def words(room: _Room) -> str:
        when = f"{near_day(starts_at, now, long=room.long_date)} at {time_of_day(starts_at)}"
        change = f" To change it, ring {sender.phone}." if sender.phone else ""
        return (
            f"{_name(sender, room)}: your appointment is {when}. Reply YES if you will come."
            f"{change} Reply STOP to stop messages."
        )

    return _fitting(words)


def sms_cancellation(*, sender: Sender, starts_at: datetime, links: Links) -> str:
    def words(room: _Room) -> str:
        when = f"{day(starts_at, long=room.long_date)} at {time_of_day(starts_at)}"
        return _lines(
            f"{_name(sender, room)}: we are sorry, your appointment on {when} is cancelled.",
            f"Choose a new time: {links.booking}{_or_ring(sender, room)}",
            _stop(links, room),
        )

    return _fitting(words)


# The template that a practice registers with WhatsApp, in its own words or in these. Twilio calls
# the variables by number: https://www.twilio.com/docs/content/using-variables-with-content-api
WHATSAPP_RECALL_TEMPLATE = (
    "Hello {{1}}, this is {{2}}.\n\n"
    "Your next {{3}} is due. Choose a time that suits you: {{4}}\n\n"
    "If you do not want messages from us, open {{5}} or reply STOP."
)


def whatsapp_variables(*, sender: Sender, first_name: str, links: Links) -> dict[str, str]:
    """The values of `WHATSAPP_RECALL_TEMPLATE`. WhatsApp refuses blank ones and line breaks.

    The phone goes with the name: a sentence of its own could not be left out of a template.
    """
    practice = f"{sender.name}, {sender.phone}" if sender.phone else sender.name
    values = [first_name, practice, sender.examination, links.booking, links.opt_out]
    return {
        str(number): " ".join(value.split()) or "-" for number, value in enumerate(values, start=1)
    }


WHATSAPP_WINDOW = timedelta(hours=24)


def is_within_window(last_inbound: datetime | None, now: datetime) -> bool:
    """Whether free text may go by WhatsApp: 24 hours from the patient's last message, no longer.
    https://www.twilio.com/docs/api/errors/63016
    """
    return last_inbound is not None and now - last_inbound < WHATSAPP_WINDOW


# --- inside -------------------------------------------------------------------------------------


def _name(sender: Sender, room: _Room) -> str:
    plain = " ".join(sms_length.to_gsm7(sender.name).split())
    return sms_length.shortened(plain, room.name) or "Your optician"


def _or_ring(sender: Sender, room: _Room) -> str:
    return f" or ring {sender.phone}." if room.with_phone and sender.phone else ""


def _stop(links: Links, room: _Room) -> str:
    return f"Stop messages: {links.opt_out}" + (" or reply STOP" if room.with_stop_word else "")


def _lines(*lines: str) -> str:
    return "\n".join(line for line in lines if line)


def _fitting(words: Callable[[_Room], str]) -> str:
    """The roomiest wording of two segments; the tersest when the links alone are longer."""
    text = ""
    for room in _ROOMS:
        text = words(room)
        if sms_length.segments(text) <= MOST_SEGMENTS:
            break
    return text
