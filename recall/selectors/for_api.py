"""What the public API answers about calls and appointments: rows as plain dicts, in a fixed number
of queries, from one practice.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db.models import Model, OuterRef, Q, QuerySet, Subquery

from patients.models import Patient
from practices.models import Practice
from recall import states, wording
from recall.models import Appointment, Attempt, AttemptState, Campaign, Channel, Episode, Outcome
from recall.models.attempts import LIVE_STATES
from recall.selectors.calls import SPOKEN
from sightsync.lib import clock, ids

Row = TypeVar("Row", bound=Model)
_LAST_DAY = date(2999, 12, 31)
_ENDED = Q(state__in=(AttemptState.DONE, AttemptState.FAILED))
_OWN_WORD = (Outcome.BOOKED, Outcome.OPTED_OUT, Outcome.VOICEMAIL)
_NO_ANSWER = (Outcome.NO_ANSWER, Outcome.BUSY)

CALL_STATUSES: Mapping[str, Q] = {
    "queued": Q(state=AttemptState.PLANNED),
    "calling": Q(state__in=LIVE_STATES),
    "answered": _ENDED
    & (Q(outcome__in=SPOKEN - set(_OWN_WORD)) | Q(state=AttemptState.DONE, outcome="")),
    "voicemail": _ENDED & Q(outcome=Outcome.VOICEMAIL),
    "no_answer": _ENDED & Q(outcome__in=_NO_ANSWER),
    "booked": _ENDED & Q(outcome=Outcome.BOOKED),
    "opted_out": _ENDED & Q(outcome=Outcome.OPTED_OUT),
    "failed": Q(state=AttemptState.CANCELLED)
    | (_ENDED & Q(outcome=Outcome.FAILED))
    | Q(state=AttemptState.FAILED, outcome=""),
}
"""The documented statuses, and which attempts have each. Every call has exactly one."""


def call_status(state: str, outcome: str) -> str:
    """The documented status of a call; `CALL_STATUSES` is the same as conditions."""
    if state == AttemptState.PLANNED:
        return "queued"
    if state in LIVE_STATES:
        return "calling"
    if state == AttemptState.CANCELLED or outcome == Outcome.FAILED:
        return "failed"
    if outcome in _OWN_WORD:
        return str(outcome)
    if outcome in _NO_ANSWER:
        return "no_answer"
    return "failed" if state == AttemptState.FAILED and not outcome else "answered"


def page(rows: QuerySet[Row], offset: int, limit: int) -> QuerySet[Row]:
    """That part of ordered rows: the keys are chosen on an index, and only their rows are read."""
    keys = rows.values("pk")[offset : offset + limit]
    return rows.model._default_manager.filter(pk__in=keys).order_by(*rows.query.order_by)


def start_of(day: date) -> datetime:
    return clock.at_london(day, time())


def end_of(day: date) -> datetime:
    """The instant after the London day; a far day is brought nearer, for no row is there."""
    return clock.at_london(min(day, _LAST_DAY) + timedelta(days=1), time())


# --- calls --------------------------------------------------------------------------------------

_CALL = (
    "id",
    "patient_id",
    "campaign_id",
    "state",
    "outcome",
    "reason",
    "duration_seconds",
    "summary",
    "recording",
    "dialogue__recording_declined",
    "extended",
    "created_at",
    "submitted_at",
    "answered_at",
    "ended_at",
    "patient__first_name",
    "patient__last_name",
    "booked_as",
    "booked_at",
)


def calls(
    practice: Practice,
    *,
    status: str = "",
    patient_id: UUID | None = None,
    first: date | None = None,
    last: date | None = None,
) -> QuerySet[Attempt]:
    """The calls that were asked for on the London days first..last, newest first."""
    rows = Attempt.objects.filter(practice=practice, channel=Channel.VOICE)
    if status:
        rows = rows.filter(CALL_STATUSES[status])
    if patient_id is not None:
        rows = rows.filter(patient=patient_id)
    if first is not None:
        rows = rows.filter(created_at__gte=start_of(first))
    if last is not None:
        rows = rows.filter(created_at__lt=end_of(last))
    return rows.order_by("-created_at", "-pk")


def call_rows(rows: QuerySet[Attempt]) -> list[dict[str, Any]]:
    """These calls as the API answers them, in one query."""
    booked = Appointment.objects.filter(attempt=OuterRef("pk")).order_by("created_at")
    found = rows.annotate(
        booked_as=Subquery(booked.values("pk")[:1]),
        booked_at=Subquery(booked.values("created_at")[:1]),
    )
    return [_call(row) for row in found.values(*_CALL)]


def call(practice: Practice, key: UUID) -> dict[str, Any] | None:
    return next(iter(call_rows(calls(practice).filter(pk=key))), None)


def _call(row: dict[str, Any]) -> dict[str, Any]:
    booked = row["outcome"] == Outcome.BOOKED or row["booked_at"] is not None
    return {
        "id": ids.encode(Attempt.PREFIX, row["id"]),
        "patient_id": ids.encode(Patient.PREFIX, row["patient_id"]),
        "call_status": call_status(row["state"], row["outcome"]),
        "duration": row["duration_seconds"],
        "appointment_booked": booked,
        "appointment_booked_at": row["booked_at"],
        "ai_summary": row["summary"] or None,
        "call_outcome_notes": _notes(row["state"], row["outcome"], row["reason"]),
        "recording_url": recording_url(row["id"]) if _may_be_heard(row) else None,
        "is_complete": row["state"] in states.TERMINAL,
        "created_at": row["created_at"],
        "patient": {
            "first_name": row["patient__first_name"],
            "last_name": row["patient__last_name"],
        },
        "outcome": row["outcome"] or None,
        "reason": row["reason"] or None,
        "started_at": row["submitted_at"],
        "answered_at": row["answered_at"],
        "ended_at": row["ended_at"],
        "appointment_id": _id(Appointment.PREFIX, row["booked_as"]),
        "campaign_id": _id(Campaign.PREFIX, row["campaign_id"]),
        "extended": row["extended"],
    }


def recording_url(key: UUID) -> str:
    """Where the recording is; it opens with an API key only, for people speak of their health."""
    call_id = ids.encode(Attempt.PREFIX, key)
    return f"{settings.PUBLIC_BASE_URL}/api/v1/calls/{call_id}/recording"


def _may_be_heard(row: dict[str, Any]) -> bool:
    return bool(row["recording"]) and not row["dialogue__recording_declined"]


def _notes(state: str, outcome: str, reason: str) -> str | None:
    """What the status leaves unsaid, in words: why it failed, or what was said."""
    if state in (AttemptState.CANCELLED, AttemptState.FAILED) and reason:
        return wording.rule_words(reason, passed=False)
    if call_status(state, outcome) in ("answered", "no_answer") and outcome != Outcome.NO_ANSWER:
        return wording.OUTCOMES[outcome].word if outcome else None
    return None


def _id(prefix: str, key: UUID | None) -> str | None:
    return ids.encode(prefix, key) if key else None


# --- appointments -------------------------------------------------------------------------------

_APPOINTMENT = (
    "id",
    "patient_id",
    "attempt_id",
    "starts_at",
    "ends_at",
    "has_time",
    "status",
    "source",
    "created_at",
    "cancelled_at",
    "patient__first_name",
    "patient__last_name",
    "patient__phone_number",
    "patient__risk_category",
)


def appointments(
    practice: Practice,
    *,
    status: str = "",
    patient_id: UUID | None = None,
    first: date | None = None,
    last: date | None = None,
) -> QuerySet[Appointment]:
    """Appointments of the London days first..last, earliest first."""
    rows = Appointment.objects.filter(practice=practice)
    if status:
        rows = rows.filter(status=status)
    if patient_id is not None:
        rows = rows.filter(patient=patient_id)
    if first is not None:
        rows = rows.filter(starts_at__gte=start_of(first))
    if last is not None:
        rows = rows.filter(starts_at__lt=end_of(last))
    return rows.order_by("starts_at", "pk")


def appointment_rows(rows: QuerySet[Appointment]) -> list[dict[str, Any]]:
    """These appointments as the API answers them, in one query."""
    return [_appointment(row) for row in rows.values(*_APPOINTMENT)]


def appointment(practice: Practice, key: UUID) -> dict[str, Any] | None:
    return next(iter(appointment_rows(appointments(practice).filter(pk=key))), None)


def _appointment(row: dict[str, Any]) -> dict[str, Any]:
    local = clock.london(row["starts_at"])
    return {
        "id": ids.encode(Appointment.PREFIX, row["id"]),
        "patient_id": ids.encode(Patient.PREFIX, row["patient_id"]),
        "appointment_date": local.date(),
        "appointment_time": f"{local:%H:%M}" if row["has_time"] else None,
        "status": row["status"],
        "patients": {
            "first_name": row["patient__first_name"],
            "last_name": row["patient__last_name"],
            "phone_number": row["patient__phone_number"],
            "risk_category": row["patient__risk_category"],
        },
        "created_at": row["created_at"],
        "starts_at": row["starts_at"] if row["has_time"] else None,
        "ends_at": row["ends_at"] if row["has_time"] else None,
        "source": row["source"],
        "call_id": _id(Attempt.PREFIX, row["attempt_id"]),
        "cancelled_at": row["cancelled_at"],
    }


# --- recalls ------------------------------------------------------------------------------------

_DUE = ("id", "first_name", "last_name", "risk_category", "next_clinical_due_date")


def due_rows(practice: Practice, keys: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Each of these patients with their open recall, in two queries; state and reason are
    `standing`'s.
    """
    open_ones = Episode.objects.filter(practice=practice, patient__in=keys, closed_at=None)
    recalls = {
        row["patient_id"]: row
        for row in open_ones.values("patient_id", "id", "campaign_id", "opened_at", "next_step_at")
    }
    people = Patient.objects.filter(practice=practice, pk__in=keys).values(*_DUE)
    return {row["id"]: _due(row, recalls.get(row["id"], {})) for row in people}


def _due(row: dict[str, Any], recall: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "patient_id": ids.encode(Patient.PREFIX, row["id"]),
        "patient": {"first_name": row["first_name"], "last_name": row["last_name"]},
        "risk_category": row["risk_category"],
        "next_clinical_due_date": row["next_clinical_due_date"],
        "recall_id": _id(Episode.PREFIX, recall.get("id")),
        "campaign_id": _id(Campaign.PREFIX, recall.get("campaign_id")),
        "opened_at": recall.get("opened_at"),
        "next_step_at": recall.get("next_step_at"),
    }
