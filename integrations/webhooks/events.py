"""The catalogue of events, and the body that a receiver gets of each.

An event is a sealed journal entry whose action is in the catalogue. Its `data` is thin: ids, codes
and times from the entry. An endpoint may ask for the object itself; higher floors say what that is
by `register`, since this one knows neither patients nor calls.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from django.apps import apps
from ulid import ULID

from practices.models import JournalEntry
from sightsync.lib import ids
from sightsync.lib.api import render
from sightsync.lib.errors import AppError

PREFIX = "evt"
ALL = "*"
TEST = "webhook.test"
"""Sent on request only; no endpoint subscribes to it."""

DOCUMENTED: Mapping[str, str] = {
    "call.completed": "A call ended.",
    "call.failed": "A call could not be placed, or nobody answered.",
    "appointment.booked": "An appointment was booked.",
    "appointment.confirmed": "The patient confirmed an appointment.",
    "appointment.cancelled": "An appointment was cancelled.",
    "appointment.no_show": "The patient did not come.",
    "patient.created": "A patient's record was added.",
    "patient.updated": "A patient's record was changed.",
    "patient.deleted": "A patient's personal data was erased.",
}
FURTHER: Mapping[str, str] = {
    "appointment.moved": "An appointment has another time.",
    "appointment.attended": "The patient came.",
    "appointment.written": "A connected calendar or PMS has the appointment as it is now.",
    "appointment.write_failed": "A connected calendar or PMS refused the appointment.",
    "call.outcome": "Something was agreed during a call that goes on.",
    "message.sent": "A text, WhatsApp or email left.",
    "message.delivered": "A text, WhatsApp or email arrived.",
    "message.read": "A WhatsApp was read.",
    "message.failed": "A text, WhatsApp or email could not be delivered.",
    "message.received": "A patient wrote back.",
    "optout.recorded": "Somebody asked not to be contacted.",
    "optout.withdrawn": "Somebody may be contacted again.",
    "patient.archived": "A record was put away.",
    "patient.restored": "A record was taken up again.",
    "patient.deceased": "A patient was recorded as deceased.",
    "patient.not_deceased": "That record was a mistake.",
    "patient.phone_wrong": "The number is somebody else's.",
    "patient.phone_confirmed": "The patient was reached at the number.",
    "patient.email_bounced": "The email address does not exist.",
    "recall.opened": "A recall was opened.",
    "recall.needs_staff": "A recall waits for a person.",
    "recall.closed": "A recall ended.",
    "campaign.started": "A campaign was started.",
    "campaign.paused": "A campaign was paused.",
    "campaign.resumed": "A campaign goes on.",
    "campaign.stopped": "A campaign was stopped.",
    "campaign.finished": "A campaign has no open recall left.",
    "task.opened": "Something waits for the staff.",
    "task.finished": "The staff have dealt with it.",
    "import.completed": "A file was imported.",
    "sync.completed": "The practice's system was read to the end.",
    "sync.failed": "The practice's system could not be read.",
    "data_request.submitted": "A data subject request came in.",
    "data_request.completed": "A data subject request was met.",
    "data_request.failed": "A data subject request could not be met.",
    "contact.stopped": "All contact was stopped.",
    "contact.resumed": "Contact goes on.",
}
CATALOGUE: Mapping[str, str] = {**DOCUMENTED, **FURTHER}
"""By name, what happened. A journal action that is not here is nobody else's business."""

_NOUNS: Mapping[str, str] = {
    "attempt": "call",
    "episode": "recall",
    "stafftask": "task",
    "datarequest": "data_request",
    "importrun": "import",
    "syncrun": "sync",
}
_HEALTH: Mapping[str, str] = {"symptoms": "needs_staff"}
"""Codes that say something of somebody's health, and what leaves in their place."""
_UTC_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?\+00:00")

Expander = Callable[[UUID, UUID], Mapping[str, Any] | None]
_expanders: dict[str, Expander] = {}


def register(subject_type: str, expander: Expander) -> None:
    """Say what the full object of a subject is: `expander(practice id, subject id)` gives what the
    public API would answer, or None. `subject_type` is the model's name in lower case; "patient"
    also serves events that have a patient and no other subject. From an AppConfig's `ready`.
    """
    _expanders[subject_type] = expander


