"""Owns what follows from a change of a patient's details: hashes, the TPS flag, suppression, the
due date. It sets fields on an unsaved or loaded Patient and says which changed; it neither saves
nor journals. One row and a whole import go through the same function.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any

from patients import due, suppressions, tps
from patients.models import Patient
from practices.models import Practice
from sightsync.lib import clock, crypto

SUPPRESSED = "suppression_list"


@dataclass(frozen=True, slots=True)
class Lookups:
    """What the database knows of the numbers and addresses about to be assigned, fetched at
    once.
    """

    listings: Mapping[str, int | None] = field(default_factory=dict)
    suppressed: suppressions.Found = field(default_factory=suppressions.Found)


def look_up(*, practice: Practice, values: Iterable[Mapping[str, Any]]) -> Lookups:
    """The lookups for any number of cleaned values, in a fixed number of queries."""
    numbers, hashes = set(), set()
    for one in values:
        numbers.add(one.get("phone_number", ""))
        hashes.update(
            suppressions.of_person(
                first_name=one.get("first_name", ""),
                last_name=one.get("last_name", ""),
                phone=one.get("phone_number", ""),
                email=one.get("email", ""),
            )
        )
    numbers.discard("")
    return Lookups(
        listings=tps.lookup(numbers),
        suppressed=suppressions.find(practice_id=practice.pk, hashes=hashes),
    )


def look_up_many(*, practice: Practice, numbers: Iterable[str]) -> Lookups | None:
    """As ``look_up``, for a whole chunk of an import: the numbers' listings, and all that the
    practice has suppressed. None where that is much, so that hashes must be asked for.
    """
    suppressed = suppressions.of_practice(practice.pk)
    if suppressed is None:
        return None
    return Lookups(listings=tps.lookup({*numbers} - {""}), suppressed=suppressed)


def assign(
    patient: Patient, values: Mapping[str, Any], *, practice: Practice, lookups: Lookups
) -> set[str]:
    """Set cleaned ``values`` and all that follows from them; the names of the fields that
    changed.
    """
    news = {name: value for name, value in values.items() if getattr(patient, name) != value}
    before = _following(patient)
    for name, value in news.items():
        setattr(patient, name, value)
    _follow(patient, news, lookups)
    if not news.keys().isdisjoint(_DUE_FACTS) or patient._state.adding:
        set_due_date(patient, practice)
    after = zip(_FOLLOWING, before, _following(patient), strict=True)
    return {name for name, old, new in after if old != new}.union(news)


def complete(patient: Patient, *, practice: Practice, lookups: Lookups) -> None:
    """Set all that follows from the values of a patient who has just been made of them."""
    _follow(patient, ("phone_number", "email", "nhs_number"), lookups)
    set_due_date(patient, practice)


def _follow(patient: Patient, news: Container[str], lookups: Lookups) -> None:
    if "phone_number" in news:
        _new_phone(patient, lookups)
    if "email" in news:
        _new_email(patient)
    if lookups.suppressed.channels and ("phone_number" in news or "email" in news):
        _heed_suppression(patient, lookups.suppressed, clock.now())
    if "nhs_number" in news:
        digits = patient.nhs_number
        patient.nhs_number_hash = crypto.keyed_hash("nhs", digits) if digits else None


def set_due_date(patient: Patient, practice: Practice) -> None:
    """Reckon the due date anew from the patient's facts and the practice's intervals."""
    answer = due.due(
        due.Facts(
            risk_category=patient.risk_category,
            known_since=_day_of(patient.created_at),
            last_test=patient.last_eye_test_date,
            date_of_birth=patient.date_of_birth,
            clinician_date=patient.clinician_due_date,
            pms_date=patient.pms_recall_date,
            patient_interval_months=patient.own_interval_months,
            practice_intervals=practice.recall_intervals,
        )
    )
    patient.next_clinical_due_date = answer.on
    patient.due_interval_months = answer.interval_months
    patient.due_source = str(answer.source)
    patient.due_reason = answer.reason_code


@lru_cache(maxsize=512)
def _day_of(moment: datetime) -> date:
    return clock.london(moment).date()


_DUE_FACTS = frozenset(
    {
        "risk_category",
        "last_eye_test_date",
        "date_of_birth",
        "clinician_due_date",
        "pms_recall_date",
        "own_interval_months",
    }
)
_FOLLOWING = (
    "phone_hash",
    "phone_wrong_at",
    "tps_listing",
    "email_hash",
    "email_bounced_at",
    "opted_out_at",
    "opted_out_source",
    "opted_out_channels",
    "nhs_number_hash",
    "next_clinical_due_date",
    "due_interval_months",
    "due_source",
    "due_reason",
)
_following = attrgetter(*_FOLLOWING)


def _new_phone(patient: Patient, lookups: Lookups) -> None:
    number = patient.phone_number
    patient.phone_hash = suppressions.phone_hash(number) if number else None
    patient.phone_wrong_at = None
    patient.tps_listing = lookups.listings.get(number) if number else None


def _new_email(patient: Patient) -> None:
    patient.email_hash = suppressions.email_hash(patient.email) if patient.email else None
    patient.email_bounced_at = None


def _heed_suppression(patient: Patient, suppressed: suppressions.Found, now: datetime) -> None:
    """A suppressed number or address makes the record one that is kept but never contacted."""
    hashes = suppressions.of_person(
        first_name=patient.first_name,
        last_name=patient.last_name,
        phone=patient.phone_number,
        email=patient.email,
    )
    if suppressed.total(hashes) and patient.opted_out_at is None:
        patient.opted_out_at = now
        patient.opted_out_source = SUPPRESSED
    channels = suppressed.blocked(hashes) | set(patient.opted_out_channels)
    patient.opted_out_channels = sorted(channels)
