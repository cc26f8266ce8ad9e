"""The one door for patient writes: who is created or updated, what follows, what the journal
says.
"""

import threading
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection

from patients import one_look, opt_out, records, suppressions
from patients.models import Patient, TpsRegister
from practices.journal import Actor
from practices.models import JournalEntry, Practice
from sightsync.lib import clock
from sightsync.lib.errors import AppError

ACTOR = Actor.system("test")


def upsert(practice: Practice, **data: Any) -> records.Upserted:
    data = {"first_name": "Jane", "last_name": "Smith", "phone_number": "07700900001"} | data
    return records.upsert(practice=practice, data=data, source="api", actor=ACTOR)


def journal(action: str) -> list[JournalEntry]:
    return list(JournalEntry.objects.filter(action=action).order_by("id"))


def test_the_seeds_example_is_created(practice: Practice) -> None:
    result = upsert(practice, last_eye_test_date="2024-01-15", risk_category="diabetic")
    patient = Patient.objects.get()
    assert result.what == "created"
    assert patient.phone_number == "+447700900001"
    assert (patient.phone_kind, patient.phone_is_drama) == ("mobile", True)
    assert patient.next_clinical_due_date == date(2025, 1, 15)
    assert (patient.due_interval_months, patient.due_source) == (12, "default_interval")
    assert bytes(patient.phone_hash or b"") == suppressions.phone_hash("+447700900001")
    (entry,) = journal("patient.created")
    assert entry.patient_id == patient.pk
    assert entry.facts == {"source": "api"}


def test_the_same_again_writes_nothing(practice: Practice, at: Callable[[str], None]) -> None:
    first = upsert(practice, clinical_notes="Cataract", nhs_number="943 476 5919").patient
    at("2026-11-19T10:00:00Z")
    again = upsert(practice, clinical_notes="Cataract", nhs_number="9434765919")
    assert again.what == "unchanged"
    assert Patient.objects.get().updated_at == first.updated_at
    assert JournalEntry.objects.count() == 1


def test_a_change_names_its_fields_and_never_their_content(practice: Practice) -> None:
    patient = upsert(practice).patient
    result = upsert(practice, first_name="Janet", email="Jane@Example.org")
    assert result.what == "updated"
    assert result.patient.pk == patient.pk
    (entry,) = journal("patient.updated")
    assert entry.facts == {"source": "api", "fields": ["email", "first_name"]}
    assert Patient.objects.get().email == "jane@example.org"


def test_a_key_left_out_is_not_touched_and_none_clears(practice: Practice) -> None:
    upsert(practice, email="jane@example.org", date_of_birth="1980-02-03")
    upsert(practice)
    assert Patient.objects.get().date_of_birth == date(1980, 2, 3)
    upsert(practice, date_of_birth=None, email="")
    patient = Patient.objects.get()
    assert (patient.date_of_birth, patient.email, patient.email_hash) == (None, "", None)


def test_without_a_last_test_the_patient_is_due_since_the_record_was_made(
    practice: Practice, at: Callable[[str], None]
) -> None:
    upsert(practice)
    at("2026-12-24T10:00:00Z")
    assert upsert(practice).what == "unchanged"
    patient = Patient.objects.get()
    assert patient.next_clinical_due_date == date(2026, 11, 18)
    assert patient.due_source == "never_tested"


def test_the_practices_interval_counts(practice: Practice) -> None:
    practice.recall_intervals = {"standard": 18}
    practice.save(update_fields=["recall_intervals"])
    assert upsert(practice, last_eye_test_date="2025-01-31").patient.next_clinical_due_date == date(
        2026, 7, 31
    )


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        ({"phone_number": "12345"}, 422, "invalid_phone"),
        ({"phone_number": "0906 123 4567"}, 422, "invalid_phone"),
        ({"phone_number": "", "email": ""}, 400, "invalid_patient"),
        ({"first_name": " \u200b "}, 400, "invalid_patient"),
        ({"first_name": "x" * 81}, 400, "invalid_patient"),
        ({"first_name": None}, 400, "invalid_patient"),
        ({"email": "jane@"}, 400, "invalid_patient"),
        ({"date_of_birth": "03/02/1980"}, 400, "invalid_patient"),
        ({"date_of_birth": "2026-11-19"}, 400, "invalid_patient"),
        ({"last_eye_test_date": "2026-11-19"}, 400, "invalid_patient"),
        ({"last_eye_test_date": 20240115}, 400, "invalid_patient"),
        ({"last_eye_test_date": "0001-01-01"}, 400, "invalid_patient"),
        ({"risk_category": "vip"}, 400, "invalid_patient"),
        ({"nhs_number": "1234567890"}, 400, "invalid_patient"),
        ({"own_interval_months": 0}, 400, "invalid_patient"),
        ({"own_interval_months": True}, 400, "invalid_patient"),
        ({"extended": {"k": "x" * 17_000}}, 400, "invalid_patient"),
        ({"extended": []}, 400, "invalid_patient"),
        ({"extended": {"k": "\u0000"}}, 400, "invalid_patient"),
        ({"extended": {"k": float("nan")}}, 400, "invalid_patient"),
        ({"extended": {"k": "\ud800"}}, 400, "invalid_patient"),
        ({"email": "a" * 60 + "@" + "b.c" * 80 + ".org"}, 400, "invalid_patient"),
        ({"clinical_notes": "x" * 5001}, 400, "invalid_patient"),
    ],
)
def test_bad_input_is_refused_and_changes_nothing(
    practice: Practice, data: dict[str, Any], status: int, code: str
) -> None:
    with pytest.raises(AppError) as refusal:
        upsert(practice, **data)
    assert (refusal.value.status, refusal.value.code) == (status, code)
    assert refusal.value.message.endswith(".")
    assert not Patient.objects.exists()
    assert not JournalEntry.objects.exists()


