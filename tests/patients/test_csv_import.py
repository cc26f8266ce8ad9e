"""An export becomes patients: the sample file, families, repeats, wishes, and files that are
refused.
"""

import csv
import io
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from patients import opt_out, records
from patients.csv_import import at_once, bulk, files
from patients.models import ImportRun, Patient
from practices.journal import Actor
from practices.models import JournalEntry, Practice
from sightsync.lib import clock

ACTOR = Actor.operator("import_csv")
SAMPLE = Path(__file__).parents[2] / "docs" / "samples" / "messy-60.csv"


COUNTS = ("created", "updated", "unchanged", "rejected")


@dataclass
class Result:
    done: at_once.Done

    @property
    def counts(self) -> Counter[str]:
        found = {name: getattr(self.done.run, name) for name in COUNTS}
        return Counter({name: count for name, count in found.items() if count})

    @property
    def rows_read(self) -> int:
        return self.done.run.rows_read


def run(practice: Practice, text: str) -> Result:
    return Result(
        at_once.run(practice=practice, file_name="x.csv", content=text.encode(), actor=ACTOR)
    )


def reasons(result: Result) -> dict[int, str]:
    return {row.number: " ".join(row.reasons) for row in result.done.rejected}


def state(practice: Practice) -> tuple[list[Any], int]:
    rows = Patient.objects.filter(practice=practice).order_by("id").values()
    return list(rows), JournalEntry.objects.count()


def command(path: Path, practice_id: str, *options: str) -> str:
    out = io.StringIO()
    call_command("import_csv", str(path), "--practice", practice_id, *options, stdout=out)
    return out.getvalue()


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    copy = tmp_path / SAMPLE.name
    copy.write_bytes(SAMPLE.read_bytes())
    return copy


