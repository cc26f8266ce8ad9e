"""How the API words what the rules say: the documented error bodies, and the short reasons of a
batch. It decides nothing.
"""

import math
from datetime import datetime

from patients.models import Patient
from practices import plans, quota
from practices.models import Practice
from recall import wording
from recall.calling_hours import CALLS, Window
from recall.models import Attempt, Channel
from recall.models.attempts import LIVE_STATES
from sightsync.lib import clock
from sightsync.lib.errors import AppError

NO_PATIENT = "patient_not_found"
HOURS = "Calls permitted Mon–Fri 9am–6pm UK time only"
_ERRORS = {
    "tps_listed": (
        "Patient number is registered on the TPS/CTPS — call blocked per PECR regulations"
    ),
    "quota_used_up": "Monthly call limit reached",
    "calling_hours": "Outside permitted calling hours",
}
_REASONS = {
    "tps_listed": "TPS registered",
    "opted_out": "Opted out",
    "calling_hours": "Outside permitted calling hours",
    "quota_used_up": "Monthly call limit reached",
    NO_PATIENT: "Patient not found",
    "duplicate": "Listed twice in this request",
    "same_number": "Another patient in this request has the same number",
}


def reason(code: str) -> str:
    """Why a patient was skipped, in a few words."""
    return _REASONS.get(code) or wording.rule_words(code, passed=False)


def skipped(
    patient_id: str, code: str, next_allowed_at: datetime | None = None
) -> dict[str, object]:
    """One row of `skipped`."""
    return {
        "patient_id": patient_id,
        "reason": reason(code),
        "code": code,
        "next_allowed_at": next_allowed_at,
    }


def documented(error: AppError, *, practice: Practice, patient: Patient) -> AppError:
    """The refusal of one call as documented: `reason` is a sentence, `code` the rule's code."""
    code, extra = error.code, dict(error.extra)
    if extra.get("reason") == code:
        extra["reason"] = error.message
    if extra.get("next_allowed_at") is None:
        extra.pop("next_allowed_at", None)
    if code == "calling_hours" and _rings_all_week(practice, error.message):
        extra["reason"] = HOURS
    if code == "quota_used_up":
        extra["calls_used"] = quota.used(practice_id=practice.pk, month=quota.month_of(clock.now()))
        extra["monthly_limit"] = plans.monthly_limit(practice.plan)
    if code == "call_under_way":
        extra.setdefault("call_id", _call_under_way(practice, patient))
    if error.status in (425, 429):
        extra["headers"] = _retry_after(extra.get("next_allowed_at"))
    return AppError(code, _ERRORS.get(code, error.message), error.status, **extra)


def _rings_all_week(practice: Practice, evidence: str) -> bool:
    """Whether the law's window is the practice's too, and no holiday or closure is the cause."""
    own = Window(
        practice.calling_from, practice.calling_until, frozenset(practice.calling_weekdays)
    )
    return own.narrowed_to(CALLS) == CALLS and "wait" not in evidence


def _call_under_way(practice: Practice, patient: Patient) -> str | None:
    live = Attempt.objects.filter(practice=practice, channel=Channel.VOICE, state__in=LIVE_STATES)
    row = live.filter(patient=patient).first()
    if row is None and patient.phone_number:
        row = live.filter(destination=patient.phone_number).first()
    return row.public_id if row else None


def _retry_after(moment: object) -> dict[str, str]:
    if not isinstance(moment, datetime):
        return {}
    return {"Retry-After": str(max(1, math.ceil((moment - clock.now()).total_seconds())))}