def test_characters_that_cannot_be_stored_are_dropped(practice: Practice) -> None:
    upsert(practice, last_name="Smi\ud800th\0", clinical_notes="No\0te\ud800s")
    patient = Patient.objects.get()
    assert (patient.last_name, patient.clinical_notes) == ("Smith", "Notes")


def test_every_wrong_field_is_named_at_once(practice: Practice) -> None:
    with pytest.raises(AppError) as refusal:
        upsert(practice, first_name="", email="x", date_of_birth="y")
    assert set(refusal.value.extra["errors"]) == {"first_name", "email", "date_of_birth"}


def test_patients_without_a_number_are_told_apart_by_address_and_name(practice: Practice) -> None:
    jane = upsert(practice, phone_number="", email="family@example.org")
    john = upsert(practice, phone_number="", email="family@example.org", first_name="John")
    assert (jane.what, john.what) == ("created", "created")
    assert upsert(practice, phone_number="", email="family@example.org").patient == jane.patient


def test_households_share_a_number_under_different_external_ids(practice: Practice) -> None:
    mother = upsert(practice, external_id="P1").patient
    child = upsert(practice, external_id="P2", first_name="Tom").patient
    assert mother.pk != child.pk
    assert upsert(practice, external_id="P2", first_name="Thomas").patient.pk == child.pk
    assert upsert(practice, first_name="THOMAS", last_name="smith").patient.pk == child.pk
    with pytest.raises(AppError) as refusal:
        upsert(practice, first_name="Ann")
    assert refusal.value.status == 409
    assert set(refusal.value.extra["candidates"]) == {mother.public_id, child.public_id}
    assert Patient.objects.count() == 2


def test_a_record_without_an_id_takes_on_the_systems_id(practice: Practice) -> None:
    known = upsert(practice).patient
    assert upsert(practice, external_id="P1").patient.pk == known.pk
    assert upsert(practice, external_id="P2").patient.pk != known.pk


def test_another_practices_patient_is_never_matched(
    practice: Practice, other_practice: Practice
) -> None:
    assert upsert(practice, external_id="P1").what == "created"
    assert upsert(other_practice, external_id="P1").what == "created"


def test_update_refuses_an_id_that_another_patient_has(practice: Practice) -> None:
    upsert(practice, external_id="P1")
    other = upsert(practice, external_id="P2", first_name="Tom").patient
    with pytest.raises(AppError) as refusal:
        records.update(patient=other, data={"external_id": "P1"}, source="api", actor=ACTOR)
    assert refusal.value.status == 409


def test_a_suppressed_number_makes_a_record_that_is_never_contacted(practice: Practice) -> None:
    opt_out.record_number(practice=practice, phone="+447700900001", source="sms_reply", actor=ACTOR)
    patient = upsert(practice).patient
    assert patient.opted_out
    assert patient.opted_out_source == "suppression_list"
    assert journal("patient.created")[0].facts["suppressed"] is True


def test_a_number_suppressed_for_one_channel_blocks_that_channel(practice: Practice) -> None:
    opt_out.record_number(
        practice=practice, phone="+447700900001", source="staff", actor=ACTOR, channel="voice"
    )
    patient = upsert(practice).patient
    assert not patient.opted_out
    assert opt_out.is_opted_out(patient, "voice")
    assert not opt_out.is_opted_out(patient, "sms")


