"""A patient's history in words: every action that the product writes about a patient has some."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction

from practices import journal
from practices.journal import Actor
from practices.models import Practice, User
from recall import timeline
from recall.models import Outcome
from tests import engine

ABOUT_PATIENTS = re.compile(
    r'"((?:patient|optout|recall|appointment|task)\.[a-z_]+|message\.received)"'
)
PERMISSIONS = {"recall.view", "recall.start", "recall.control"}


def written_actions() -> set[str]:
    """The actions that the source writes into the journal, found as text."""
    found: set[str] = set()
    for app in ("patients", "recall"):
        for path in Path(settings.BASE_DIR, app).rglob("*.py"):
            if path.name not in ("timeline.py", "urls.py") and "views" not in path.parts:
                found.update(ABOUT_PATIENTS.findall(path.read_text()))
    return found - PERMISSIONS - {"appointment.ics"}


def test_every_action_about_a_patient_has_words() -> None:
    assert written_actions() - set(timeline.ENTRIES) == set()


@pytest.mark.django_db
def test_the_newest_comes_first_with_who_did_it(practice: Practice, alice: User) -> None:
    patient = engine.patient(practice)
    engine.under_way(patient, state="done", outcome=Outcome.NO_ANSWER)
    with transaction.atomic():
        for action in ("attempt.claimed", "optout.recorded"):
            journal.record(
                practice=practice,
                action=action,
                actor=Actor.user(alice),
                patient=patient.pk,
                facts={"channel": "all"},
            )
    told = [(event.text, event.by) for event in timeline.of_patient(patient)]
    assert ("Opted out of all contact", "Alice Example") in told
    assert ("Call not answered", "") in told
    assert len(told) == 2
