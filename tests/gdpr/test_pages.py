"""Data protection in the browser: taking requests in, following them, downloading, erasing."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from gdpr import data_requests, tasks
from gdpr.models import DataRequest, RequestStatus
from patients.models import Patient
from practices.models import JournalEntry, Membership, Practice, Role, User
from sightsync.lib import clock
from tests import engine
from tests.gdpr.conftest import ACTOR

pytestmark = pytest.mark.django_db
BASE = "/data-protection"


@pytest.fixture
def web(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def jane(practice: Practice) -> Patient:
    engine.register()
    return engine.patient(practice, "+447700900001", first_name="Jane", last_name="Canary")


def _page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_without_a_request_the_page_says_what_counts_as_one(web: Client) -> None:
    page = _page(web, BASE)
    assert "No request yet" in page
    assert f'href="{BASE}/new"' in page


def test_the_patient_is_found_archived_or_not(web: Client, jane: Patient) -> None:
    Patient.objects.update(archived_at=clock.now())
    assert "Jane Canary" not in _page(web, f"{BASE}/new")
    page = _page(web, f"{BASE}/new?q=canary")
    assert f'href="{BASE}/patients/{jane.public_id}"' in page
    assert "Archived" in page
    assert "Nobody matches" in _page(web, f"{BASE}/new?q=somebody+else")


def test_a_copy_is_made_listed_and_downloaded(web: Client, alice: User, jane: Patient) -> None:
    answer = web.post(f"{BASE}/patients/{jane.public_id}/export")
    asked = DataRequest.objects.get()
    at = f"{BASE}/{asked.public_id}"
    assert answer["Location"] == at
    assert "Being carried out" in _page(web, at)
    assert web.get(f"{at}/download", follow=True).redirect_chain == [(at, 302)]
    tasks.answer_request(str(asked.pk))
    page = _page(web, at)
    assert f'href="{at}/download?as=zip"' in page
    assert "Kept until Wednesday 25 November" in " ".join(page.replace("</dt><dd>", " ").split())
    answer = web.get(f"{at}/download?as=json")
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Disposition"] == f'attachment; filename="{asked.public_id}.json"'
    assert json.loads(answer.content)["patient_id"] == jane.public_id
    assert web.get(f"{at}/download?as=exe")["Content-Type"] == "application/zip"
    row = _page(web, BASE)
    assert "Jane Canary" in row
    assert "18 Dec" in row
    entry = JournalEntry.objects.get(action="data_request.submitted")
    assert entry.actor_id == str(alice.pk)


def test_erasing_asks_first_and_says_what_it_costs(web: Client, jane: Patient) -> None:
    starts = clock.now() + timedelta(days=3)
    jane.appointments.create(
        practice=jane.practice,
        starts_at=starts,
        ends_at=starts + timedelta(minutes=30),
        source="staff",
        created_at=clock.now(),
    )
    at = f"{BASE}/patients/{jane.public_id}"
    page = _page(web, f"{at}/erase")
    assert "It cannot be undone" in page
    assert "Jane has an appointment" in page
    assert not DataRequest.objects.exists()
    answer = web.post(f"{at}/erase")
    asked = DataRequest.objects.get()
    assert answer["Location"] == f"{BASE}/{asked.public_id}"
    tasks.answer_request(str(asked.pk))
    jane.refresh_from_db()
    assert jane.erased_at
    for path in (BASE, answer["Location"]):
        assert "Canary" not in _page(web, path)
    assert "Erased patient" in _page(web, BASE)
    assert web.get(at).status_code == 404
    assert web.post(f"{at}/erase").status_code == 404


def test_what_failed_is_put_before_the_staff_with_the_last_day(web: Client, jane: Patient) -> None:
    asked = data_requests.submit(practice=jane.practice, patient=jane, kind="access", actor=ACTOR)
    data_requests.give_up(asked.pk, code="job_failed")
    assert "Jane Canary" in _page(web, f"{BASE}?status=failed")
    assert "No request is in that state" in _page(web, f"{BASE}?status=processing")
    page = _page(web, f"{BASE}/{asked.public_id}")
    assert "It could not be carried out" in page
    assert "Friday 18 December" in page
    web.post(f"{BASE}/patients/{jane.public_id}/export")
    assert DataRequest.objects.filter(status=RequestStatus.PROCESSING).count() == 1


def test_a_copy_that_is_over_can_be_made_again(web: Client, jane: Patient, at) -> None:
    asked = data_requests.submit(practice=jane.practice, patient=jane, kind="access", actor=ACTOR)
    tasks.answer_request(str(asked.pk))
    at("2026-11-26T10:00:00Z")
    page = _page(web, f"{BASE}/{asked.public_id}")
    assert "Not kept any more" in page
    assert "Make the copy again" in page
    answer = web.get(f"{BASE}/{asked.public_id}/download", follow=True)
    assert "not kept any more" in answer.content.decode()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.STAFF])
def test_only_managers_and_owners_may(role: Role, jane: Patient) -> None:
    user = User.objects.create_user("dana@example.org", "correct horse battery")
    Membership.objects.create(practice=jane.practice, user=user, role=role)
    client = Client()
    client.force_login(user)
    assert client.get(BASE).status_code == 403
    assert client.post(f"{BASE}/patients/{jane.public_id}/erase").status_code == 403
    page = _page(client, f"/patients/{jane.public_id}")
    assert BASE not in page


def test_the_list_asks_the_database_as_often_for_many_as_for_one(
    web: Client, practice: Practice, jane: Patient
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            _page(web, BASE)
        return len(asked)

    data_requests.submit(practice=practice, patient=jane, kind="access", actor=ACTOR)
    one = count()
    for number in range(5):
        other = engine.patient(practice, f"+44770090002{number}")
        data_requests.submit(practice=practice, patient=other, kind="access", actor=ACTOR)
    assert count() == one