def of_action(action: str) -> str:
    """The event's name, or blank when the action is not for others."""
    return action if action in CATALOGUE else ""


def check(wanted: Iterable[str]) -> list[str]:
    """Each event once, in the order given, or just `*`. Raises AppError 400 with all there are."""
    asked = list(dict.fromkeys(wanted))
    unknown = [name for name in asked if name not in CATALOGUE and name != ALL]
    if unknown or not asked:
        said = (
            f"There is no event {unknown[0][:48]!r}. " if unknown else "Name at least one event. "
        )
        sentence = f"{said}The events are: * for all, {', '.join(CATALOGUE)}."
        raise AppError(
            "unknown_event", sentence, errors={"events": [sentence]}, known_events=[ALL, *CATALOGUE]
        )
    return [ALL] if ALL in asked else asked


def wants(subscribed: Iterable[str], event_type: str) -> bool:
    names = set(subscribed)
    return event_type == TEST or ALL in names or event_type in names


def event_id(entry: JournalEntry) -> UUID:
    """The same for every endpoint, every try and every reader of the journal: the entry's time and
    80 bits of a hash over its seal, which no two entries share. Of sealed entries only.
    """
    assert entry.hash is not None and entry.sequence is not None
    content = f"{entry.practice_id}:{entry.sequence}:".encode() + bytes(entry.hash)
    milliseconds = max(0, int(entry.at.timestamp() * 1000))
    tail = hashlib.sha256(b"event\0" + content).digest()[:10]
    return ULID(milliseconds.to_bytes(6, "big") + tail).to_uuid()


def public_id(key: UUID) -> str:
    return ids.encode(PREFIX, key)


def thin(entry: JournalEntry) -> dict[str, Any]:
    """Ids, codes and times: nothing of who somebody is, nothing about their health."""
    data = {name: _plain(value) for name, value in entry.facts.items()}
    data |= _subject(entry)
    if entry.patient_id is not None:
        data["patient_id"] = ids.encode("pat", entry.patient_id)
    data["actor"] = entry.actor_kind
    return data


def full(entry: JournalEntry) -> Mapping[str, Any] | None:
    """The object that the event is about, as it is now; None when there is none to show."""
    expand = _expanders.get(entry.subject_type) if entry.subject_id else None
    if expand is not None:
        return expand(entry.practice_id, UUID(entry.subject_id))
    expand = _expanders.get("patient")
    if expand is None or entry.patient_id is None or entry.subject_id:
        return None
    return expand(entry.practice_id, entry.patient_id)


def body(
    *, key: UUID, event_type: str, created_at: Any, data: Mapping[str, Any]
) -> dict[str, object]:
    """What every delivery is: `{"id", "type", "created_at", "data"}`."""
    return {
        "id": public_id(key),
        "type": event_type,
        "created_at": render.instant(created_at),
        "data": data,
    }


def dump(content: Mapping[str, object]) -> bytes:
    """The very bytes that are signed and sent."""
    return orjson.dumps(content, default=str, option=orjson.OPT_UTC_Z)


def _subject(entry: JournalEntry) -> dict[str, str]:
    """`{"call_id": "c_01H..."}`; nothing for a subject that has no public id."""
    prefix = _prefixes().get(entry.subject_type)
    if prefix is None:
        return {}
    noun = _NOUNS.get(entry.subject_type, entry.subject_type)
    if entry.subject_type == "attempt" and entry.facts.get("channel", "voice") != "voice":
        noun = "message"
    return {f"{noun}_id": ids.encode(prefix, UUID(entry.subject_id))}


@cache
def _prefixes() -> dict[str, str]:
    """The prefix of public ids by the name that the journal gives a model."""
    return {
        str(model._meta.model_name): str(model.PREFIX)
        for model in apps.get_models()
        if hasattr(model, "PREFIX")
    }


def _plain(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    found = _UTC_INSTANT.fullmatch(value)
    return f"{found[1]}Z" if found else _HEALTH.get(value, value)
