"""Owns the rule that says when a patient's next eye examination is due, and why. Pure: facts in, a
value out. Whether a due patient may be contacted is decided by eligibility.

Order of sources (the clinician always wins, a default never overrides a person): the clinician's
date, the practice system's recall date, the patient's own interval, the practice's interval, our
default. The default intervals follow the GOS memorandum of understanding; the practice may change
them.
"""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

DEFAULT_INTERVALS: Mapping[str, int] = {
    "standard": 24,
    "standard_under_16": 12,
    "standard_70_plus": 12,
    "diabetic": 12,
    "glaucoma_suspect": 12,
    "myopia_child": 6,
    "contact_lens": 12,
    "other_clinical": 12,
}
CHILD_UNDER = 16
SENIOR_FROM = 70


class Source(StrEnum):
    """Where a due date came from."""

    CLINICIAN = "clinician"
    PMS = "pms"
    PATIENT_INTERVAL = "patient_interval"
    PRACTICE_INTERVAL = "practice_interval"
    DEFAULT_INTERVAL = "default_interval"
    NEVER_TESTED = "never_tested"


class Facts(NamedTuple):
    """What the rule looks at. ``known_since`` is the day the record was created: a patient whose
    last test nobody knows has been due since then, so that the answer does not move from day to
    day. ``practice_intervals`` are months by the keys of DEFAULT_INTERVALS; missing keys take the
    default.
    """

    risk_category: str
    known_since: date
    last_test: date | None = None
    date_of_birth: date | None = None
    clinician_date: date | None = None
    pms_date: date | None = None
    patient_interval_months: int | None = None
    practice_intervals: Mapping[str, int] = MappingProxyType({})


class Due(NamedTuple):
    """The answer: the day, the months it was reckoned with (None for a given date), the source,
    and a reason code fit for the journal and the 'why' panel.
    """

    on: date
    interval_months: int | None
    source: Source
    reason_code: str


def due(facts: Facts) -> Due:
    """When the next examination is due. A given date that the last test has already passed is
    spent.
    """
    for given, source, reason in (
        (facts.clinician_date, Source.CLINICIAN, "clinician_date"),
        (facts.pms_date, Source.PMS, "pms_recall_date"),
    ):
        if given is not None and (facts.last_test is None or given > facts.last_test):
            return Due(given, None, source, reason)
    if facts.last_test is None:
        return Due(facts.known_since, None, Source.NEVER_TESTED, "no_last_test")
    months, source, reason = _interval(facts, facts.last_test)
    return Due(add_months(facts.last_test, months), months, source, reason)


def _interval(facts: Facts, last_test: date) -> tuple[int, Source, str]:
    if facts.patient_interval_months:
        return facts.patient_interval_months, Source.PATIENT_INTERVAL, "patient_interval"
    key = interval_key(facts.risk_category, facts.date_of_birth, last_test)
    practice_months = facts.practice_intervals.get(key)
    own, source = (
        (practice_months, Source.PRACTICE_INTERVAL)
        if practice_months
        else (DEFAULT_INTERVALS[key], Source.DEFAULT_INTERVAL)
    )
    # An age rule may only shorten: a practice that sees every standard patient yearly keeps doing
    # so.
    whole_category = facts.practice_intervals.get(facts.risk_category)
    if key != facts.risk_category and whole_category and whole_category < own:
        return whole_category, Source.PRACTICE_INTERVAL, facts.risk_category
    return own, source, key


def interval_key(risk_category: str, date_of_birth: date | None, last_test: date) -> str:
    """The key of the interval table for a patient: the category, or the age band of a standard
    patient.

    Ages are completed years on the day of the test (GOS memorandum). Unknown categories count as
    standard.
    """
    if risk_category not in DEFAULT_INTERVALS:
        risk_category = "standard"
    if risk_category != "standard" or date_of_birth is None:
        return risk_category
    age = age_on(date_of_birth, last_test)
    if age < CHILD_UNDER:
        return "standard_under_16"
    return "standard_70_plus" if age >= SENIOR_FROM else "standard"


def age_on(born: date, day: date) -> int:
    """Completed years on a day; someone born on 29 February turns a year older on 1 March of short
    years.
    """
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def add_months(day: date, months: int) -> date:
    """Calendar months later, clamped to the end of the month: 31 August and 6 months is 28
    February.
    """
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, day.day if day.day < 29 else min(day.day, monthrange(year, month)[1]))
