"""Which rows a choice picks: every condition at its edge, in one query, on London's clock."""

from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest

from patients.models import Patient
from practices.models import Practice
from recall.campaigns import selection
from recall.campaigns.choice import Choice, Group
from recall.models import Appointment, AppointmentStatus, Attempt, AttemptState, Channel, Purpose
from sightsync.lib import clock
from tests import engine

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 18)
_numbers = count(1)


@pytest.fixture
def add(practice: Practice):
    """A patient of Acuity Opticians, due since January."""

    def make(**fields: object) -> Patient:
        return engine.patient(practice, f"+44770090{next(_numbers):04}", **fields)

    return make


def chosen(practice: Practice, choice: Choice) -> set[Patient]:
    return set(selection.patients(practice=practice, choice=choice))


def contact(who: Patient, when: datetime | None, channel: Channel = Channel.VOICE) -> None:
    Attempt.objects.create(
        practice=who.practice,
        patient=who,
        channel=channel,
        purpose=Purpose.RECALL,
        state=AttemptState.DONE if when else AttemptState.CANCELLED,
        due_at=when or clock.now(),
        submitted_at=when,
        created_at=when or clock.now(),
    )


@pytest.mark.parametrize(
    ("choice", "due", "picked"),
    [
        (Choice(), TODAY, True),
        (Choice(), TODAY + timedelta(days=1), False),
        (Choice(overdue_months=12), date(2025, 11, 18), True),
        (Choice(overdue_months=12), date(2025, 11, 19), False),
        (Choice(overdue_months=12, overdue_days=1), date(2025, 11, 18), False),
        (Choice(overdue_months=12, overdue_days=1), date(2025, 11, 17), True),
        (Choice(overdue_days=42), date(2026, 10, 7), True),
        (Choice(overdue_days=42), date(2026, 10, 8), False),
        (Choice(overdue_below_months=6), date(2026, 5, 18), False),
        (Choice(overdue_below_months=6), date(2026, 5, 19), True),
        (Choice(overdue_below_months=6, overdue_below_days=1), date(2026, 5, 18), True),
        (Choice(overdue_below_months=6, overdue_below_days=1), date(2026, 5, 17), False),
        (Choice(overdue_months=1200, overdue_days=36500), date(1950, 1, 1), False),
    ],
)
def test_overdue_is_counted_in_calendar_months_and_days(
    practice, add, choice: Choice, due: date, picked: bool
) -> None:
    who = add(next_clinical_due_date=due)
    assert chosen(practice, choice) == ({who} if picked else set())


@pytest.mark.parametrize(
    ("choice", "born", "picked"),
    [
        (Choice(age_from=70), date(1956, 11, 18), True),
        (Choice(age_from=70), date(1956, 11, 19), False),
        (Choice(age_to=15), date(2010, 11, 19), True),
        (Choice(age_to=15), date(2010, 11, 18), False),
        (Choice(age_from=40, age_to=60), date(1965, 11, 19), True),
        (Choice(age_from=40, age_to=60), date(1965, 11, 18), False),
        (Choice(age_from=0), None, False),
        (Choice(leaving_out=(Group(age_from=70),)), None, True),
        (Choice(leaving_out=(Group(age_from=70),)), date(1950, 1, 1), False),
        (Choice(leaving_out=(Group(age_to=15),)), None, True),
    ],
)
def test_ages_turn_on_the_birthday_and_an_unknown_age_is_neither_chosen_nor_left_out(
    practice, add, choice: Choice, born: date | None, picked: bool
) -> None:
    who = add(date_of_birth=born)
    assert chosen(practice, choice) == ({who} if picked else set())


@pytest.mark.parametrize(
    ("choice", "tested", "picked"),
    [
        (Choice(never_tested=True), None, True),
        (Choice(never_tested=True), date(2020, 1, 1), False),
        (Choice(leaving_out=(Group(never_tested=True),)), None, False),
        (Choice(tested_from=date(2024, 3, 1)), date(2024, 3, 1), True),
        (Choice(tested_from=date(2024, 3, 1)), date(2024, 2, 29), False),
        (Choice(tested_to=date(2024, 3, 1)), date(2024, 3, 1), True),
        (Choice(tested_to=date(2024, 3, 1)), date(2024, 3, 2), False),
        (Choice(tested_to=date(2024, 3, 1)), None, False),
        (Choice(leaving_out=(Group(tested_from=date(2024, 3, 1)),)), None, True),
        (Choice(leaving_out=(Group(tested_from=date(2024, 3, 1)),)), date(2024, 3, 1), False),
        (Choice(leaving_out=(Group(tested_from=date(2024, 3, 1)),)), date(2024, 2, 29), True),
    ],
)
def test_eye_tests_are_compared_by_day_and_not_tested_since_includes_never(
    practice, add, choice: Choice, tested: date | None, picked: bool
) -> None:
    who = add(last_eye_test_date=tested)
    assert chosen(practice, choice) == ({who} if picked else set())


