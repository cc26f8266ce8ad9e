"""What the dialogue is told of a call, and what it is not."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date

import pytest

from recall.voice import call_facts
from tests import engine

pytestmark = pytest.mark.django_db


def facts_of(practice, **fields: object):
    return call_facts.of(engine.under_way(engine.patient(practice, **fields)))


@pytest.mark.parametrize(
    ("born", "guardian"),
    [
        (None, False),
        ("1950-01-01", False),
        ("2010-11-18", False),
        ("2010-11-19", True),
        ("2016-02-29", True),
    ],
)
def test_under_sixteen_a_parent_or_guardian_is_asked_for(practice, born, guardian, at) -> None:
    at("2026-11-18T10:00:00Z")
    birth = date.fromisoformat(born) if born else None
    assert facts_of(practice, date_of_birth=birth).contact_is_guardian is guardian


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("", "an eye examination"),
        ("eye examination", "an eye examination"),
        ("routine eye check", "a routine eye check"),
        ("your eye examination", "your eye examination"),
    ],
)
def test_the_reason_is_the_practices_neutral_words(practice, words, reason) -> None:
    practice.examination_words = words
    assert facts_of(practice).reason == reason


def test_nothing_clinical_and_no_surname_reaches_the_dialogue(practice) -> None:
    facts = facts_of(
        practice,
        last_name="Fitzwilliam",
        risk_category="glaucoma_suspect",
        clinical_notes="Cupping on the left.",
    )
    told = str(asdict(facts))
    assert "Fitzwilliam" not in told
    assert "glaucoma" not in told
    assert "Cupping" not in told


def test_the_practices_own_number_is_read_out_and_not_the_callers(practice) -> None:
    attempt = engine.under_way(engine.patient(practice))
    assert call_facts.of(attempt).practice_phone == practice.phone_number
    attempt.practice.phone_number = ""
    assert call_facts.of(attempt).practice_phone == practice.caller_number


def test_the_practices_advice_is_used_when_it_has_one(practice) -> None:
    attempt = engine.under_way(engine.patient(practice))
    assert "111" in call_facts.of(attempt).symptom_advice
    attempt.practice.symptom_advice = "Come in at once."
    assert call_facts.of(attempt).symptom_advice == "Come in at once."
