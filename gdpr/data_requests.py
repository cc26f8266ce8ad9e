"""Data subject requests from their coming in to their answer.

Each is answered by a job within seconds; the law gives a month (`due_on`). What a request costs the
patient's data is `erasure`'s, what it finds is `access_export`'s.
"""

import json
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from gdpr import access_export, erasure
from gdpr.models import DataRequest, RequestStatus, RequestType
from patients.due import add_months
from patients.models import Patient
from practices import journal
from practices.journal import Actor
from practices.models import Practice
from recall.calling_hours import is_bank_holiday
from sightsync.lib import clock, jobs
from sightsync.lib.errors import AppError

EXPORT_LIFE = timedelta(days=7)
"""How long an export can be downloaded; a new request makes a new one."""
STUCK_AFTER = timedelta(minutes=5)
JOB = "gdpr.tasks.answer_request"


def submit(*, practice: Practice, patient: Patient, kind: str, actor: Actor) -> DataRequest:
    """Take a request in and wake the job that answers it. While one of the same kind is being
    answered for the patient, that is the one.
    """
    now = clock.now()
    today = clock.london(now).date()
    try:
        with transaction.atomic():
            request = DataRequest.objects.create(
                practice=practice,
                patient=patient,
                type=RequestType(kind),
                submitted_at=now,
                due_on=last_day(received=today, nation=practice.nation),
                actor_kind=actor.kind,
                actor_id=actor.id,
            )
            _journal(request, "data_request.submitted", actor)
            jobs.enqueue(JOB, str(request.pk))
            return request
    except IntegrityError:
        return DataRequest.objects.get(patient=patient, type=kind, status=RequestStatus.PROCESSING)


def last_day(*, received: date, nation: str) -> date:
    """When an answer is due: the same day of the next month, the month's last where it has no such
    day, and the next working day where that is none. The day of receipt counts, working day or not.

    https://ico.org.uk, "How long do we have to comply?" (UK GDPR article 12(3)).
    """
    day = add_months(received, 1)
    while day.weekday() >= 5 or is_bank_holiday(day, nation):
        day += timedelta(days=1)
    return day


def answer(request_id: UUID) -> bool:
    """Carry the request out; whether this did. Asked twice it does nothing twice."""
    with transaction.atomic():
        asked = _open(request_id).first()
        if asked is None:
            return False
        actor = Actor(asked.actor_kind, asked.actor_id)
        # The patient is locked before the request, as by an erasure that empties old exports.
        changes = _erase(asked, actor) if asked.type == RequestType.ERASURE else _export(asked)
        request = _lock(request_id)
        if request is None:  # another worker was faster
            return False
        _finish(request, RequestStatus.COMPLETED, **changes)
        _journal(request, "data_request.completed", actor)
    return True


def give_up(request_id: UUID, *, code: str) -> None:
    """It failed too often: a person has to look before the law's day."""
    with transaction.atomic():
        request = _lock(request_id)
        if request is not None:
            _finish(request, RequestStatus.FAILED, failure=code)
            _journal(request, "data_request.failed", Actor.system("gdpr"), code=code)


def exported(request: DataRequest) -> dict[str, Any]:
    """What an access request found. Raises AppError: 404 for an erasure, 409 while it is being
    made or when it failed, 410 when its time is over or the patient was erased.
    """
    if request.type != RequestType.ACCESS:
        raise AppError("no_export", "An erasure request has nothing to download.", 404)
    if request.status == RequestStatus.PROCESSING:
        raise AppError("export_not_ready", "The export is still being made: ask again.", 409)
    if request.status == RequestStatus.FAILED:
        raise AppError("request_failed", "The export could not be made.", 409)
    if not may_download(request):
        raise AppError("export_gone", "The export is not kept any more: submit a new request.", 410)
    found: dict[str, Any] = json.loads(request.export)
    return found


def may_download(request: DataRequest) -> bool:
    expires = request.export_expires_at
    return bool(request.export) and expires is not None and expires > clock.now()


def wake_stuck() -> int:
    """Wake the job again for what the queue has lost; how many."""
    old = DataRequest.objects.filter(
        status=RequestStatus.PROCESSING, submitted_at__lte=clock.now() - STUCK_AFTER
    )
    keys = list(old.values_list("pk", flat=True))
    for key in keys:
        jobs.enqueue(JOB, str(key))
    return len(keys)


def forget_exports() -> int:
    """Empty the exports whose time is over; how many."""
    return (
        DataRequest.objects.filter(export_expires_at__lte=clock.now())
        .exclude(export="")
        .update(export="")
    )


# --- inside -------------------------------------------------------------------------------------


def _open(request_id: UUID) -> QuerySet[DataRequest]:
    return DataRequest.objects.filter(
        pk=request_id, status=RequestStatus.PROCESSING
    ).select_related("patient__practice")


def _lock(request_id: UUID) -> DataRequest | None:
    return _open(request_id).select_for_update(of=("self",)).first()


def _erase(request: DataRequest, actor: Actor) -> dict[str, Any]:
    erasure.erase(patient=request.patient, actor=actor)
    return {}


def _export(request: DataRequest) -> dict[str, Any]:
    """Of rows that do not change meanwhile: whoever changes a patient's contacts waits."""
    patient = (
        Patient.objects.select_for_update(no_key=True, of=("self",))
        .select_related("practice")
        .get(pk=request.patient_id)
    )
    return {
        "export": json.dumps(access_export.collect(patient), ensure_ascii=False),
        "export_expires_at": clock.now() + EXPORT_LIFE,
    }


def _finish(request: DataRequest, status: RequestStatus, **changes: Any) -> None:
    changes |= {"status": status, "completed_at": clock.now()}
    for name, value in changes.items():
        setattr(request, name, value)
    request.save(update_fields=list(changes))


def _journal(request: DataRequest, action: str, actor: Actor, **facts: str) -> None:
    journal.record(
        practice=request.practice_id,
        action=action,
        actor=actor,
        patient=request.patient_id,
        subject=request,
        facts={"type": str(request.type), **facts},
    )