def test_a_new_number_starts_clean_but_the_patients_word_stays(practice: Practice) -> None:
    patient = upsert(practice).patient
    records.mark_phone_wrong(patient=patient, actor=ACTOR)
    opt_out.record(patient=patient, source="staff", actor=ACTOR)
    changed = records.correct_phone(
        patient=patient, phone_number="07700 900002", source="staff", actor=ACTOR
    ).patient
    assert changed.phone_wrong_at is None
    assert bytes(changed.phone_hash or b"") == suppressions.phone_hash("+447700900002")
    assert changed.opted_out


def test_confirming_the_same_number_clears_the_mark(practice: Practice) -> None:
    patient = upsert(practice).patient
    records.mark_phone_wrong(patient=patient, actor=ACTOR)
    result = records.correct_phone(
        patient=patient, phone_number="07700900001", source="staff", actor=ACTOR
    )
    assert result.what == "updated"
    assert Patient.objects.get().phone_wrong_at is None
    assert len(journal("patient.phone_confirmed")) == 1


def test_a_new_number_is_screened_against_the_register(practice: Practice) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS tps_number")
        cursor.execute("CREATE TABLE tps_number (n bigint PRIMARY KEY)")
        cursor.execute("INSERT INTO tps_number VALUES (447700900001)")
    assert upsert(practice, phone_number="07700900003").patient.tps_listing is None
    TpsRegister.objects.create(
        listing="both",
        register_date=clock.today(),
        loaded_at=clock.now(),
        numbers=1,
        file_sha256="",
        current=True,
    )
    assert upsert(practice).patient.tps_listing == 3
    patient = upsert(practice, phone_number="07700900002").patient
    assert patient.tps_listing == 0
    changed = records.correct_phone(
        patient=patient, phone_number="07700900001", source="staff", actor=ACTOR
    )
    assert changed.patient.tps_listing == 3


@pytest.mark.parametrize(
    ("mark", "field", "action"),
    [
        (records.mark_deceased, "deceased_at", "patient.deceased"),
        (records.archive, "archived_at", "patient.archived"),
        (records.mark_phone_wrong, "phone_wrong_at", "patient.phone_wrong"),
        (records.mark_email_bounced, "email_bounced_at", "patient.email_bounced"),
    ],
)
def test_marks_are_set_once_and_journalled_once(
    practice: Practice, mark: Callable[..., Patient], field: str, action: str
) -> None:
    patient = upsert(practice).patient
    for _ in range(2):
        assert getattr(mark(patient=patient, actor=ACTOR), field) == clock.now()
    assert len(journal(action)) == 1


def test_marks_can_be_taken_back(practice: Practice) -> None:
    patient = upsert(practice).patient
    records.archive(patient=patient, actor=ACTOR)
    records.mark_deceased(patient=patient, actor=ACTOR)
    assert records.restore(patient=patient, actor=ACTOR).archived_at is None
    assert records.unmark_deceased(patient=patient, actor=ACTOR).deceased_at is None


def test_a_wish_to_be_rung_later_is_kept_and_journalled_once(practice: Practice) -> None:
    patient = upsert(practice).patient
    until = clock.now() + timedelta(days=1)
    for _ in range(2):
        assert records.postpone(patient=patient, until=until, actor=ACTOR).not_before == until
    assert len(journal("patient.postponed")) == 1


def test_an_erased_patient_cannot_be_filled_again(practice: Practice) -> None:
    patient = upsert(practice).patient
    Patient.objects.filter(pk=patient.pk).update(erased_at=clock.now())
    with pytest.raises(AppError) as refusal:
        records.update(patient=patient, data={"first_name": "X"}, source="api", actor=ACTOR)
    assert refusal.value.status == 409


def race(practice: Practice, workers: int = 6) -> int:
    """Workers upsert one new number at the same moment; how many records there are afterwards."""
    start = threading.Barrier(workers)

    def work() -> None:
        try:
            start.wait()
            upsert(practice)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Patient.objects.count()


@pytest.mark.django_db(transaction=True)
def test_upserts_of_one_number_at_once_make_one_record(practice: Practice) -> None:
    assert race(practice) == 1
    assert len(journal("patient.created")) == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_the_race_makes_several_records(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: the guard is switched off and every worker meets the others between look and
    write.
    """
    monkeypatch.setattr(records, "serialise", lambda *_: None)
    meeting = threading.Barrier(6)
    look = one_look.look

    def look_and_wait(*args: Any) -> Any:
        found = look(*args)
        meeting.wait()
        return found

    monkeypatch.setattr(one_look, "look", look_and_wait)
    assert race(practice) > 1
