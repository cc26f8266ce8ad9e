"""Data requests from coming in to their answer: the law's day, the job, the export."""

import json
import zipfile
from datetime import date, timedelta
from io import BytesIO

import pytest
from django.db import IntegrityError
from django_q.models import OrmQ

from gdpr import access_export, data_requests, inventory, tasks
from gdpr.models import DataRequest
from practices import job_tries
from practices.models import JournalEntry, Nation
from sightsync.lib import clock
from sightsync.lib.errors import AppError
from sightsync.lib.personal import Handling
from tests import engine
from tests.gdpr.conftest import ACTOR, CANARY


def submit(patient, kind="access") -> DataRequest:
    return data_requests.submit(practice=patient.practice, patient=patient, kind=kind, actor=ACTOR)


@pytest.mark.parametrize(
    ("received", "nation", "due"),
    [
        ("2026-09-03", "ENG", "2026-10-05"),  # 3 October is a Saturday
        ("2026-11-18", "ENG", "2026-12-18"),
        ("2027-01-31", "ENG", "2027-03-01"),  # no 31 February, and the 28th is a Sunday
        ("2026-11-25", "ENG", "2026-12-29"),  # Christmas, and Boxing Day's substitute
        ("2026-03-06", "ENG", "2026-04-07"),  # Easter Monday
        ("2026-03-06", "SCT", "2026-04-06"),  # which Scotland works on
        ("2026-10-30", "SCT", "2026-12-01"),  # St Andrew's Day
    ],
)
def test_the_laws_last_day(received, nation, due) -> None:
    found = data_requests.last_day(received=date.fromisoformat(received), nation=Nation(nation))
    assert found == date.fromisoformat(due)


def test_a_request_waits_for_its_job(known) -> None:
    request = submit(known, "erasure")
    assert (request.status, request.due_on) == ("processing", date(2026, 12, 18))
    assert OrmQ.objects.count() == 1
    tasks.data_requests.answer(request.pk)
    request.refresh_from_db()
    known.refresh_from_db()
    assert (request.status, request.completed_at) == ("completed", clock.now())
    assert known.erased_at is not None
    actions = JournalEntry.objects.values_list("action", flat=True)
    assert {"data_request.submitted", "data_request.completed", "patient.deleted"} <= set(actions)


def test_the_same_one_is_answered_while_it_runs(known) -> None:
    first = submit(known)
    assert submit(known) == first
    assert submit(known, "erasure") != first
    data_requests.answer(first.pk)
    assert submit(known) != first
    with pytest.raises(IntegrityError):
        DataRequest.objects.filter(pk=first.pk).update(status="processing")


def test_answered_twice_it_does_nothing_twice(known) -> None:
    request = submit(known)
    assert data_requests.answer(request.pk) is True
    before = DataRequest.objects.values().get()
    assert data_requests.answer(request.pk) is False
    assert DataRequest.objects.values().get() == before


@pytest.mark.django_db(transaction=True)
def test_a_job_that_fails_too_often_is_a_failed_request(known, monkeypatch) -> None:
    request = submit(known)

    def breaks(_patient: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(access_export, "collect", breaks)
    for _ in range(job_tries.LIMIT):
        with pytest.raises(RuntimeError):
            tasks.answer_request(str(request.pk))
    tasks.answer_request(str(request.pk))
    request.refresh_from_db()
    assert (request.status, request.failure) == ("failed", "job_failed")
    with pytest.raises(AppError, match="could not be made"):
        data_requests.exported(request)


def test_what_the_queue_lost_is_woken_again(known, at) -> None:
    submit(known)
    OrmQ.objects.all().delete()
    tasks.keep_house()
    assert OrmQ.objects.count() == 0
    at(clock.now() + timedelta(minutes=6))
    tasks.keep_house()
    assert OrmQ.objects.count() == 1


# --- the export ---------------------------------------------------------------------------------


def test_the_export_has_every_listed_field(known) -> None:
    """By the inventory: what an erasure empties, an access request shows."""
    sections = {
        section["name"]: section["rows"] for section in access_export.collect(known)["sections"]
    }
    hashes = {"nhs_number_hash", "phone_hash", "email_hash", "hash", "export"}
    for table in inventory.personal():
        wanted = set(table.named(Handling.ERASE, Handling.KEEP)) - hashes
        if not wanted or table.name == "Suppression":
            continue
        assert sections[table.name], table.name
        for row in sections[table.name]:
            assert wanted <= set(row), table.name


def test_the_export_says_what_is_held(known) -> None:
    export = access_export.collect(known)
    text = access_export.as_json(export).decode()
    for value in (CANARY, "+447700900077", "9434765919", "1961-07-13", "glaucoma in the family"):
        assert value in text
    sections = {section["name"]: section["rows"] for section in export["sections"]}
    assert [row["text"] for row in sections["CallTurn"]] == [f"This is {CANARY}"] * 2
    assert len(sections["InboundMessage"]) == 2
    (changed,) = sections["ImportChange"]
    assert changed["after"]["clinical_notes"] == f"{CANARY} squints"
    assert len(sections["Appointment"]) == 2
    assert "token" not in text
    assert known.public_id in text


def test_the_export_is_of_nobody_else(known, practice, other_practice) -> None:
    engine.planned(engine.patient(practice, "+447700900078", first_name="Stranger"))
    engine.patient(other_practice, "+447700900077", first_name="Stranger")
    assert "Stranger" not in access_export.as_json(access_export.collect(known)).decode()


def test_the_page_is_safe_and_whole(known) -> None:
    type(known).objects.filter(pk=known.pk).update(last_name="<script>alert(1)</script>")
    known.refresh_from_db()
    page = access_export.as_html(access_export.collect(known)).decode()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "http" not in page.replace("https://pms.example", "")


def test_the_archive_has_both(known) -> None:
    export = access_export.collect(known)
    with zipfile.ZipFile(BytesIO(access_export.as_zip(export))) as archive:
        assert json.loads(archive.read("personal-data.json")) == export
        assert CANARY in archive.read("personal-data.html").decode()


def test_an_export_is_kept_for_a_week(known, at) -> None:
    request = submit(known)
    data_requests.answer(request.pk)
    request.refresh_from_db()
    assert data_requests.may_download(request)
    at(clock.now() + timedelta(days=7))
    assert not data_requests.may_download(request)
    assert data_requests.forget_exports() == 1
    request.refresh_from_db()
    assert request.export == ""
    with pytest.raises(AppError, match="not kept any more"):
        data_requests.exported(request)
