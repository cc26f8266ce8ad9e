"""A canary through the whole product: nothing about a patient reaches a log or the queue."""

import io
import logging
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client

from patients import records
from patients.models import Patient
from practices.journal import Actor
from practices.models import JournalEntry
from sightsync.lib.errors import AppError
from sightsync.lib.logging import JsonFormatter
from tests.journeys.conftest import Stack

pytestmark = pytest.mark.django_db(transaction=True)

FIRST, LAST, NOTES = "Quillonia", "Vandersprott", "Zebrafish maculopathy, left"
WORDS = (FIRST, LAST, "Zebrafish", "1957-03-09")


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Everything that any logger says, as the product would write it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    loggers = [
        logging.getLogger(),
        logging.getLogger("django-q"),
        logging.getLogger("django.server"),
    ]
    for logger in loggers:
        logger.addHandler(handler)
    yield stream
    for logger in loggers:
        logger.removeHandler(handler)


def _forbidden(patient: Patient) -> list[str]:
    number = patient.phone_number
    national = f"0{number[3:]}"
    shapes = [number, number[1:], national, f"{national[:5]} {national[5:]}"]
    return [*WORDS, *shapes, patient.email]


@pytest.mark.parametrize("ending", ["01", "07", "09", "11", "13", "15", "16"])
def test_no_log_line_names_the_patient(stack: Stack, lines: io.StringIO, ending: str) -> None:
    patient = stack.patient(
        ending,
        first_name=FIRST,
        last_name=LAST,
        clinical_notes=NOTES,
        date_of_birth="1957-03-09",
    )
    stack.recall(patient)
    stack.until_ended(patient)
    client = Client(raise_request_exception=False)
    client.force_login(stack.owner)
    for path in ("", "/call", "/opt-out", "/nothing"):
        client.get(f"/patients/{patient.public_id}{path}")
    client.get("/patients", {"q": LAST})
    client.get(f"/b/{patient.email}")
    with pytest.raises(AppError):
        records.update(
            patient=patient,
            data={"email": f"{LAST} at nowhere"},
            source="staff",
            actor=Actor.user(stack.owner),
        )
    written = lines.getvalue() + _stored()
    assert '"message": "request"' in written
    assert [word for word in _forbidden(patient) if word in written] == []


def _stored() -> str:
    """What stays behind for operators: the queue's own tables and the journal."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(string_agg(t::text, ' '), '') FROM django_q_task t")
        tasks = str(cursor.fetchone()[0])
    entries = JournalEntry.objects.values_list("action", "facts", "actor_id", "subject_id")
    return tasks + "".join(str(entry) for entry in entries)