@pytest.mark.parametrize(
    ("now", "since", "called", "counts"),
    [
        # In summer the day begins at 23:00 UTC of the day before; in winter at midnight.
        ("2026-07-18T10:00:00Z", date(2026, 7, 1), "2026-06-30T23:00:00Z", True),
        ("2026-07-18T10:00:00Z", date(2026, 7, 1), "2026-06-30T22:59:59Z", False),
        ("2026-11-18T10:00:00Z", date(2026, 11, 1), "2026-11-01T00:00:00Z", True),
        ("2026-11-18T10:00:00Z", date(2026, 11, 1), "2026-10-31T23:59:59Z", False),
        # The day on which the clocks go back.
        ("2026-11-18T10:00:00Z", date(2026, 10, 25), "2026-10-24T23:00:00Z", True),
        ("2026-11-18T10:00:00Z", date(2026, 10, 25), "2026-10-24T22:59:59Z", False),
    ],
)
def test_since_begins_at_midnight_in_london(
    practice, add, at, now: str, since: date, called: str, counts: bool
) -> None:
    at(now)
    who = add()
    contact(who, datetime.fromisoformat(called))
    assert bool(chosen(practice, Choice(called_since=since))) is counts
    assert bool(chosen(practice, Choice(contacted_since=since))) is counts
    assert bool(chosen(practice, Choice(not_called_since=since))) is not counts
    assert bool(chosen(practice, Choice(not_contacted_since=since))) is not counts


@pytest.mark.parametrize(
    ("called", "counts"),
    [("2026-10-19T09:03:00Z", True), ("2026-10-19T09:02:59Z", False)],
)
def test_days_back_are_days_on_londons_clock_over_the_change(
    practice, add, at, called: str, counts: bool
) -> None:
    at("2026-11-18T10:03:00Z")  # winter; thirty days before, 10:03 in London is 09:03 UTC
    who = add()
    contact(who, datetime.fromisoformat(called))
    assert bool(chosen(practice, Choice(not_called_days=30))) is not counts
    assert bool(chosen(practice, Choice(not_contacted_days=30))) is not counts


def test_a_message_is_a_contact_and_no_call_and_what_never_left_is_neither(practice, add) -> None:
    nothing, planned, messaged, called = add(), add(), add(), add()
    long_ago = datetime(2020, 1, 1, 12, tzinfo=UTC)
    contact(planned, None)
    contact(messaged, long_ago, Channel.WHATSAPP)
    contact(called, long_ago)
    assert chosen(practice, Choice(never_contacted=True)) == {nothing, planned}
    assert chosen(practice, Choice(never_called=True)) == {nothing, planned, messaged}


def test_only_a_live_appointment_ahead_is_an_appointment(practice, add) -> None:
    kinds = {
        "ahead": (timedelta(days=1), AppointmentStatus.BOOKED),
        "past": (timedelta(days=-1), AppointmentStatus.BOOKED),
        "cancelled": (timedelta(days=1), AppointmentStatus.CANCELLED),
    }
    people = {"none": add()}
    for kind, (when, status) in kinds.items():
        people[kind] = add()
        starts = clock.now() + when
        Appointment.objects.create(
            practice=practice,
            patient=people[kind],
            starts_at=starts,
            ends_at=starts + timedelta(minutes=30),
            status=status,
            source="staff",
            created_at=clock.now(),
        )
    assert chosen(practice, Choice(has_appointment=True)) == {people["ahead"]}
    without = {people["none"], people["past"], people["cancelled"]}
    assert chosen(practice, Choice(has_appointment=False)) == without


def test_alternatives_add_and_exceptions_take_away_from_all_of_them(practice, add) -> None:
    old, young = date(1940, 1, 1), date(1990, 1, 1)
    diabetic = add(risk_category="diabetic", date_of_birth=young)
    elderly = add(date_of_birth=old)
    both = add(risk_category="diabetic", date_of_birth=old)
    add(date_of_birth=young)
    tested = add(date_of_birth=old, last_eye_test_date=date(2026, 1, 1))
    choice = Choice(
        risks=("diabetic",),
        also=(Group(age_from=70),),
        leaving_out=(Group(tested_from=date(2025, 1, 1)),),
    )
    assert chosen(practice, choice) == {diabetic, elderly, both}
    assert tested in chosen(practice, Choice(also=(Group(age_from=70),)))


def test_a_group_that_says_nothing_is_everybody_who_is_due(practice, add) -> None:
    people = {add(), add(risk_category="diabetic")}
    assert chosen(practice, Choice(risks=("diabetic",), also=(Group(),))) == people


def test_it_is_one_query_whatever_is_asked(practice, add, django_assert_num_queries) -> None:
    choice = Choice(
        risks=("diabetic",),
        age_from=40,
        not_called_days=3,
        not_contacted_since=TODAY,
        never_called=True,
        has_appointment=False,
        also=(Group(never_tested=True),),
        leaving_out=(Group(risks=("contact_lens",)),),
    )
    add()
    with django_assert_num_queries(1):
        list(selection.patients(practice=practice, choice=choice))


def test_nobody_of_another_practice_and_nobody_who_is_gone(practice, other_practice, add) -> None:
    engine.patient(other_practice)
    for gone in ("archived_at", "deceased_at", "erased_at"):
        add(**{gone: clock.now()})
    here = add()
    assert chosen(practice, Choice(also=(Group(),))) == {here}
