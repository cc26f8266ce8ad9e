"""Reads of patients: always of one practice, in a fixed number of queries."""

from datetime import date
from typing import Any

import pytest

from patients import opt_out, records, selectors
from patients.models import Patient
from practices.journal import Actor
from practices.models import Practice
from sightsync.lib.errors import AppError

ACTOR = Actor.system("test")
TODAY = date(2026, 11, 18)


def patient(practice: Practice, number: int, **data: Any) -> Patient:
    data = {"first_name": f"P{number}", "phone_number": f"07700900{number:03d}"} | data
    return records.upsert(practice=practice, data=data, source="api", actor=ACTOR).patient


def test_one_patient_is_found_by_either_form_of_its_id(practice: Practice) -> None:
    known = patient(practice, 1)
    for text in (known.public_id, known.public_id.lower(), str(known.pk)):
        assert selectors.patient(practice, text) == known


@pytest.mark.parametrize("text", ["", "pat_", "pat_01H", "c_01HZZZZZZZZZZZZZZZZZZZZZZZ", "1"])
def test_a_malformed_id_is_not_found(practice: Practice, text: str) -> None:
    with pytest.raises(AppError) as refusal:
        selectors.patient(practice, text)
    assert refusal.value.status == 404


def test_another_practices_patient_is_not_found(
    practice: Practice, other_practice: Practice
) -> None:
    theirs = patient(other_practice, 1)
    with pytest.raises(AppError) as refusal:
        selectors.patient(practice, theirs.public_id)
    assert refusal.value.status == 404
    assert selectors.by_ids(practice, [theirs.public_id]) == {theirs.public_id: None}
    assert not selectors.sharing_number(practice, theirs.phone_number)


def test_many_are_found_in_one_query(practice: Practice, django_assert_num_queries: Any) -> None:
    known = [patient(practice, number) for number in range(5)]
    asked = [p.public_id for p in known] + ["nonsense"]
    with django_assert_num_queries(1):
        found = selectors.by_ids(practice, asked)
    assert list(found.values()) == [*known, None]


def test_due_patients_come_earliest_first(practice: Practice) -> None:
    late = patient(practice, 1, last_eye_test_date="2020-01-01", risk_category="diabetic")
    soon = patient(practice, 2, last_eye_test_date="2026-01-01")
    later = patient(practice, 3, last_eye_test_date="2022-01-01")
    records.archive(patient=patient(practice, 4), actor=ACTOR)
    assert list(selectors.due(practice, today=TODAY)) == [late, later, soon]
    assert list(selectors.due(practice, today=TODAY, overdue_only=True)) == [late, later]
    assert list(selectors.due(practice, today=TODAY, risk_category="diabetic")) == [late]


def test_a_family_is_found_by_its_number(practice: Practice) -> None:
    family = [patient(practice, 1, external_id=str(n), first_name=f"F{n}") for n in range(3)]
    assert list(selectors.sharing_number(practice, "+447700900001")) == family
    patient(practice, 1, phone_number="", email="a@example.org")
    assert not selectors.sharing_number(practice, "")


def test_the_counts_take_one_query(practice: Practice, django_assert_num_queries: Any) -> None:
    patient(practice, 1, last_eye_test_date="2020-01-01")
    opt_out.record(patient=patient(practice, 2), source="staff", actor=ACTOR)
    patient(practice, 3, phone_number="", email="a@example.org")
    records.mark_deceased(patient=patient(practice, 4), actor=ACTOR)
    with django_assert_num_queries(1):
        counts = selectors.counts(practice, today=TODAY)
    assert counts == selectors.Counts(3, 1, 1, 0, 1)
