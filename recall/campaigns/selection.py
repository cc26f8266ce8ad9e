"""Which patients a choice picks, in one query.

Decides who is wanted, never who may be contacted: that is eligibility's.
"""

from datetime import date, datetime, time, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta
from django.db.models import Case, Exists, IntegerField, OuterRef, Q, QuerySet, Value, When

from patients.models import Patient
from practices.models import Practice
from recall.campaigns.choice import MAX_PATIENTS, Choice, Group
from recall.campaigns.reading import words
from recall.models import Appointment, Attempt, Channel
from recall.models.appointments import LIVE_APPOINTMENT
from recall.priority import RISK_ORDER
from sightsync.lib import clock

__all__ = ["MAX_PATIENTS", "Choice", "Group", "patients", "words"]


def patients(*, practice: Practice, choice: Choice) -> QuerySet[Patient]:
    """The chosen patients, riskiest and most overdue first, at most `choice.limit` of them.

    Days are London's: "since 1 November" begins at midnight there, whatever UTC says.
    """
    rows = Patient.objects.filter(
        practice=practice, archived_at=None, deceased_at=None, erased_at=None
    )
    if choice.only:
        rows = rows.filter(pk__in=choice.only)
    else:
        wanted = Q()
        for group in choice.groups:
            wanted |= _true_of(group)
        rows = rows.filter(wanted, next_clinical_due_date__lte=clock.today())
        for group in choice.leaving_out:
            rows = rows.exclude(_true_of(group))
    return rows.annotate(risk_rank=_risk_rank()).order_by(
        "risk_rank", "next_clinical_due_date", "pk"
    )[: choice.limit]


def _true_of(group: Group) -> Q:
    """The group as a condition. One that says nothing is true of everybody."""
    parts = [_overdue(group), _age(group), _tested(group), *_contacts(group)]
    if group.risks:
        parts.append(Q(risk_category__in=group.risks))
    if group.has_appointment is not None:
        parts.append(Q(_appointment_ahead()) if group.has_appointment else ~Q(_appointment_ahead()))
    # Explicit, so that an empty condition never swallows the others in an "or".
    everybody = Q(pk__isnull=False)
    for part in parts:
        everybody &= part
    return everybody


def _overdue(group: Group) -> Q:
    today, condition = clock.today(), Q()
    if group.overdue_months or group.overdue_days:
        latest = _before(today, group.overdue_months, group.overdue_days)
        condition &= Q(next_clinical_due_date__lte=latest)
    if group.overdue_below_months or group.overdue_below_days:
        edge = _before(today, group.overdue_below_months, group.overdue_below_days)
        condition &= Q(next_clinical_due_date__gt=edge)
    return condition


def _before(today: date, months: int, days: int) -> date:
    return today - relativedelta(months=months) - timedelta(days=days)


def _age(group: Group) -> Q:
    today, condition = clock.today(), Q()
    if group.age_from is not None:
        condition &= Q(date_of_birth__lte=today - relativedelta(years=group.age_from))
    if group.age_to is not None:
        condition &= Q(date_of_birth__gt=today - relativedelta(years=group.age_to + 1))
    return condition


def _tested(group: Group) -> Q:
    condition = Q(last_eye_test_date=None) if group.never_tested else Q()
    if group.tested_from:
        condition &= Q(last_eye_test_date__gte=group.tested_from)
    if group.tested_to:
        condition &= Q(last_eye_test_date__lte=group.tested_to)
    return condition


def _contacts(group: Group) -> list[Q]:
    calls, all_contacts = {"channel": Channel.VOICE}, dict[str, Any]()
    found = []
    for word, kind in (("called", calls), ("contacted", all_contacts)):
        days = getattr(group, f"not_{word}_days")
        if days:
            found.append(~Q(_submitted(_days_ago(days), kind)))
        if since := getattr(group, f"not_{word}_since"):
            found.append(~Q(_submitted(_midnight(since), kind)))
        if since := getattr(group, f"{word}_since"):
            found.append(Q(_submitted(_midnight(since), kind)))
        if getattr(group, f"never_{word}"):
            found.append(~Q(_submitted(None, kind)))
    return found


def _submitted(since: datetime | None, kind: dict[str, Any]) -> Exists:
    """Whether the patient was contacted so since then; ever, without a time."""
    rows = Attempt.objects.filter(
        patient=OuterRef("pk"), practice=OuterRef("practice"), submitted_at__isnull=False, **kind
    )
    return Exists(rows.filter(submitted_at__gte=since) if since else rows)


def _midnight(day: date) -> datetime:
    return clock.at_london(day, time.min)


def _days_ago(days: int) -> datetime:
    """The same time on a London clock, so many days ago."""
    local = clock.london(clock.now())
    return clock.at_london(local.date() - timedelta(days=days), local.time())


def _appointment_ahead() -> Exists:
    return Exists(
        Appointment.objects.filter(
            patient=OuterRef("pk"),
            practice=OuterRef("practice"),
            status__in=LIVE_APPOINTMENT,
            starts_at__gt=clock.now(),
        )
    )


def _risk_rank() -> Case:
    return Case(
        *(When(risk_category=risk, then=Value(rank)) for rank, risk in enumerate(RISK_ORDER)),
        default=Value(len(RISK_ORDER)),
        output_field=IntegerField(),
    )
