"""A patient's history for people: the journal's entries in words, calls with what was said.

Reads only, in a fixed number of queries. An entry that nobody needs to see is left out by name,
never by accident: an action this module does not know is shown under its own name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, Q

from integrations.models import Kind
from patients.models import Patient
from practices.models import JournalEntry, User
from practices.templatetags.ui import day_time, duration
from recall import wording
from recall.models import Attempt, CallTurn, Channel, TaskKind

SHOWN = 60


@dataclass(frozen=True, slots=True)
class Event:
    """One line: when, what, by whom, and the call it belongs to if it was one."""

    at: datetime
    text: str
    tone: str = ""
    by: str = ""
    attempt: Attempt | None = None
    turns: tuple[CallTurn, ...] = field(default=())


def of_patient(patient: Patient) -> list[Event]:
    """Newest first: attempts from their own rows, everything else from the journal."""
    attempts = Attempt.objects.filter(patient=patient).exclude(state="planned")
    attempts = attempts.prefetch_related(Prefetch("turns", CallTurn.objects.order_by("number")))
    events = [_of_attempt(row) for row in attempts.order_by("-created_at")[:SHOWN]]
    entries = JournalEntry.objects.filter(practice=patient.practice_id, patient_id=patient.pk)
    rows = list(entries.exclude(SAID_BY_ATTEMPTS).order_by("-id")[:SHOWN])
    names = _names(rows)
    events += [_of_entry(row, names) for row in rows]
    return sorted(events, key=lambda event: event.at, reverse=True)[:SHOWN]


def _of_attempt(attempt: Attempt) -> Event:
    status = wording.attempt_status(attempt)
    if attempt.channel == Channel.VOICE:
        text = CALL_OUTCOMES.get(attempt.outcome) or f"Call: {status.word.lower()}"
        if attempt.duration_seconds and attempt.answered_at:
            text += f", {duration(attempt.duration_seconds)}"
    else:
        kind = MESSAGE_KINDS.get((attempt.channel, attempt.purpose), attempt.get_channel_display())
        text = f"{kind}: {status.word.lower()}"
    telling = ("green", "amber", "red") if attempt.channel == Channel.VOICE else ("red",)
    return Event(
        at=attempt.submitted_at or attempt.created_at,
        text=text,
        tone=status.tone if status.tone in telling else "",
        attempt=attempt,
        turns=tuple(attempt.turns.all()),
    )


def _names(rows: list[JournalEntry]) -> Mapping[str, str]:
    keys = {UUID(row.actor_id) for row in rows if row.actor_kind == "user" and row.actor_id}
    return {str(user.pk): str(user) for user in User.objects.filter(pk__in=keys)}


def _of_entry(entry: JournalEntry, names: Mapping[str, str]) -> Event:
    say = ENTRIES.get(entry.action)
    text = (
        say(entry.facts) if say else entry.action.replace(".", ": ").replace("_", " ").capitalize()
    )
    by = names.get(entry.actor_id, ACTORS.get(entry.actor_kind, ""))
    return Event(at=entry.at, text=text, tone=TONES.get(entry.action, "quiet"), by=by)


def _moment(facts: Mapping[str, Any]) -> str:
    raw = facts.get("starts_at")
    return f" for {day_time(datetime.fromisoformat(raw))}" if isinstance(raw, str) else ""


def _fixed(text: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda facts: text


def _changed(facts: Mapping[str, Any]) -> str:
    fields = facts.get("fields") or facts.get("changed") or []
    if not isinstance(fields, list) or not fields:
        return "Record changed"
    return "Record changed: " + ", ".join(str(name).replace("_", " ") for name in fields[:6])


def _opted_out(facts: Mapping[str, Any]) -> str:
    channel = facts.get("channel")
    names = {"voice": "calls", "whatsapp": "WhatsApp", "sms": "text messages", "email": "email"}
    return f"Opted out of {names.get(str(channel), 'all contact')}"


ENTRIES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "patient.created": _fixed("Record added"),
    "patient.updated": _changed,
    "patient.archived": _fixed("Record archived"),
    "patient.removed": _fixed("Record removed again: the import was undone"),
    "patient.deceased": _fixed("Reported deceased"),
    "optout.recorded": _opted_out,
    "optout.withdrawn": _fixed("Contact allowed again"),
    "recall.opened": _fixed("Recall opened: the eye examination is due"),
    "recall.closed": lambda facts: f"Recall closed: {_ending(facts)}",
    "appointment.booked": lambda facts: f"Booked{_moment(facts)}",
    "appointment.moved": lambda facts: f"Appointment moved, now{_moment(facts)[4:]}",
    "appointment.confirmed": _fixed("Appointment confirmed"),
    "appointment.cancelled": lambda facts: f"Appointment cancelled{_moment(facts)}",
    "appointment.attended": _fixed("Came to the appointment"),
    "appointment.no_show": _fixed("Did not come to the appointment"),
    "appointment.written": lambda facts: _in_system(facts),
    "appointment.write_failed": lambda facts: f"Not in {_system(facts)} as it should be",
    "appointment.write_again": _fixed("Asked to write the appointment again"),
    "recall.needs_staff": _fixed("Handed to you: nothing more goes out by machine"),
    "task.opened": lambda facts: f"Put before you: {_task(facts)}",
    "task.finished": lambda facts: f"Dealt with: {_task(facts)}",
    "message.received": _fixed("Sent a message"),
    "patient.postponed": _fixed("Asked to be contacted later"),
    "patient.phone_wrong": _fixed("The number was reported wrong"),
    "patient.phone_confirmed": _fixed("The number was confirmed as right"),
    "patient.email_bounced": _fixed("The email address does not exist"),
    "patient.not_deceased": _fixed("Not deceased: the mark was taken back"),
    "patient.restored": _fixed("Record taken up again"),
}

TONES = {
    "appointment.write_failed": "red",
    "optout.recorded": "",
    "appointment.booked": "green",
    "appointment.attended": "green",
    "appointment.no_show": "amber",
    "patient.deceased": "amber",
    "patient.phone_wrong": "amber",
    "recall.needs_staff": "amber",
}

ACTORS = {
    "patient": "the patient",
    "system": "",
    "operator": "SightSync",
    "api_key": "another system",
}

# The attempt's own row says these better.
SAID_BY_ATTEMPTS = (
    Q(action__startswith="attempt.")
    | Q(action__startswith="call.")
    | (Q(action__startswith="message.") & ~Q(action="message.received"))
)

CALL_OUTCOMES = {
    "booked": "Answered the call and booked",
    "declined": "Answered the call and declined",
    "opted_out": "Asked on the call not to be contacted again",
    "wrong_person": "Somebody else answered the call",
    "deceased": "Whoever answered said the patient has died",
    "call_back": "Asked to be rung back",
    "needs_staff": "Asked on the call for a person",
    "symptoms": "Mentioned symptoms on the call",
    "answered": "Answered the call, no decision",
    "hung_up": "Hung up",
    "voicemail": "Call reached voicemail",
    "no_answer": "Call not answered",
    "busy": "The line was busy",
}

MESSAGE_KINDS = {
    ("sms", "confirmation"): "Booking confirmation by SMS",
    ("sms", "reminder"): "Reminder by SMS",
    ("sms", "cancellation"): "Cancellation notice by SMS",
    ("whatsapp", "recall"): "WhatsApp with a booking link",
    ("email", "recall"): "Email with a booking link",
    ("sms", "recall"): "SMS with a booking link",
    ("email", "confirmation"): "Booking confirmation by email",
}


def _system(facts: Mapping[str, Any]) -> str:
    kind = str(facts.get("system", ""))
    return Kind(kind).label if kind in Kind.values else "your system"


def _in_system(facts: Mapping[str, Any]) -> str:
    """What happened there, by the version that stands there now; 0 is none."""
    said = {0: "Taken out of", 1: "Written into"}.get(facts.get("version", 1))
    return f"{said or 'New time written into'} {_system(facts)}"


def _ending(facts: Mapping[str, Any]) -> str:
    state = str(facts.get("state", facts.get("to", "")))
    return wording.EPISODES[state].word.lower() if state in wording.EPISODES else "ended"


def _task(facts: Mapping[str, Any]) -> str:
    kind = str(facts.get("kind", ""))
    return TaskKind(kind).label.lower() if kind in TaskKind.values else "a task"
