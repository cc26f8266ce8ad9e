"""What the dialogue may know of one call, read from its rows. Nothing else of the patient leaves
here: no surname, no risk category, no notes.
"""

from __future__ import annotations

from datetime import date

from practices.models import Practice
from recall.models import Attempt
from recall.voice import script
from recall.voice.conversation import CallFacts
from sightsync.lib import clock

ADULT_AT = 16
"""At this age patients answer for themselves (GOS counts children as under 16)."""

DEFAULT_ADVICE = (
    "If your sight has changed suddenly, if you see flashes or new floaters, or if an eye hurts, "
    "ring the practice now. If it is closed, ring 111, or go to A and E."
)


def of(attempt: Attempt) -> CallFacts:
    """The facts of a call to a patient."""
    patient = attempt.patient
    birth = patient.date_of_birth
    return _facts(
        attempt.practice,
        first_name=patient.first_name,
        guardian=birth is not None and _age(birth, clock.today()) < ADULT_AT,
    )


def of_practice(practice: Practice) -> CallFacts:
    """The facts for somebody unknown, who rang us."""
    return _facts(practice, first_name="", guardian=False)


def _facts(practice: Practice, *, first_name: str, guardian: bool) -> CallFacts:
    phone = practice.phone_number or practice.caller_number
    return CallFacts(
        practice_name=practice.name,
        practice_phone=phone,
        practice_phone_spoken=script.spoken_phone(phone),
        patient_first_name=first_name,
        reason=_with_article(practice.examination_words or "eye examination"),
        symptom_advice=practice.symptom_advice or DEFAULT_ADVICE,
        recording=practice.records_calls,
        contact_is_guardian=guardian,
        calls_from=practice.calling_from,
        calls_until=practice.calling_until,
    )


def _with_article(words: str) -> str:
    if words.split(" ", 1)[0].lower() in ("a", "an", "the", "your"):
        return words
    return f"{'an' if words[0].lower() in 'aeiou' else 'a'} {words}"


def _age(birth: date, today: date) -> int:
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
