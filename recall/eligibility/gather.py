"""Reads what the rules look at: a practice's policy, and the facts of one patient or of many in a
fixed number of queries. It decides nothing.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from patients import tps
from patients.models import Patient
from practices import plans, quota
from practices.models import Mode, MonthlyUsage, Practice
from recall.calling_hours import Window
from recall.eligibility import sql
from recall.eligibility.evaluate import ManyPatients, Verdict, evaluate
from recall.eligibility.facts import CAP_WINDOW, SPACING, Facts, Policy, Row, facts_of
from recall.models import Channel, Closure, Purpose
from sightsync.lib.clock import LONDON, at_london

# Rows fetched at a time from the server's cursor: memory stays flat however long the list is.
BATCH = 2000

# Up to here looking up each patient by index beats reading the practice's calls once.
FEW = 200


def policy_of(practice: Practice, now: datetime, *, require_due: bool = False) -> Policy:
    """The practice's side, in three queries."""
    return policies_of([practice], now, require_due=require_due)[practice.pk]


def policies_of(
    practices: Iterable[Practice], now: datetime, *, require_due: bool = False
) -> dict[UUID, Policy]:
    """The side of each practice, in three queries for all."""
    listed = list(practices)
    keys = [practice.pk for practice in listed]
    month = quota.month_of(now)
    used = dict(
        MonthlyUsage.objects.filter(practice_id__in=keys, month=month).values_list(
            "practice_id", "calls_used"
        )
    )
    closures = _closures(keys, now)
    register = tps.state(now)
    resets = at_london(quota.next_month(month), datetime.min.time())
    return {
        practice.pk: Policy(
            subscription_status=practice.subscription_status,
            contact_stopped=practice.contact_stopped_at is not None,
            live=practice.mode == Mode.LIVE,
            nation=practice.nation,
            window=Window(
                practice.calling_from,
                practice.calling_until,
                frozenset(practice.calling_weekdays),
            ),
            bank_holidays_closed=not practice.rings_on_bank_holidays,
            closures=closures.get(practice.pk, frozenset()),
            channels_on=_channels_on(practice),
            calls_limit=plans.monthly_limit(practice.plan),
            calls_used=used.get(practice.pk, 0),
            quota_resets_at=resets,
            register_date=register.register_date,
            register_being_applied=register.status is tps.Status.BEING_APPLIED,
            require_due=require_due,
        )
        for practice in listed
    }


def _channels_on(practice: Practice) -> frozenset[Channel]:
    off = set()
    if not practice.whatsapp_enabled:
        off.add(Channel.WHATSAPP)
    if not practice.email_enabled:
        off.add(Channel.EMAIL)
    return frozenset(set(Channel) - off)


def _closures(practices: Collection[UUID], now: datetime) -> dict[UUID, frozenset[date]]:
    """The days from today on which a whole practice is closed; a year ahead is enough."""
    today = now.astimezone(LONDON).date()
    last = today + timedelta(days=400)
    rows = Closure.objects.filter(
        practice_id__in=practices, diary=None, last_day__gte=today, first_day__lte=last
    ).values_list("practice_id", "first_day", "last_day")
    found: dict[UUID, set[date]] = {}
    for practice_id, first, end in rows:
        days = (min(end, last) - max(first, today)).days + 1
        start = max(first, today)
        found.setdefault(practice_id, set()).update(
            start + timedelta(days=number) for number in range(days)
        )
    return {practice_id: frozenset(days) for practice_id, days in found.items()}


def facts_of_patient(patient: Patient, now: datetime, *, leaving_out: UUID | None = None) -> Facts:
    """One patient's facts from fresh rows, the register looked up live: one query and the
    look-up's.

    `leaving_out` is the attempt on whose behalf it is asked: it must not stand in its own way.
    Raises Patient.DoesNotExist when the row is gone.
    """
    params = parameters([patient.practice_id], now, leaving_out)
    with connection.cursor() as cursor:
        cursor.execute(sql.ROW_OF_ONE, {**params, "patient": patient.pk})
        found = cursor.fetchone()
    if found is None:
        raise Patient.DoesNotExist
    *row, number = found
    facts = facts_of(Row(*row), now, now.astimezone(LONDON).date())
    return replace(facts, tps_listing=tps.lookup_one(number)) if number else facts


def verdict(
    *,
    practice: Practice,
    patient: Patient,
    channel: Channel,
    now: datetime,
    purpose: Purpose = Purpose.RECALL,
    require_due: bool = False,
    leaving_out: UUID | None = None,
) -> Verdict:
    """The whole question for one patient, from fresh rows but for the practice's own."""
    return evaluate(
        facts_of_patient(patient, now, leaving_out=leaving_out),
        policy_of(practice, now, require_due=require_due),
        now,
        channel,
        purpose,
    )


def verdicts(
    *,
    practice: Practice,
    channel: Channel,
    now: datetime,
    patients: Collection[UUID] | None = None,
    require_due: bool = False,
) -> Iterator[tuple[UUID, Verdict]]:
    """Every patient's verdict, in no order; of the whole practice when `patients` is None.

    A constant number of queries, rows in flat memory. The register's listing is the flag that
    loading it left on the patient. Ids of other practices are not answered.
    """
    many = ManyPatients(policy_of(practice, now, require_due=require_due), now, channel)
    for row in rows(practice_id=practice.pk, now=now, patients=patients):
        yield row.patient_id, many.verdict(row)


def rows(
    *, practice_id: UUID, now: datetime, patients: Collection[UUID] | None = None
) -> Iterator[Row]:
    """The facts of a practice's patients as rows, one query, streamed."""
    params = parameters([practice_id], now)
    if patients is None:
        query = sql.ROWS_OF_PRACTICE
    else:
        params["patients"] = list(patients)
        query = sql.ROWS_OF_FEW if len(patients) <= FEW else sql.ROWS_OF_MANY
    # Held by the server, so that the caller's loop is in no transaction that it did not open.
    with connection.chunked_cursor() as cursor:
        cursor.execute(query, params)
        while batch := cursor.fetchmany(BATCH):
            for found in batch:
                yield Row._make(found)


def parameters(
    practices: list[UUID], now: datetime, leaving_out: UUID | None = None
) -> dict[str, Any]:
    """The bound values that every query of `sql` shares."""
    return {
        "practices": practices,
        "now": now,
        "today": now.astimezone(LONDON).date(),
        "spacing": now - SPACING,
        "window": now - CAP_WINDOW,
        "leaving_out": leaving_out,
    }
