"""The import pages from the check on: start, result, undo, and who may."""

from datetime import timedelta

import pytest
from django.test import Client

from patients import records
from patients.csv_import import runs
from patients.models import ImportRun, ImportState, Patient
from practices.journal import Actor
from practices.models import Membership, Practice, Role, User
from sightsync.lib import clock
from tests import imports
from tests.imports import GOOD, SAMPLE, WITH_BAD, at, chosen, draft, imported, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer
    return answer.content.decode()


# --- check, start, result -----------------------------------------------------------------------


def test_the_check_shows_before_and_after(client: Client) -> None:
    imported(client)
    run = draft(client, GOOD.replace(b"15/06/2023", b"16/09/2024"))
    shown = page(client, at(run, "check"))
    assert "Before and after" in shown
    assert "Tom Ferreira" in shown
    assert "Jane" not in shown
    assert "Import 1 patient" in shown


def test_a_file_that_says_nothing_new_cannot_be_started_from_the_page(client: Client) -> None:
    imported(client)
    run = draft(client, GOOD + b"\n")
    shown = page(client, at(run, "check"))
    assert "There is nothing to import" in shown
    assert at(run, "start") not in shown


def test_an_import_runs_and_shows_its_result(client: Client) -> None:
    run = draft(client, WITH_BAD)
    assert client.post(at(run, "start"))["Location"] == at(run)
    shown = page(client, at(run))
    assert "<progress" in shown
    assert "You can leave this page" in shown
    imports.run_jobs()
    moved = client.get(at(run, "live"))
    assert moved["HX-Refresh"] == "true"
    shown = page(client, at(run))
    assert "2 patients imported" in shown
    assert at(run, "rejected") in shown
    assert Patient.objects.count() == 2


def test_starting_twice_starts_once(client: Client) -> None:
    run = draft(client)
    client.post(at(run, "start"))
    answer = client.post(at(run, "start"), follow=True)
    assert "already started" in answer.content.decode()
    imports.run_jobs()
    assert Patient.objects.count() == 2


@pytest.mark.parametrize("step", ["match", "fix", "check"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_started_import_cannot_be_changed_any_more(
    client: Client, step: str, method: str
) -> None:
    run = imported(client, WITH_BAD)
    answer = getattr(client, method)(at(run, step), {"row-4-phone_number": "07700900303"})
    assert answer["Location"] == at(run)
    assert Patient.objects.count() == 2


def test_the_rows_left_out_are_downloaded_with_reasons_and_harmless(client: Client) -> None:
    run = imported(client, GOOD + b"=1+1,Hart,12,21/02/2023\n")
    answer = client.get(at(run, "rejected"))
    assert answer["Content-Disposition"] == 'attachment; filename="not-imported.csv"'
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0].endswith("row,reason")
    assert lines[1].startswith("'=1+1,Hart,12,21/02/2023,4,")


def test_the_bad_rows_of_a_draft_are_downloaded_too(client: Client) -> None:
    run = draft(client, WITH_BAD)
    lines = client.get(at(run, "rejected")).content.decode("utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["Zoe", "Ida"]


def test_a_discarded_file_is_gone(client: Client) -> None:
    run = draft(client)
    assert client.post(at(run, "discard"))["Location"] == "/import"
    assert "list.csv" not in page(client, "/import")
    assert client.get(at(run)).status_code == 404
    assert upload(client).status_code == 302  # it was never imported


def test_an_import_that_has_started_cannot_be_discarded(client: Client) -> None:
    run = imported(client)
    answer = client.post(at(run, "discard"), follow=True)
    assert "already started" in answer.content.decode()
    run.refresh_from_db()
    assert run.state == ImportState.DONE


# --- undo ---------------------------------------------------------------------------------------


def test_undo_says_first_what_it_will_do_and_afterwards_what_it_kept(client: Client) -> None:
    imported(client)
    run = imported(client, GOOD.replace(b"15/06/2023", b"16/09/2024") + b"Zoe,Hart,07700900303,\n")
    tom = Patient.objects.get(first_name="Tom")
    asked = page(client, at(run, "undo"))
    assert "1 new patient" in asked
    assert "1 updated record" in asked
    records.update(
        patient=tom,
        data={"last_eye_test_date": "2025-01-02"},
        source="staff",
        actor=Actor.system("test"),
    )
    client.post(at(run, "undo"))
    imports.run_jobs()
    shown = page(client, at(run))
    assert "The import is undone" in shown
    assert "Tom Ferreira" in shown
    assert "Last eye test" in shown
    assert not Patient.objects.filter(first_name="Zoe", archived_at=None).exists()
    tom.refresh_from_db()
    assert str(tom.last_eye_test_date) == "2025-01-02"


def test_after_thirty_days_an_import_cannot_be_undone(client: Client) -> None:
    run = imported(client)
    ImportRun.objects.filter(pk=run.pk).update(finished_at=clock.now() - timedelta(days=31))
    assert at(run, "undo") not in page(client, at(run))
    assert client.get(at(run, "undo"))["Location"] == at(run)
    client.post(at(run, "undo"))
    imports.run_jobs()
    run.refresh_from_db()
    assert run.state == ImportState.DONE
    assert Patient.objects.count() == 2


def test_the_receptionist_imports_and_does_not_undo(client: Client, bob: User) -> None:
    run = imported(client)
    theirs = Client()
    theirs.force_login(bob)
    assert at(run, "undo") not in page(theirs, at(run))
    assert theirs.get(at(run, "undo")).status_code == 403


def test_a_viewer_sees_no_way_in(practice: Practice) -> None:
    user = User.objects.create_user("viewer@example.org", "correct horse battery")
    Membership.objects.create(practice=practice, user=user, role=Role.VIEWER)
    client = Client()
    client.force_login(user)
    assert 'href="/import"' not in page(client, "/")
    assert client.get("/import").status_code == 403


# --- the rest -----------------------------------------------------------------------------------


def test_the_messy_sample_goes_through(client: Client) -> None:
    run = draft(client, SAMPLE.read_bytes())
    assert client.get(at(run))["Location"] == at(run, "match")
    fields = [column.field for column in runs.columns(run)]
    client.post(at(run, "match"), chosen(*fields))
    imports.run_jobs()
    assert "13 rows cannot be imported yet" in page(client, at(run, "fix"))
    client.post(at(run, "leave-out"))
    imports.run_jobs()
    client.post(at(run, "start"))
    imports.run_jobs()
    shown = page(client, at(run))
    assert "46 patients imported" in shown
    assert "13 rows left out" in shown


def test_the_example_can_be_imported(client: Client) -> None:
    example = client.get("/import/example.csv").content
    run = imported(client, example)
    assert (run.created, run.rejected) == (3, 0)


def test_the_guides_name_every_system_and_column(client: Client) -> None:
    shown = page(client, "/import/guides")
    for system in (
        "Optix",
        "Acuitas",
        "Optisoft",
        "FLEX",
        "Orasis",
        "Vision Plus",
        "Opticabase",
        "Any other system",
        "first_name",
        "last_name",
        "phone_number",
        "email",
        "last_eye_test_date",
        "risk_category",
        "date_of_birth",
        "nhs_number",
    ):
        assert system in shown
    assert "No vendor publishes its export format" in shown
