"""The import pages: upload, match, fix, check, start, result, and what they refuse."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from patients import records
from patients.csv_import import reader, runs
from patients.import_pages import forms
from patients.models import ImportRun, ImportState, Patient
from practices.journal import Actor
from practices.models import Membership, Practice, Role, User
from sightsync.lib import clock
from tests import imports
from tests.imports import GOOD, ODD_HEADER, SAMPLE, WITH_BAD, at, draft, imported, upload

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


# --- upload -------------------------------------------------------------------------------------


def test_a_file_whose_columns_are_known_goes_straight_to_the_check(client: Client) -> None:
    run = draft(client)
    assert run.state == ImportState.DRAFT
    assert client.get(at(run))["Location"] == at(run, "check")
    shown = page(client, at(run, "check"))
    assert "Import 2 patients" in shown
    assert not Patient.objects.exists()


def test_a_file_with_a_column_that_is_not_known_is_to_be_matched(client: Client) -> None:
    run = draft(client, ODD_HEADER)
    assert client.get(at(run))["Location"] == at(run, "match")
    shown = page(client, at(run, "match"))
    assert "1 column to look at" in shown
    assert "Mr Shah" in shown


def test_a_header_of_which_nothing_is_known_is_asked_about(client: Client) -> None:
    run = draft(client, b"a,b,c\nJane,Osei,07700900301\n")
    answer = client.post(at(run, "match"), _chosen("first_name", "last_name", "phone_number"))
    assert answer["Location"] == at(run, "check")


@pytest.mark.parametrize(
    ("name", "content", "status", "says"),
    [
        ("list.csv", b"", 400, "The file is empty"),
        ("list.xls", b"\xd0\xcf\x11\xe0" + b"x" * 99, 400, "old Excel file"),
        ("list.pdf", b"%PDF-1.7 x", 400, "PDF"),
        ("list.csv", b"%PDF-1.7 x", 400, "PDF"),
        ("list.zip", b"PK\x03\x04 x", 400, "compressed folder"),
        ("list.xlsx", b"PK\x03\x04 x", 400, "XLSX"),
        ("list.csv", b"first_name,phone_number\n", 400, "no rows below it"),
    ],
)
def test_what_cannot_be_read_is_explained_by_the_field(
    client: Client, name: str, content: bytes, status: int, says: str
) -> None:
    answer = upload(client, content, name)
    shown = answer.content.decode()
    assert answer.status_code == status
    assert "There is a problem" in shown
    assert shown.count(says) >= 2  # in the summary and by the field
    assert "<title>Error: " in shown
    assert not ImportRun.objects.exists()


def test_an_upload_without_a_file_says_so(client: Client) -> None:
    answer = client.post("/import")
    assert answer.status_code == 400
    assert "Choose the file to upload." in answer.content.decode()


def test_a_file_that_is_too_large_is_refused(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MAX_BYTES", 40)
    answer = upload(client)
    assert answer.status_code == 413
    assert forms.TOO_BIG in answer.content.decode()
    assert not ImportRun.objects.exists()


class Unreadable:
    """A body that must not be read."""

    def read(self, *args: object) -> bytes:
        raise AssertionError("the body was read")

    readline = read


@pytest.mark.parametrize("enforce", [True, False])
def test_a_body_that_is_announced_as_too_large_is_not_read(alice: User, enforce: bool) -> None:
    """Not by the protection of forms either, which looks for its token in the body."""
    client = Client(enforce_csrf_checks=enforce)
    client.force_login(alice)
    announced: dict[str, Any] = {"CONTENT_LENGTH": str(1 << 30), "wsgi.input": Unreadable()}
    answer = client.post("/import", content_type="multipart/form-data; boundary=x", **announced)
    assert answer.status_code == 413
    assert forms.TOO_BIG in answer.content.decode()


def test_the_upload_is_protected_against_forms_of_others(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    answer = client.post("/import", {"file": SimpleUploadedFile("list.csv", GOOD)})
    assert answer.status_code == 403
    assert not ImportRun.objects.exists()


def test_the_same_file_is_stopped_with_a_way_to_the_earlier_import(client: Client) -> None:
    earlier = imported(client)
    answer = upload(client)
    shown = answer.content.decode()
    assert answer.status_code == 409
    assert "This file has been imported before" in shown
    assert at(earlier) in shown
    assert ImportRun.objects.count() == 1


def test_another_practices_same_file_is_nobody_elses_business(
    client: Client, charlie: User
) -> None:
    imported(client)
    other = Client()
    other.force_login(charlie)
    assert upload(other).status_code == 302


# --- match --------------------------------------------------------------------------------------


def test_a_match_is_remembered_for_the_next_file(client: Client) -> None:
    run = draft(client, ODD_HEADER)
    answer = client.post(at(run, "match"), _chosen("first_name", "last_name", "phone_number", ""))
    assert answer.status_code == 302
    again = draft(client, ODD_HEADER.replace(b"Jane", b"Tom"))
    assert client.get(at(again))["Location"] == at(again, "check")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        (("", "last_name", "phone_number", ""), "first name"),
        (("first_name", "last_name", "", ""), "phone number or the email"),
        (("first_name", "first_name", "phone_number", ""), "given to 2 columns"),
        (("first_name", "no_such_field", "phone_number", ""), "Choose one of the list"),
    ],
)
def test_a_match_that_is_not_enough_is_sent_back(
    client: Client, fields: tuple[str, ...], says: str
) -> None:
    run = draft(client, ODD_HEADER)
    answer = client.post(at(run, "match"), _chosen(*fields))
    assert answer.status_code == 400
    assert says in answer.content.decode()
    assert "There is a problem" in answer.content.decode()


MONTH_FIRST = (
    b"first_name,phone_number,Seen\nJane,07700900301,04/13/2023\nTom,07700900302,05/06/2023\n"
)


def test_dates_that_put_the_month_first_are_asked_about_and_never_guessed(client: Client) -> None:
    run = draft(client, MONTH_FIRST)
    chosen = _chosen("first_name", "phone_number", "last_eye_test_date")
    answer = client.post(at(run, "match"), chosen)
    shown = answer.content.decode()
    assert answer.status_code == 400
    assert "the day or the month first" in shown
    assert 'name="order-2"' in shown
    client.post(at(run, "match"), {**chosen, "order-2": "month_first"})
    client.post(at(run, "start"))
    imports.run_jobs()
    days = Patient.objects.order_by("first_name").values_list("last_eye_test_date", flat=True)
    assert [str(day) for day in days] == ["2023-04-13", "2023-05-06"]


def _chosen(*fields: str) -> dict[str, str]:
    return {f"column-{place}": field for place, field in enumerate(fields)}


# --- fix ----------------------------------------------------------------------------------------


def test_only_bad_rows_are_shown_by_their_numbers_in_the_file(client: Client) -> None:
    run = draft(client, WITH_BAD)
    assert client.get(at(run))["Location"] == at(run, "fix")
    shown = page(client, at(run, "fix"))
    assert 'id="row-4"' in shown
    assert 'id="row-5"' in shown
    assert "Jane" not in shown
    assert 'value="31/02/2023"' in shown
    assert "Correct “Phone number” in 1 row" in shown


def test_cells_are_corrected_in_place(client: Client) -> None:
    run = draft(client, WITH_BAD)
    typed = {"row-4-phone_number": "07700 900303", "row-5-last_eye_test_date": "28/02/2023"}
    answer = client.post(at(run, "fix"), typed)
    assert answer["Location"] == at(run, "check")
    imports.run_jobs()
    assert "Import 4 patients" in page(client, at(run, "check"))


def test_what_is_still_wrong_stays_with_what_was_typed(client: Client) -> None:
    run = draft(client, WITH_BAD)
    answer = client.post(
        at(run, "fix"), {"row-4-phone_number": "07700 900303", "row-5-last_eye_test_date": "x"}
    )
    shown = answer.content.decode()
    assert answer.status_code == 400
    assert "1 row is right now, 1 to go" in shown
    assert 'value="x"' in shown
    assert 'id="row-4"' not in shown


def test_saving_nothing_says_so(client: Client) -> None:
    run = draft(client, WITH_BAD)
    answer = client.post(at(run, "fix"), {"row-4-phone_number": "12"})
    assert answer.status_code == 400
    assert "Nothing was changed" in answer.content.decode()


def test_inputs_for_other_rows_and_fields_are_not_taken(client: Client) -> None:
    run = draft(client, WITH_BAD)
    client.post(at(run, "fix"), {"row-2-phone_number": "07700900399", "row-4-first_name": "Ann"})
    imports.run_jobs()
    run.refresh_from_db()
    assert run.fixes == {}


def test_one_row_and_then_all_are_left_out(client: Client) -> None:
    run = draft(client, WITH_BAD)
    assert client.post(at(run, "leave-out"), {"row": "4"})["Location"] == at(run, "fix")
    assert 'id="row-4"' not in page(client, at(run, "fix"))
    assert client.post(at(run, "leave-out"))["Location"] == at(run, "check")
    assert client.post(at(run, "leave-out"), {"row": "x"}).status_code == 404


def test_bad_rows_come_in_pages(client: Client) -> None:
    many = b"".join(b"Ann,No%d,12,21/02/2023\n" % number for number in range(60))
    run = draft(client, GOOD + many)
    first = page(client, at(run, "fix"))
    assert first.count('name="row-') == 50
    assert "1 to 50 of 60 rows" in first
    assert page(client, at(run, "fix") + "?start=50").count('name="row-') == 10
    for start in ("-1", "x", "9" * 30, "500"):
        assert page(client, f"{at(run, 'fix')}?start={start}").count('name="row-') == 50


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
    client.post(at(run, "match"), _chosen(*fields))
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
