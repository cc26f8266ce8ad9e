"""One reading of a system: what it brings in, what it leaves alone, and that the counts add up."""

from dataclasses import replace
from datetime import date

import pytest
from django.db import connection as database

from integrations.models import Kind
from integrations.pms.optix.client import Optix
from patients import opt_out, records
from patients.models import Patient, PmsRecord, SyncScope, SyncState
from practices.models import JournalEntry
from sightsync.lib import clock
from tests.engine import ACTOR
from tests.systems import counts

pytestmark = pytest.mark.django_db


def adds_up(done) -> bool:
    return done.read == done.created + done.updated + done.unchanged + done.rejected


def versions() -> dict[object, object]:
    """Which transaction wrote each patient's row last, and each record's."""
    with database.cursor() as cursor:
        cursor.execute("SELECT id::text, xmin::text FROM patients_patient")
        found = dict(cursor.fetchall())
        cursor.execute("SELECT 'r' || id::text, xmin::text FROM patients_pmsrecord")
        return found | dict(cursor.fetchall())


@pytest.mark.parametrize("kind", [Kind.OPTIX, Kind.ACUITAS, Kind.OPTISOFT])
def test_brings_everybody_in_the_first_time(practice, sandbox, connect, read, kind) -> None:
    sandbox.post(f"/pms/{kind}/size", {"patients": 300})
    done = read(connect(practice, kind))
    assert (done.state, done.scope, done.read) == (SyncState.DONE, SyncScope.FULL, 300)
    assert adds_up(done)
    assert done.created == Patient.objects.filter(practice=practice, source=kind).count() > 200
    assert JournalEntry.objects.filter(action="patient.created").count() == done.created
    [entry] = JournalEntry.objects.filter(action="sync.completed")
    assert entry.facts["read"] == 300
    assert entry.subject_id == str(done.pk)


def test_a_second_time_writes_nothing(connection, optix, read, at) -> None:
    read(connection)
    before = versions()
    at("2026-11-18T10:30:00Z")
    again = read(connection, full=True)
    assert adds_up(again)
    assert (again.scope, again.created, again.updated) == (SyncScope.FULL, 0, 0)
    assert versions() == before


def test_asks_for_changes_only_and_takes_them_over(connection, optix, read, at) -> None:
    read(connection)
    at("2026-11-18T11:00:00Z")
    [changed] = optix.change(1, last="Newname")
    done = read(connection)
    assert (done.scope, done.updated, done.created) == (SyncScope.CHANGES, 1, 0)
    assert done.read < 40
    assert Patient.objects.get(external_id=changed).last_name == "Newname"


def test_a_new_patient_comes_in_the_next_time(connection, optix, read, at) -> None:
    read(connection)
    at("2026-11-18T11:00:00Z")
    key = optix.add(first="Nina", last="Late", mobile="07700 900321", born="1980-02-03")
    done = read(connection)
    assert done.created == 1
    assert Patient.objects.get(external_id=key).date_of_birth == date(1980, 2, 3)


def test_a_correction_made_here_stays_until_it_changes_there(connection, optix, read, at) -> None:
    read(connection)
    [key] = optix.change(1)
    at("2026-11-18T11:00:00Z")
    read(connection)
    who = Patient.objects.get(external_id=key)
    records.correct_phone(patient=who, phone_number="07700900555", source="staff", actor=ACTOR)
    at("2026-11-18T12:00:00Z")
    optix.edit(key, last="Married")
    read(connection)
    who.refresh_from_db()
    assert (who.last_name, who.phone_number) == ("Married", "+447700900555")
    at("2026-11-18T13:00:00Z")
    optix.edit(key, mobile="07700 900777")
    read(connection)
    who.refresh_from_db()
    assert who.phone_number == "+447700900777"


def test_a_number_that_became_useless_there_is_used_no_more(connection, optix, read, at) -> None:
    read(connection)
    [key] = optix.change(1)
    at("2026-11-18T11:00:00Z")
    optix.edit(key, mobile="ex-directory", home="")
    read(connection)
    assert Patient.objects.get(external_id=key).phone_number == ""


def test_an_opt_out_there_is_heard_and_one_here_is_never_undone(
    connection, optix, read, at
) -> None:
    read(connection)
    first, second = optix.change(2)
    opt_out.record(patient=Patient.objects.get(external_id=first), source="staff", actor=ACTOR)
    at("2026-11-18T11:00:00Z")
    optix.edit(first, last="Changed", says_no=[])
    optix.edit(second, says_no=["sms"])
    read(connection)
    assert Patient.objects.get(external_id=first).opted_out
    assert "sms" in Patient.objects.get(external_id=second).opted_out_channels


