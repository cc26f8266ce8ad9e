"""Settings, Integrations: every channel and calendar on one page, on or off."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from integrations.google_calendar import account, words
from practices import access
from practices.access import StaffRequest
from practices.models import Practice


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """`word` and `tone` make the pill; `facts` is one line of what is arranged."""

    name: str
    icon: str
    about: str
    url: str
    word: str
    tone: str
    facts: str = ""


@require_safe
@access.require("integrations.manage")
def index(request: StaffRequest) -> HttpResponse:
    practice = request.practice
    cards = [_google(practice), _whatsapp(practice), _email(practice), _sms(practice)]
    return render(request, "integrations/index.html", {"cards": cards})


def _google(practice: Practice) -> Card:
    connection = account.of(practice)
    standing = words.standing(connection)
    chosen = connection.settings.get("calendar_name", "") if connection else ""
    return Card(
        name="Google Calendar",
        icon="calendar-days",
        about="Each booking becomes an event, and what keeps the calendar busy is not offered.",
        url=reverse("google:show"),
        word=standing.word,
        tone=standing.tone,
        facts=standing.why or (f"Writes to {chosen}." if chosen else ""),
    )


def _whatsapp(practice: Practice) -> Card:
    number = practice.whatsapp_number
    if practice.whatsapp_enabled and not number:
        word, tone, facts = "Needs a number", "amber", "Nothing is sent until a number is set."
    elif practice.whatsapp_enabled:
        word, tone, facts = "On", "green", _after(practice.whatsapp_delay_minutes, "call")
    else:
        word, tone, facts = "Off", "grey", ""
    return Card(
        name="WhatsApp",
        icon="message-circle",
        about="A message with a booking link when a call was not answered.",
        url=reverse("recall:whatsapp"),
        word=word,
        tone=tone,
        facts=facts,
    )


def _email(practice: Practice) -> Card:
    on = practice.email_enabled
    return Card(
        name="Email",
        icon="mail",
        about="The last try, with a booking link and a way out of further recalls.",
        url=reverse("recall:email"),
        word="On" if on else "Off",
        tone="green" if on else "grey",
        facts=_after(practice.email_delay_minutes, "message") if on else "",
    )


def _sms(practice: Practice) -> Card:
    return Card(
        name="SMS",
        icon="smartphone",
        about="Confirmations and reminders of appointments.",
        url=reverse("recall:sms"),
        word="On",
        tone="green",
        facts=f"A reminder {practice.reminder_hours_before} hours before.",
    )


def _after(minutes: int, what: str) -> str:
    if minutes % 60:
        return f"{minutes} minutes after the {what}."
    hours = minutes // 60
    return f"{hours} {'hour' if hours == 1 else 'hours'} after the {what}."
