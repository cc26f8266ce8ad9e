"""Erasing a patient's personal data, once and for good: the one function behind DELETE /patients
and erasure requests.

The record, its calls and its appointments stay as anonymous rows, so that counts and the audit
trail hold. The wish not to be contacted outlives everything, as keyed hashes (UK GDPR article 17,
PECR regulation 22).

Appointments ahead are cancelled: nobody could be told about them, and the practice could not know
who comes. The practice's own system hears of it by webhook and by what is connected; events that
were written into its calendars are taken out of them.
"""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from gdpr import carrier, inventory
from patients import matching, opt_out, records
from patients.models import Patient
from practices import idempotency, journal
from practices.journal import Actor
from recall import episodes, staff_tasks
from recall.attempts import claim
from recall.booking import book
from recall.booking.write_back import copies
from recall.models import (
    Appointment,
    Attempt,
    AttemptState,
    Channel,
    EpisodeState,
    PatientLink,
    StaffTask,
)
from recall.models.appointments import LIVE_APPOINTMENT
from recall.models.attempts import LIVE_STATES
from sightsync.lib import clock

REASON = "erased"
LATE = timedelta(days=7)
"""For so long something about an erased patient may still arrive: the end of a call that was under
way, a delayed report."""

_ALSO: dict[str, Any] = {
    # What follows from the details, and what no inventory lists: times, numbers, yes or no.
    "phone_is_drama": False,
    "phone_wrong_at": None,
    "email_bounced_at": None,
    "own_interval_months": None,
    "due_interval_months": None,
    "tps_listing": None,
    "not_before": None,
}


def erase(*, patient: Patient, actor: Actor) -> bool:
    """Erase what is held of the patient; whether this did. A repeat only looks for late arrivals.

    Writes `patient.deleted`. One transaction: either all is erased or nothing.
    """
    with transaction.atomic():
        number, address = Patient.objects.values_list("phone_number", "email").get(pk=patient.pk)
        # Before the patient's lock, as every writer does: nobody adds this number meanwhile.
        records.serialise(patient.practice_id, matching.Person(phone_number=number, email=address))
        locked = (
            Patient.objects.select_for_update(of=("self",))
            .select_related("practice")
            .get(pk=patient.pk)
        )
        if locked.erased_at is not None:
            _forget(locked)
            return False
        opt_out.record_erasure(patient=locked, actor=actor)
        _forget(locked)
        now = clock.now()
        Patient.objects.filter(pk=locked.pk).update(**_ALSO, erased_at=now, updated_at=now)
        locked.refresh_from_db()
        _stop_contact(locked, actor)
        journal.record(
            practice=locked.practice_id, action="patient.deleted", actor=actor, patient=locked.pk
        )
    return True


def erase_late_arrivals() -> int:
    """Forget again what has come in about patients erased lately; how many patients were looked at.

    A call that was under way goes on after the erasure, and what is said in it is written down.
    """
    lately = Patient.objects.filter(erased_at__gte=clock.now() - LATE)
    count = 0
    for key in list(lately.values_list("pk", flat=True)):
        with transaction.atomic():
            locked = Patient.objects.select_for_update(no_key=True).filter(pk=key).first()
            if locked is not None:
                _forget(locked)
                count += 1
    return count


# --- inside -------------------------------------------------------------------------------------


def _forget(patient: Patient) -> None:
    """Empty every field of every inventory that is about the patient; the patient's row last, for
    its number finds some of the others.
    """
    carrier.give_up(Attempt.objects.filter(patient=patient))
    tables = sorted(inventory.personal(), key=lambda table: table.model is Patient)
    for table in tables:
        blank = table.blank()
        if not blank or table.name == "StoredAnswer":
            continue
        rows = table.rows(patient)
        if table.model is Attempt:
            _name_live_calls(patient)
            rows.exclude(_live_call()).update(**blank)
            rows.filter(_live_call()).update(
                **{name: value for name, value in blank.items() if name != "destination"}
            )
        else:
            rows.update(**blank)
    idempotency.forget_patient(patient.pk)


def _live_call() -> Q:
    return Q(channel=Channel.VOICE, state__in=LIVE_STATES)


def _name_live_calls(patient: Patient) -> None:
    """One live call is allowed per number, so each keeps something of its own in its place."""
    for key in Attempt.objects.filter(_live_call(), patient=patient).values_list("pk", flat=True):
        Attempt.objects.filter(pk=key).update(destination=f"erased {key}")


def _stop_contact(patient: Patient, actor: Actor) -> None:
    """Nothing planned is sent, nothing that was sent leads back, nobody is waited for."""
    ahead = Appointment.objects.filter(
        patient=patient, status__in=LIVE_APPOINTMENT, starts_at__gt=clock.now()
    )
    for appointment in ahead.order_by("starts_at"):
        book.cancel(appointment=appointment, actor=actor, source="erasure")
    copies.take_out(patient=patient)
    episodes.close_for(patient=patient, state=EpisodeState.ENDED, reason=REASON, actor=actor)
    waiting = Attempt.objects.filter(
        patient=patient, state__in=[AttemptState.PLANNED, AttemptState.CLAIMED]
    )
    for attempt in waiting.select_related("practice", "patient", "episode").order_by("pk"):
        claim.cancel(attempt, reason=REASON, actor=actor, goes_on=False)
    PatientLink.objects.filter(patient=patient, expires_at__gt=clock.now()).update(
        expires_at=clock.now()
    )
    for task in StaffTask.objects.filter(patient=patient, done_at=None).order_by("pk"):
        staff_tasks.finish(task=task, actor=actor, note_code=REASON)
