"""Erasure: nothing is left in any table but the wish not to be contacted; a repeat is harmless."""

from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from gdpr import access_export, data_requests, erasure, inventory, tasks
from gdpr.models import CarrierDeletion, DataRequest
from integrations.twilio import client
from patients import opt_out, records, suppressions
from patients.models import Patient, Suppression
from practices.models import JournalEntry, StoredAnswer
from recall import standing
from recall.eligibility import gather
from recall.models import (
    Appointment,
    Attempt,
    AttemptState,
    CallTurn,
    Channel,
    Episode,
    InboundMessage,
    PatientLink,
    StaffTask,
)
from sightsync.lib import clock
from sightsync.lib.crypto import EncryptedTextField
from sightsync.lib.errors import ProviderError
from sightsync.lib.personal import Handling
from tests import engine, threads
from tests.gdpr.conftest import ACTOR, CANARY, EMAIL, FORBIDDEN, NUMBER


def everything() -> str:
    """Every row of every table there is, Django's own and the queue's too, as text."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        )
        names = [row[0] for row in cursor.fetchall()]
        texts = []
        for name in names:
            cursor.execute(f'SELECT t::text FROM "{name}" t')
            texts += [f"{name}: {row[0]}" for row in cursor.fetchall()]
    return "\n".join(sorted(texts + decrypted()))


def decrypted() -> list[str]:
    """What the database itself cannot read."""
    found = []
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, EncryptedTextField):
                for value in model.objects.values_list(field.name, flat=True):
                    found.append(f"{model.__name__}.{field.name}: {value}")
    return found


def traces() -> list[str]:
    return [line for line in everything().splitlines() if any(word in line for word in FORBIDDEN)]


def test_nothing_is_left_in_any_table(known, practice) -> None:
    request = data_requests.submit(practice=practice, patient=known, kind="access", actor=ACTOR)
    data_requests.answer(request.pk)
    places = {line.split(":")[0].split("(")[0] for line in traces()}
    assert len(places) >= 10, places  # the search finds what is there

    assert erasure.erase(patient=known, actor=ACTOR) is True

    assert traces() == []


def test_every_listed_field_is_emptied(known) -> None:
    """By the inventory itself, so that a field added tomorrow is covered."""
    filled = {}
    for table in inventory.personal():
        names = table.named(Handling.ERASE)
        if names and table.name not in ("StoredAnswer", "DataRequest"):
            filled[table.name] = table.rows(known).values_list("pk", flat=True)[::1]
            assert filled[table.name], f"no {table.name} in the test"
    erasure.erase(patient=known, actor=ACTOR)
    for table in inventory.personal():
        for row in table.model._default_manager.filter(pk__in=filled.get(table.name, [])):
            assert {name: getattr(row, name) for name in table.blank()} == table.blank()


def test_the_record_stays_anonymous(known) -> None:
    erasure.erase(patient=known, actor=ACTOR)
    known.refresh_from_db()
    assert known.erased_at == clock.now()
    assert (known.first_name, known.last_name) == ("Erased", "Patient")
    assert (known.phone_number, known.email, known.date_of_birth) == ("", "", None)
    assert (known.phone_hash, known.email_hash, known.nhs_number_hash) == (None, None, None)
    assert known.opted_out


def test_what_was_planned_is_stopped(known) -> None:
    erasure.erase(patient=known, actor=ACTOR)
    assert not Attempt.objects.filter(state__in=["planned", "claimed"]).exists()
    assert not Episode.objects.filter(closed_at=None).exists()
    assert set(Appointment.objects.values_list("status", flat=True)) == {"attended", "cancelled"}
    assert not PatientLink.objects.filter(expires_at__gt=clock.now()).exists()
    assert not StaffTask.objects.filter(done_at=None).exists()
    assert not StoredAnswer.objects.exists()
    actions = list(JournalEntry.objects.order_by("id").values_list("action", flat=True))
    assert actions.count("patient.deleted") == 1
    assert "appointment.cancelled" in actions
    assert "recall.opened" not in actions


def test_a_repeat_changes_nothing(known) -> None:
    erasure.erase(patient=known, actor=ACTOR)
    before = everything()
    assert erasure.erase(patient=known, actor=ACTOR) is False
    assert everything() == before


def test_it_is_whole_or_not_at_all(known, monkeypatch) -> None:
    before = everything()

    def breaks(**_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(erasure.book, "cancel", breaks)
    with pytest.raises(RuntimeError):
        erasure.erase(patient=known, actor=ACTOR)
    assert everything() == before


def test_the_number_and_address_stay_suppressed(known, practice) -> None:
    erasure.erase(patient=known, actor=ACTOR)
    for channel in Channel:
        assert suppressions.is_suppressed(practice_id=practice.pk, channel=channel, phone=NUMBER)
    assert suppressions.is_suppressed(practice_id=practice.pk, channel="email", email=EMAIL)


@pytest.mark.parametrize("opted_out_before", [True, False])
def test_somebody_who_comes_in_again_is_a_record_and_never_contacted(
    known, practice, opted_out_before
) -> None:
    if opted_out_before:
        opt_out.record(patient=known, source="staff", actor=ACTOR)
    erasure.erase(patient=known, actor=ACTOR)
    again = records.upsert(
        practice=practice,
        data={"first_name": "Anna", "phone_number": NUMBER},
        source="csv",
        actor=ACTOR,
    ).patient
    assert again.pk != known.pk
    assert again.opted_out
    facts = JournalEntry.objects.get(action="patient.created").facts
    assert facts == {"source": "csv", "suppressed": True}
    for channel in Channel:
        verdict = gather.verdict(practice=practice, patient=again, channel=channel, now=clock.now())
        assert "opted_out" in verdict.codes
    # Changing the record does not bring the person back either.
    Patient.objects.filter(pk=again.pk).update(opted_out_at=None)
    assert not gather.verdict(
        practice=practice, patient=again, channel=Channel.VOICE, now=clock.now()
    ).allowed


def test_a_number_that_a_family_shares_stays_open_for_the_others(known, practice) -> None:
    child = engine.patient(practice, NUMBER, first_name="Tim", external_id="2")
    erasure.erase(patient=known, actor=ACTOR)
    child.refresh_from_db()
    assert not child.opted_out
    assert not suppressions.is_suppressed(practice_id=practice.pk, channel="voice", phone=NUMBER)
    assert suppressions.is_suppressed(practice_id=practice.pk, channel="email", email=EMAIL)
    assert child.phone_number == NUMBER


def test_one_of_a_family_is_not_brought_back_by_the_next_sync(known, practice) -> None:
    child = engine.patient(practice, NUMBER, first_name="Tim", external_id="2")
    details = {"first_name": CANARY.upper(), "last_name": f"{CANARY} ", "phone_number": NUMBER}
    erasure.erase(patient=known, actor=ACTOR)

    def sync(**changes: Any) -> records.Upserted:
        return records.upsert(
            practice=practice, data={**details, **changes}, source="pms", actor=ACTOR
        )

    again = sync(external_id="1")
    assert (again.what, again.patient.opted_out) == ("created", True)
    assert not sync(external_id="3", first_name="Sarah").patient.opted_out
    child.refresh_from_db()
    assert not child.opted_out
    opt_out.withdraw(
        patient=again.patient,
        reason=opt_out.Reason.CONSENT_IN_PERSON,
        source="staff",
        actor=ACTOR,
    )
    assert not sync(external_id="4").patient.opted_out


def test_an_opt_out_holds_for_a_family_after_one_was_erased(known, practice) -> None:
    child = engine.patient(practice, NUMBER, first_name="Tim", external_id="2")
    opt_out.record(patient=known, source="staff", actor=ACTOR)
    erasure.erase(patient=known, actor=ACTOR)
    child.refresh_from_db()
    assert child.opted_out
    plain = suppressions.of(phone=NUMBER, email=EMAIL)
    kept = Suppression.objects.filter(hash__in=[item.digest for item in plain], lifted_at=None)
    assert kept.count() == 2


def test_others_are_left_alone(known, practice, other_practice) -> None:
    """Another patient of the practice, and somebody with the same number at another one."""
    others = [
        engine.patient(practice, "+447700900078", first_name="Other"),
        engine.patient(other_practice, NUMBER, EMAIL, first_name="Elsewhere"),
    ]
    for other in others:
        engine.planned(other)
        InboundMessage.objects.create(
            practice=other.practice,
            channel="sms",
            provider_ref=other.first_name,
            sender=other.phone_number,
            body="Hello",
            received_at=clock.now(),
        )
    erasure.erase(patient=known, actor=ACTOR)
    for other in others:
        before = other.first_name
        other.refresh_from_db()
        assert (other.first_name, other.opted_out) == (before, False)
        assert other.attempts.filter(state="planned").exists()
        assert InboundMessage.objects.get(provider_ref=before).body == "Hello"
    assert not suppressions.is_suppressed(
        practice_id=other_practice.pk, channel="voice", phone=NUMBER
    )


def test_what_a_call_under_way_still_brings_is_erased_too(known, at) -> None:
    call = engine.under_way(known, provider_ref="CA" + "9" * 32)
    erasure.erase(patient=known, actor=ACTOR)
    call.refresh_from_db()
    assert call.state == "accepted"
    assert NUMBER not in call.destination
    CallTurn.objects.create(
        practice=call.practice,
        attempt=call,
        number=1,
        speaker="patient",
        text=CANARY,
        at=clock.now(),
    )
    Attempt.objects.filter(pk=call.pk).update(state="done", summary=CANARY)
    at("2026-11-18T10:30:00Z")
    erasure.erase_late_arrivals()
    call.refresh_from_db()
    assert (call.destination, call.summary) == ("", "")
    assert traces() == []


def test_two_live_calls_can_be_erased(known, practice) -> None:
    engine.under_way(known, provider_ref="CA" + "8" * 32)
    other = engine.patient(practice, "+447700900078")
    engine.under_way(other, provider_ref="CA" + "7" * 32)
    for who in (known, other):
        assert erasure.erase(patient=who, actor=ACTOR)


def test_an_erased_patient_is_no_longer_due(known, practice) -> None:
    erasure.erase(patient=known, actor=ACTOR)
    assert list(standing.standing(practice)) == []


def test_the_carriers_recording_is_deleted_by_a_job(known, practice, monkeypatch) -> None:
    erasure.erase(patient=known, actor=ACTOR)
    row = CarrierDeletion.objects.get()
    assert row.recording == "RE" + "7" * 32
    asked: list[str] = []

    def refuses(*, sid: str, **_: Any) -> None:
        asked.append(sid)
        raise ProviderError(ProviderError.Kind.UNKNOWN, "no", "unreachable")

    monkeypatch.setattr(client, "delete_recording", refuses)
    tasks.keep_house()
    row.refresh_from_db()
    assert (row.deleted_at, row.tries, row.error_code) == (None, 1, "unreachable")
    monkeypatch.setattr(client, "delete_recording", lambda *, sid, **_: asked.append(sid))
    tasks.keep_house()
    row.refresh_from_db()
    assert row.deleted_at == clock.now()
    tasks.keep_house()
    assert asked == [row.recording] * 2


def test_recordings_that_were_refused_or_are_old_are_deleted(practice, at, monkeypatch) -> None:
    gone: list[str] = []
    monkeypatch.setattr(client, "delete_recording", lambda *, sid, **_: gone.append(sid))
    calls = {
        name: engine.under_way(
            engine.patient(practice, f"+4477009000{number}"),
            state=AttemptState.DONE,
            provider_ref=f"CA{number:032d}",
            recording=f"RE{number:032d}",
            dialogue={"recording_declined": name == "refused"},
        )
        for number, name in ((10, "refused"), (11, "kept"))
    }
    tasks.keep_house()
    assert gone == [calls["refused"].recording]
    at("2026-12-18T10:03:00Z")
    tasks.keep_house()
    assert len(gone) == 1
    at("2026-12-18T10:05:00Z")
    tasks.keep_house()
    assert gone[1:] == [calls["kept"].recording]
    assert set(Attempt.objects.values_list("recording", flat=True)) == {""}


# --- the inventory ------------------------------------------------------------------------------


def test_every_personal_table_leads_to_its_patient(known) -> None:
    for table in inventory.personal():
        assert inventory._about(table.model, known) is not None, table.name
        table.blank()


def test_every_table_about_patients_is_in_the_export() -> None:
    about = {
        table.name
        for table in inventory.held()
        if table.name in ("Suppression", "StoredAnswer") or inventory._path(table.model)
    }
    assert about == set(access_export._TITLES)


def test_an_erased_request_has_no_export(known, practice) -> None:
    request = data_requests.submit(practice=practice, patient=known, kind="access", actor=ACTOR)
    data_requests.answer(request.pk)
    erasure.erase(patient=known, actor=ACTOR)
    assert DataRequest.objects.get(pk=request.pk).export == ""


@pytest.mark.django_db(transaction=True)
def test_an_erasure_and_an_upsert_at_once_leave_nobody_to_contact(known, practice) -> None:
    """Whichever is first: the record is erased with the change, or the new one is suppressed."""

    def upsert() -> None:
        records.upsert(
            practice=practice,
            data={"first_name": "Anna", "phone_number": NUMBER},
            source="api",
            actor=ACTOR,
        )

    def erase() -> bool:
        return erasure.erase(patient=known, actor=ACTOR)

    results = threads.at_once([upsert, erase, upsert, erase])
    assert {results[1], results[3]} == {True, False}
    assert (results[0], results[2]) == (None, None)
    assert not Patient.objects.filter(practice=practice, opted_out_at=None).exists()
    assert Patient.objects.filter(erased_at__isnull=False).count() == 1
    assert JournalEntry.objects.filter(action="patient.deleted").count() == 1
