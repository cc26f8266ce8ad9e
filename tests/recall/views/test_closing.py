"""Closing a patient's record by hand, and taking it up again."""

import pytest
from django.test import Client

from patients import listing, records
from patients.listing import Asked
from practices.journal import Actor
from practices.models import JournalEntry, Practice
from recall import episodes
from recall.models import Attempt, AttemptState, EpisodeState
from tests import engine
from tests.working_day import WorkingDay

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("because", "mark", "action", "reason"),
    [
        ("left", "archived_at", "patient.archived", "archived"),
        ("died", "deceased_at", "patient.deceased", "deceased"),
    ],
)
def test_closing_marks_the_record_and_ends_the_recall(
    owner: Client, practice: Practice, because: str, mark: str, action: str, reason: str
) -> None:
    engine.register()
    jane = engine.patient(practice)
    (episode,) = episodes.ensure_open(
        practice=practice, patients=[jane], campaign=None, actor=Actor.system("test")
    )
    for _ in range(2):
        answer = owner.post(f"/patients/{jane.public_id}/close", {"because": because})
        assert answer.status_code == 302
    jane.refresh_from_db()
    assert getattr(jane, mark) is not None
    episode.refresh_from_db()
    assert (episode.state, episode.reason) == (EpisodeState.ENDED, reason)
    assert episode.closed_at is not None
    assert not Attempt.objects.filter(patient=jane, state=AttemptState.PLANNED).exists()
    assert JournalEntry.objects.filter(patient_id=jane.pk, action=action).count() == 1


@pytest.mark.parametrize("because", ["", "moon"])
def test_closing_without_a_reason_says_what_to_do_and_changes_nothing(
    owner: Client, practice: Practice, because: str
) -> None:
    jane = engine.patient(practice)
    answer = owner.post(f"/patients/{jane.public_id}/close", {"because": because})
    assert answer.status_code == 400
    assert 'id="because-error"' in answer.content.decode()
    jane.refresh_from_db()
    assert jane.archived_at is None


def test_the_page_names_an_appointment_that_stays_booked(owner: Client, day: WorkingDay) -> None:
    page = owner.get(f"/patients/{day.booked.public_id}/close").content.decode()
    assert f"/appointments/{day.appointment.public_id}" in page


def test_a_viewer_closes_and_takes_up_nothing(viewer: Client, practice: Practice) -> None:
    jane = engine.patient(practice)
    page = viewer.get(f"/patients/{jane.public_id}").content.decode()
    assert f"/patients/{jane.public_id}/close" not in page
    for address in ("close", "take-up"):
        assert viewer.post(f"/patients/{jane.public_id}/{address}").status_code == 403


def test_a_closed_record_is_found_and_taken_up_again(owner: Client, practice: Practice) -> None:
    engine.patient(practice, "+447700900101", first_name="Open")
    left = engine.patient(practice, "+447700900102", first_name="Left")
    records.archive(patient=left, actor=Actor.system("test"))
    assert list(listing.patients(practice, Asked(contact="closed"))) == [left]
    page = owner.get("/patients?contact=closed").content.decode()
    assert "Left" in page
    assert (
        f"/patients/{left.public_id}/take-up"
        in owner.get(f"/patients/{left.public_id}").content.decode()
    )
    assert owner.post(f"/patients/{left.public_id}/take-up").status_code == 302
    left.refresh_from_db()
    assert left.archived_at is None
    assert JournalEntry.objects.filter(action="patient.restored").count() == 1
