"""An import is taken back: old values, later edits, opt-outs, and those it brought."""

from collections.abc import Callable

import pytest

from patients import opt_out, records
from patients.csv_import import at_once, runs, undo, work
from patients.models import ImportChange, ImportRun, ImportState, Patient
from practices import journal
from practices.journal import Actor
from practices.models import JournalEntry, Practice, User
from sightsync.lib import failpoints
from sightsync.lib.errors import AppError

ACTOR = Actor.system("test")
BEFORE = "Id,Forename,Mobile,Email,Last exam,NHS no\n1,Jane,07700900001,,01/02/2024,943 476 5919\n"
AFTER = (
    "Id,Forename,Mobile,Email,Last exam,NHS no,Opted out\n"
    "1,Janet,07700900002,j@example.org,13/02/2025,401 023 2137,{out}\n"
    "2,Tom,07700900003,,14/02/2025,,\n"
    "3,Una,07700900004,,14/02/2025,,\n"
)


def imported(practice: Practice, text: str = AFTER, out: str = "") -> ImportRun:
    at_once.run(practice=practice, file_name="a.csv", content=BEFORE.encode(), actor=ACTOR)
    return brought(practice, text.format(out=out))


def brought(practice: Practice, text: str) -> ImportRun:
    run = runs.upload(
        practice=practice, file_name="b.csv", content=text.encode(), user=None, actor=ACTOR
    )
    runs.start(run=run, user=None, actor=ACTOR)
    work.import_file(run.pk)
    run.refresh_from_db()
    assert run.state == ImportState.DONE
    return run


def undone(run: ImportRun, user: User | None = None) -> ImportRun:
    runs.undo(run=run, user=user, actor=ACTOR)
    undo.undo_import(run.pk)
    run.refresh_from_db()
    assert run.state == ImportState.UNDONE
    return run


def test_everything_is_as_it_was(
    practice: Practice, alice: User, at: Callable[[str], None]
) -> None:
    at_once.run(practice=practice, file_name="a.csv", content=BEFORE.encode(), actor=ACTOR)
    records.mark_phone_wrong(patient=Patient.objects.get(), actor=ACTOR)
    before = Patient.objects.values().get()
    run = brought(practice, AFTER.format(out=""))
    assert Patient.objects.get(external_id="1").first_name == "Janet"
    assert runs.undo_preview(run).created == 2
    assert runs.undo_preview(run).updated == 1
    at("2026-11-20T09:00:00Z")
    undone(run, alice)
    after = Patient.objects.values().get()
    for record in (before, after):
        record.pop("updated_at")
    assert after == before
    assert run.undone == {"removed": 2, "archived": 0, "restored": 1, "kept": []}
    assert run.undone_by == alice
    entry = JournalEntry.objects.get(action="import.undone")
    assert entry.facts == {"removed": 2, "archived": 0, "restored": 1, "kept": 0}
    assert JournalEntry.objects.filter(action="patient.removed").count() == 2
    assert not ImportChange.objects.exists()


def test_the_same_file_may_be_imported_again_after_that(practice: Practice) -> None:
    undone(imported(practice))
    run = brought(practice, AFTER.format(out=""))
    assert (run.created, run.updated) == (2, 1)


def test_a_later_edit_is_kept_and_named(practice: Practice, at: Callable[[str], None]) -> None:
    run = imported(practice)
    at("2026-11-19T09:00:00Z")
    jane = Patient.objects.get(external_id="1")
    records.update(patient=jane, data={"email": "new@example.org"}, source="staff", actor=ACTOR)
    undone(run)
    jane.refresh_from_db()
    assert (jane.email, jane.first_name) == ("new@example.org", "Jane")
    assert jane.phone_number == "+447700900001"
    assert run.undone["kept"] == [{"patient": str(jane.pk), "fields": ["email"]}]


def test_the_due_date_follows_what_is_there_now(
    practice: Practice, at: Callable[[str], None]
) -> None:
    run = imported(practice)
    at("2026-11-19T09:00:00Z")
    jane = Patient.objects.get(external_id="1")
    data: records.PatientData = {"clinician_due_date": "2027-05-05"}
    records.update(patient=jane, data=data, source="staff", actor=ACTOR)
    undone(run)
    jane.refresh_from_db()
    assert str(jane.last_eye_test_date) == "2024-02-01"
    assert str(jane.next_clinical_due_date) == "2027-05-05"


def test_an_opt_out_is_never_undone(practice: Practice, at: Callable[[str], None]) -> None:
    run = imported(practice, out="yes")
    jane = Patient.objects.get(external_id="1")
    assert jane.opted_out
    at("2026-11-19T09:00:00Z")
    tom = Patient.objects.get(external_id="2")
    opt_out.record(patient=tom, source="sms_reply", actor=ACTOR)
    undone(run)
    jane.refresh_from_db()
    tom.refresh_from_db()
    assert jane.opted_out
    assert tom.opted_out
    assert tom.archived_at is not None
    assert (run.undone["removed"], run.undone["archived"]) == (1, 1)


def test_somebody_with_whom_something_happened_is_archived(
    practice: Practice, at: Callable[[str], None]
) -> None:
    run = imported(practice)
    at("2026-11-19T09:00:00Z")
    tom = Patient.objects.get(external_id="2")
    journal.record(practice=practice, action="call.completed", actor=ACTOR, patient=tom.pk)
    undone(run)
    tom.refresh_from_db()
    assert tom.archived_at is not None


def test_after_thirty_days_it_stays(practice: Practice, at: Callable[[str], None]) -> None:
    run = imported(practice)
    at("2026-12-18T09:59:00Z")
    assert runs.undo_preview(run).possible
    at("2026-12-19T12:00:00Z")
    assert not runs.undo_preview(run).possible
    with pytest.raises(AppError, match="30 days"):
        runs.undo(run=run, user=None, actor=ACTOR)


def test_it_is_taken_back_once(practice: Practice) -> None:
    run = undone(imported(practice))
    with pytest.raises(AppError):
        runs.undo(run=run, user=None, actor=ACTOR)
    undo.undo_import(run.pk)
    assert JournalEntry.objects.filter(action="import.undone").count() == 1


@pytest.mark.parametrize("passing", [1, 2, 3])
def test_a_killed_undo_goes_on(
    practice: Practice, monkeypatch: pytest.MonkeyPatch, passing: int
) -> None:
    class Killed(BaseException):
        pass

    monkeypatch.setattr(undo, "BATCH", 1)
    run = imported(practice)
    left = [passing]

    def hit(place: str) -> None:
        left[0] -= place == "undo.before_commit"
        if left[0] == 0:
            left[0] = -1
            raise Killed

    monkeypatch.setattr(failpoints, "hit", hit)
    runs.undo(run=run, user=None, actor=ACTOR)
    with pytest.raises(Killed):
        undo.undo_import(run.pk)
    run.refresh_from_db()
    assert run.lease_until is not None
    run.lease_until = run.created_at
    run.save(update_fields=["lease_until"])
    assert (work.UNDO_JOB, run.pk) in set(work.left_behind())
    undo.undo_import(run.pk)
    run.refresh_from_db()
    assert run.undone == {"removed": 2, "archived": 0, "restored": 1, "kept": []}
    assert Patient.objects.get().first_name == "Jane"