def test_the_sample_file_is_imported_with_a_reason_for_every_rejected_row(
    practice: Practice, sample: Path
) -> None:
    output = command(sample, practice.public_id)
    assert "Rows read: 60\nCreated: 46\nUpdated: 0\nUnchanged: 1\nRejected: 13" in output
    assert Patient.objects.count() == 46
    rejected = sample.with_name("messy-60.csv.rejected.csv").read_bytes().decode("utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(rejected)))
    assert [int(line["row"]) for line in lines] == [*range(51, 62), 63, 64]
    assert all(line["reason"].endswith(".") for line in lines)
    assert lines[10]["Surname"] == "'=2+3"
    assert lines[10]["Comments"].startswith("'=HYPERLINK")


def test_the_sample_covers_every_persona_with_somebody_who_is_overdue(
    practice: Practice, sample: Path
) -> None:
    command(sample, practice.public_id)
    for persona in range(1, 22):
        patient = Patient.objects.filter(phone_number=f"+4477009007{persona:02d}").earliest("id")
        assert patient.next_clinical_due_date < clock.today()
        assert not patient.opted_out
    with_email = Patient.objects.filter(phone_number__in=["+447700900706", "+447700900707"])
    assert all(patient.email for patient in with_email)


def test_the_sample_is_understood(practice: Practice, sample: Path) -> None:
    command(sample, practice.public_id)
    patients = {p.external_id: p for p in Patient.objects.exclude(external_id="")}
    assert patients["1001"].first_name == "Siobhán"
    assert patients["1001"].last_name == "O’Connor"
    assert patients["1001"].nhs_number == "9434765919"
    assert patients["1022"].phone_number == patients["1001"].phone_number
    assert patients["1022"].due_reason == "myopia_child"
    assert patients["1024"].due_reason == "standard_under_16"
    assert patients["1025"].due_reason == "standard_70_plus"
    assert patients["1026"].risk_category == "diabetic"
    assert patients["1011"].last_eye_test_date == date(2023, 10, 15)
    assert patients["1035"].due_source == "pms"
    assert patients["1038"].due_source == "never_tested"
    assert patients["1029"].deceased_at is not None
    assert patients["1030"].opted_out
    assert patients["1031"].opted_out_channels == ["sms"]
    assert patients["1040"].phone_number == ""
    assert all(p.phone_number[:10] in ("", "+447700900") for p in patients.values())
    assert Patient.objects.filter(last_name="Frost").count() == 2


def test_the_same_file_twice_changes_nothing(
    practice: Practice, sample: Path, at: Callable[[str], None]
) -> None:
    command(sample, practice.public_id)
    before = state(practice)
    at("2026-11-19T09:00:00Z")
    output = command(sample, practice.public_id)
    assert "Created: 0\nUpdated: 0\nUnchanged: 47\nRejected: 13" in output
    assert state(practice) == before
    assert ImportRun.objects.count() == 2


def test_every_created_patient_has_one_journal_entry(practice: Practice, sample: Path) -> None:
    command(sample, practice.public_id)
    actions = Counter(JournalEntry.objects.values_list("action", flat=True))
    assert actions == {
        "patient.created": 46,
        "patient.deceased": 1,
        "optout.recorded": 2,
        "import.completed": 1,
    }


def test_a_dry_run_says_the_same_and_writes_nothing(practice: Practice, sample: Path) -> None:
    output = command(sample, practice.public_id, "--dry-run")
    assert "Created: 46\nUpdated: 0\nUnchanged: 1\nRejected: 13" in output
    assert state(practice) == ([], 0)
    assert not ImportRun.objects.exists()


def test_an_import_gives_the_record_that_a_single_write_gives(
    practice: Practice, other_practice: Practice
) -> None:
    text = (
        "first_name,last_name,phone_number,email,last_eye_test_date,risk_category,nhs_number,dob\n"
        "Jane,Smith,07700900001,J@Example.org,15/01/2024,diabetic,943 476 5919,1/2/80\n"
    )
    run(practice, text)
    data: Any = {
        "first_name": "Jane",
        "last_name": "Smith",
        "phone_number": "07700 900001",
        "email": "j@example.org",
        "last_eye_test_date": "2024-01-15",
        "risk_category": "diabetic",
        "nhs_number": "9434765919",
        "date_of_birth": date(1980, 2, 1),
    }
    records.upsert(practice=other_practice, data=data, source="csv", actor=ACTOR)
    one, other = Patient.objects.order_by("id").values()
    for record in (one, other):
        del record["id"], record["practice_id"]
    assert one == other


def test_blank_cells_leave_what_is_known(practice: Practice) -> None:
    run(practice, "first_name,phone,email,dob\nJane,07700900001,j@example.org,1/2/80\n")
    result = run(practice, "first_name,phone,email,dob\nJanet,07700900001,,\n")
    assert result.counts["updated"] == 1
    patient = Patient.objects.get()
    assert (patient.first_name, patient.email) == ("Janet", "j@example.org")
    assert patient.date_of_birth == date(1980, 2, 1)
    entry = JournalEntry.objects.get(action="patient.updated")
    assert entry.facts == {"source": "csv", "fields": ["first_name"]}


def test_a_family_on_one_number_stays_a_family(practice: Practice) -> None:
    text = "first_name,last_name,phone\nAnn,Lee,07700900001\nBen,Lee,07700900001\n"
    assert run(practice, text).counts == {"created": 2}
    assert run(practice, text).counts == {"unchanged": 2}
    result = run(practice, "first_name,last_name,phone\nCy,Lee,07700900001\n")
    assert "Several patients share this number" in reasons(result)[2]


def test_a_stranger_with_a_known_number_is_not_written_over(practice: Practice) -> None:
    run(practice, "first_name,phone,dob\nAnn,07700900001,1/2/1950\n")
    result = run(practice, "first_name,phone,dob\nBob,07700900001,3/4/1990\n")
    assert "Another patient" in reasons(result)[2]
    assert Patient.objects.get().first_name == "Ann"


def test_a_patient_named_twice_is_added_to_but_not_contradicted(practice: Practice) -> None:
    text = (
        "first_name,phone,email,dob\n"
        "Jane,07700900001,,1/2/1980\n"
        "Jane,07700900001,j@example.org,\n"
        "Jane,07700900001,,2/2/1980\n"
    )
    result = run(practice, text)
    assert result.counts == {"created": 1, "updated": 1, "rejected": 1}
    assert reasons(result)[4].startswith("Row 2 is the same patient with another date of birth.")
    assert run(practice, text).counts == {"unchanged": 2, "rejected": 1}


def test_an_import_never_takes_an_opt_out_back(practice: Practice) -> None:
    run(practice, "first_name,phone,sms ok\nJane,07700900001,no\n")
    opt_out.record(patient=Patient.objects.get(), source="phone_call", actor=ACTOR)
    result = run(practice, "first_name,phone,sms ok,opted out\nJane,07700900001,yes,no\n")
    assert result.counts["unchanged"] == 1
    patient = Patient.objects.get()
    assert patient.opted_out
    assert patient.opted_out_channels == ["sms"]


def test_a_new_opt_out_counts_as_an_update(practice: Practice) -> None:
    run(practice, "first_name,phone\nJane,07700900001\n")
    text = "first_name,phone,do not contact\nJane,07700900001,Y\n"
    assert run(practice, text).counts["updated"] == 1
    assert run(practice, text).counts["unchanged"] == 1
    assert Patient.objects.get().opted_out_source == "csv"


def test_a_suppressed_number_comes_back_as_a_record_never_contacted(practice: Practice) -> None:
    opt_out.record_number(practice=practice, phone="+447700900001", source="sms_reply", actor=ACTOR)
    assert run(practice, "first_name,phone\nJane,07700900001\n").counts["created"] == 1
    assert Patient.objects.get().opted_out


def test_an_import_says_how_many_will_never_be_contacted(
    practice: Practice, tmp_path: Path
) -> None:
    opt_out.record_number(practice=practice, phone="+447700900001", source="sms_reply", actor=ACTOR)
    path = tmp_path / "patients.csv"
    path.write_text("First name,Mobile\nJane,07700900001\nTim,07700900002\n")
    output = command(path, practice.public_id)
    assert "Never to be contacted, from an earlier opt-out or erasure: 1" in output
    assert JournalEntry.objects.get(action="import.completed").facts["suppressed"] == 1
    assert "Never" not in command(path, practice.public_id)


def test_a_column_with_the_month_first_is_not_guessed_at(practice: Practice) -> None:
    result = run(
        practice,
        "first_name,phone,last exam\n"
        "A,07700900001,12/25/2023\nB,07700900002,03/04/2024\nC,07700900003,2024-01-02\n",
    )
    assert set(reasons(result)) == {2, 3}
    assert Patient.objects.get().first_name == "C"


def test_counts_add_up_across_chunks(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "FRAME_ROWS", 7)
    lines = [f"P{n % 40},07700900{n % 45:03d}," for n in range(100)] + ["X,nonsense,"]
    text = "\n".join(["first_name,phone,email", *lines]) + "\n"
    result = run(practice, text)
    assert result.rows_read == 101
    again = run(practice, text)
    assert again.counts["created"] == again.counts["updated"] == 0
    assert again.rows_read == 101


def test_the_number_of_queries_does_not_grow_with_the_rows(
    practice: Practice, django_assert_max_num_queries: Any
) -> None:
    text = "first_name,phone\n" + "".join(f"P{n},07700900{n:03d}\n" for n in range(1000))
    with django_assert_max_num_queries(32):
        run(practice, text)
    changed = text.replace("P", "Q")
    with django_assert_max_num_queries(32):
        assert run(practice, changed).counts["updated"] == 1000


def test_another_practice_is_not_touched(practice: Practice, other_practice: Practice) -> None:
    text = "first_name,phone,id\nJane,07700900001,1\n"
    run(practice, text)
    assert run(other_practice, text).counts["created"] == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no file"),
        (b"", "is empty"),
        (b"colour,size\nred,1\n", "No header row"),
        (b"first_name,phone\n", "no rows below"),
        (b'first_name,phone\n"A,1\n', "never closed"),
    ],
)
def test_a_bad_file_changes_nothing(
    practice: Practice, tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "bad.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CommandError, match=words):
        command(path, practice.public_id)
    assert state(practice) == ([], 0)
    assert list(tmp_path.iterdir()) == ([path] if content is not None else [])


@pytest.mark.parametrize(
    "practice_id", ["", "prc_1", "pat_01H", "01a1fc0e-dde5-144f-4323-7163c597e730"]
)
def test_a_wrong_practice_is_refused(db: None, sample: Path, practice_id: str) -> None:
    with pytest.raises(CommandError, match=r"practice.* Nothing was imported\.$"):
        command(sample, practice_id)


def test_a_stale_file_of_rejected_rows_is_removed(practice: Practice, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("first_name,phone\nJane,1\n")
    command(path, practice.public_id)
    rejected = tmp_path / "list.csv.rejected.csv"
    assert rejected.exists()
    path.write_text("first_name,phone\nJane,07700900001\n")
    command(path, practice.public_id)
    assert not rejected.exists()


def two_imports(practice: Practice) -> list[str]:
    """Two imports of one file at the same moment; the first names of the records afterwards."""
    text = "first_name,phone\n" + "".join(f"P{n},07700900{n:03d}\n" for n in range(20))
    start = threading.Barrier(2)

    def work() -> None:
        try:
            start.wait()
            run(practice, text)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return list(Patient.objects.values_list("first_name", flat=True))


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_make_each_patient_once(practice: Practice) -> None:
    names = two_imports(practice)
    assert len(names) == len(set(names)) == 20


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_two_imports_make_patients_twice(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: the practice's lock is switched off and both look before either writes."""
    monkeypatch.setattr(records, "serialise_practice", lambda _: None)
    meeting = threading.Barrier(2)
    look = bulk.candidates

    def look_and_wait(*args: Any, **kwargs: Any) -> Any:
        found = look(*args, **kwargs)
        meeting.wait()
        return found

    monkeypatch.setattr(bulk, "candidates", look_and_wait)
    assert len(two_imports(practice)) == 40