def test_whoever_is_gone_is_archived_and_taken_up_again(connection, optix, read, at) -> None:
    read(connection)
    at("2026-11-18T11:00:00Z")
    gone = optix.remove(3)
    quick = read(connection)
    assert (quick.scope, quick.archived) == (SyncScope.CHANGES, 0)
    at("2026-11-18T12:00:00Z")
    done = read(connection, full=True)
    assert (done.archived, done.state) == (3, SyncState.DONE)
    people = Patient.objects.filter(external_id__in=gone)
    assert all(one.archived_at for one in people)
    assert JournalEntry.objects.filter(action="patient.archived").count() == 3

    at("2026-11-18T13:00:00Z")
    optix.restore(gone[:1])
    read(connection)
    assert Patient.objects.get(external_id=gone[0]).archived_at is None
    assert JournalEntry.objects.filter(action="patient.restored").count() == 1


def test_who_was_left_out_while_the_list_moved_is_not_gone(
    connection, optix, read, at, monkeypatch
) -> None:
    first = read(connection)
    asked, skipped = [], optix.change(1)[0]
    whole = Optix.patients

    def moving(self, *, since, cursor=""):
        page = whole(self, since=since, cursor=cursor)
        asked.append(cursor)
        items = [one for one in page.items if len(asked) > 1 or one.external_id != skipped]
        return replace(page, items=items)

    monkeypatch.setattr(Optix, "patients", moving)
    at("2026-11-18T11:00:00Z")
    done = read(connection, full=True)
    assert (done.state, done.archived, len(asked)) == (SyncState.DONE, 0, 2)
    assert (done.read, done.updated) == (first.read, 1)
    assert adds_up(done)


def test_whom_staff_archived_stays_archived(connection, optix, read, at) -> None:
    read(connection)
    [key] = optix.change(1)
    records.archive(patient=Patient.objects.get(external_id=key), actor=ACTOR)
    at("2026-11-18T11:00:00Z")
    gone = optix.remove(1)
    assert gone == [key]
    read(connection, full=True)
    at("2026-11-18T12:00:00Z")
    optix.restore(gone)
    read(connection)
    assert Patient.objects.get(external_id=key).archived_at is not None


def test_when_too_many_are_missing_nobody_is_archived(connection, optix, read, at) -> None:
    first = read(connection)
    at("2026-11-18T11:00:00Z")
    optix.remove(first.created // 2)
    done = read(connection, full=True)
    assert (done.state, done.error_code) == (SyncState.FAILED, "too_many_gone")
    assert not Patient.objects.exclude(archived_at=None).exists()
    assert JournalEntry.objects.get(action="sync.failed").facts["code"] == "too_many_gone"

    at("2026-11-18T12:00:00Z")
    done = read(connection, gone_accepted=True)
    assert (done.state, done.archived) == (SyncState.DONE, first.created // 2)


def test_a_list_that_is_empty_archives_nobody(connection, optix, read, at) -> None:
    read(connection)
    at("2026-11-18T11:00:00Z")
    optix.size(0)
    assert read(connection, full=True).error_code == "too_many_gone"
    assert not Patient.objects.exclude(archived_at=None).exists()


def test_a_patient_from_a_file_is_the_same_patient(practice, connection, optix, read) -> None:
    """By the id that the file had."""
    read(connection)
    known = Patient.objects.exclude(last_eye_test_date=None).first()
    Patient.objects.exclude(pk=known.pk).delete()
    PmsRecord.objects.all().delete()
    done = read(connection, full=True)
    known.refresh_from_db()
    assert done.unchanged >= 1
    assert Patient.objects.filter(external_id=known.external_id).count() == 1


def test_another_systems_id_is_no_proof_of_identity(practice, connection, optix, read) -> None:
    key = optix.add(first="Amy", last="Pond", mobile="07700 900322", born="1990-01-01")
    stranger = records.upsert(
        practice=practice,
        data={
            "external_id": key,
            "first_name": "Rory",
            "last_name": "Williams",
            "date_of_birth": "1950-05-05",
            "phone_number": "07700900654",
        },
        source="csv",
        actor=ACTOR,
    ).patient
    done = read(connection)
    stranger.refresh_from_db()
    assert (stranger.first_name, done.reasons["id_of_another"]) == ("Rory", 1)
    assert adds_up(done)


def test_an_erased_person_is_not_brought_back(connection, optix, read, at) -> None:
    read(connection)
    [key] = optix.change(1)
    who = Patient.objects.get(external_id=key)
    at("2026-11-18T11:00:00Z")
    Patient.objects.filter(pk=who.pk).update(
        erased_at=clock.now(), external_id="", first_name="Erased", phone_number=""
    )
    optix.edit(key, last="Again")
    done = read(connection)
    assert done.reasons == {"erased": 1}
    assert not Patient.objects.filter(external_id=key).exists()


def test_a_record_nobody_can_be_reached_by_is_counted_not_kept(connection, optix, read) -> None:
    optix.add(first="Nobody", last="Home")
    done = read(connection)
    assert done.reasons["no_contact"] >= 1
    assert adds_up(done)
    again = read(connection, full=True)
    assert (again.rejected, again.reasons) == (done.rejected, done.reasons)


def test_counts_of_a_quiet_night(connection, optix, read, at) -> None:
    read(connection)
    at("2026-11-18T11:00:00Z")
    assert counts(read(connection)) == (0, 0, 0, 0, 0)
