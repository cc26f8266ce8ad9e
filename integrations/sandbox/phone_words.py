"""How the phone page words and times what happened. Pure."""

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from urllib.parse import urlsplit

import phonenumbers
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

from integrations.sandbox.people import Entry
from integrations.sandbox.resources import Call, Line
from sightsync.lib import clock

LINK = re.compile(r"(https?://[^\s<>\"']+[^\s<>\"'.,;:)])")
ICONS = {
    "call": "phone",
    "sms": "message-square",
    "whatsapp": "message-circle",
    "email": "mail",
    "note": "hand",
}
CALL_ENDINGS = {
    "queued": ("Waiting to ring", "grey"),
    "initiated": ("Waiting to ring", "grey"),
    "ringing": ("Ringing", "blue"),
    "in-progress": ("On the line", "blue"),
    "completed": ("Answered", "green"),
    "busy": ("Engaged", "grey"),
    "no-answer": ("Not answered", "grey"),
    "canceled": ("Cancelled", "grey"),
    "failed": ("Failed", "red"),
}
DELIVERY = {
    "queued": "Sending",
    "sent": "Sent",
    "delivered": "Delivered",
    "read": "Read",
    "failed": "Not delivered",
    "undelivered": "Not delivered",
}


@dataclass(frozen=True, kw_only=True)
class Chip:
    """A file that came along: a calendar entry, or anything else."""

    name: str
    href: str
    is_calendar: bool


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An entry as the page shows it."""

    kind: str
    icon: str
    at: str
    text: SafeString
    from_patient: bool
    status: str
    subject: str
    mail_id: int | None
    chips: list[Chip] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    pill: str = ""
    pill_colour: str = "grey"
    length: str = ""
    live: bool = False
    title: str = ""


def show(entry: Entry, today: date) -> Shown:
    call = entry.call
    pill, colour = _ending(call) if call else ("", "grey")
    return Shown(
        kind=entry.kind,
        icon=icon(entry),
        at=short_time(entry.at, today),
        text=linked(entry.text),
        from_patient=entry.from_patient,
        status=DELIVERY.get(entry.status, entry.status.capitalize()),
        subject=entry.subject,
        mail_id=entry.mail_id,
        chips=_chips(entry),
        lines=call.lines if call else [],
        pill=pill,
        pill_colour=colour,
        length=_length(call.seconds) if call and call.is_over and call.seconds else "",
        live=bool(call and not call.is_over),
        title=_call_title(call) if call else "",
    )


def number(e164: str) -> str:
    """`07700 900101`, or whatever it is when it is no number."""
    try:
        parsed = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    if parsed.country_code != 44:
        return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)


def short_time(moment: datetime, today: date) -> str:
    """`10:04am` today, `18 Nov, 10:04am` on another day."""
    local = clock.london(moment)
    wall = f"{local.hour % 12 or 12}:{local:%M}{'am' if local.hour < 12 else 'pm'}"
    return wall if local.date() == today else f"{local.day} {local:%b}, {wall}"


def full_time(moment: datetime) -> str:
    local = clock.london(moment)
    return f"{local:%A} {local.day} {local:%B}, {short_time(moment, local.date())}"


def icon(entry: Entry) -> str:
    if entry.call is None:
        return ICONS[entry.kind]
    if any("Voicemail" in line.text for line in entry.call.lines):
        return "voicemail"
    return "phone-missed" if entry.call.status in ("no-answer", "busy") else "phone"


def snippet(entry: Entry) -> str:
    """One line about the last thing that happened."""
    if entry.call:
        return _ending(entry.call)[0]
    words = entry.subject or " ".join(entry.text.split())
    return f"You: {words}" if entry.from_patient and entry.kind != "note" else words


def linked(text: str) -> SafeString:
    """The text with its web addresses as links that open in a new tab; all else escaped."""
    parts = LINK.split(text)
    pieces = [
        format_html_join(
            "",
            '<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>' if i % 2 else "{}",
            [(part, part) if i % 2 else (part,)],
        )
        for i, part in enumerate(parts)
    ]
    return mark_safe("".join(pieces))  # noqa: S308 (every piece was escaped above)


def _ending(call: Call) -> tuple[str, str]:
    if call.status == "completed" and call.answered_by.startswith("machine"):
        return "Voicemail", "amber"
    return CALL_ENDINGS.get(call.status, (call.status, "grey"))


def _call_title(call: Call) -> str:
    if call.direction == "inbound":
        return f"Rings {number(call.to)}"
    return f"Call from {number(call.from_)}"


def _length(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{whole} s"


def _chips(entry: Entry) -> list[Chip]:
    if entry.mail_id is not None:
        return [
            Chip(
                name=name,
                href=f"/sandbox/mail/{entry.mail_id}/{index}",
                is_calendar=name.endswith(".ics"),
            )
            for index, name in enumerate(entry.attachments)
        ]
    links = [*entry.attachments, *(link for link in LINK.findall(entry.text) if _is_ics(link))]
    return [
        Chip(
            name="Calendar entry" if _is_ics(link) else "Attachment",
            href=link,
            is_calendar=_is_ics(link),
        )
        for link in dict.fromkeys(links)
    ]


def _is_ics(link: str) -> bool:
    return urlsplit(link).path.endswith(".ics")
