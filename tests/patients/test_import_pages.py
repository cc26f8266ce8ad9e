"""The import pages up to the check: upload, match, fix, and what they refuse."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from patients.csv_import import reader
from patients.import_pages import forms
from patients.models import ImportRun, ImportState, Patient
from practices.models import User
from tests import imports
from tests.imports import GOOD, ODD_HEADER, WITH_BAD, at, chosen, draft, imported, upload

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
    answer = client.post(at(run, "match"), chosen("first_name", "last_name", "phone_number"))
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
    answer = client.post(at(run, "match"), chosen("first_name", "last_name", "phone_number", ""))
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
    answer = client.post(at(run, "match"), chosen(*fields))
    assert answer.status_code == 400
    assert says in answer.content.decode()
    assert "There is a problem" in answer.content.decode()


MONTH_FIRST = (
    b"first_name,phone_number,Seen\nJane,07700900301,04/13/2023\nTom,07700900302,05/06/2023\n"
)


def test_dates_that_put_the_month_first_are_asked_about_and_never_guessed(client: Client) -> None:
    run = draft(client, MONTH_FIRST)
    fields = chosen("first_name", "phone_number", "last_eye_test_date")
    answer = client.post(at(run, "match"), fields)
    shown = answer.content.decode()
    assert answer.status_code == 400
    assert "the day or the month first" in shown
    assert 'name="order-2"' in shown
    client.post(at(run, "match"), {**fields, "order-2": "month_first"})
    client.post(at(run, "start"))
    imports.run_jobs()
    days = Patient.objects.order_by("first_name").values_list("last_eye_test_date", flat=True)
    assert [str(day) for day in days] == ["2023-04-13", "2023-05-06"]


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
