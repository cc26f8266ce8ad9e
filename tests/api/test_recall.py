"""POST /recall: the documented answers, in the documented order, and never two calls."""

import threading
from datetime import date, timedelta

import pytest
from django.db import connection

from patients import opt_out
from patients.models import TpsRegister
from practices import quota
from practices.models import JournalEntry, MonthlyUsage
from recall.attempts import carriers, pace, place
from recall.attempts.carriers import Handed
from recall.booking import elsewhere
from recall.models import Attempt, AttemptState, Channel, Episode
from sightsync.lib import clock, ids
from sightsync.lib.errors import ProviderError
from tests import engine, threads

pytestmark = pytest.mark.django_db
NOVEMBER = date(2026, 11, 1)


@pytest.fixture
def jane(practice):
    engine.register()
    return engine.patient(practice, first_name="Jane", last_name="Smith")


@pytest.fixture
def handed(monkeypatch, settings) -> list[Attempt]:
    """Every call that the carrier was asked for; it takes them all."""
    settings.CARRIER_CALL_SPACING_S = 0.0
    asked: list[Attempt] = []

    def take(attempt, content):
        asked.append(attempt)
        return Handed("sandbox", f"CA{len(asked):032d}", "queued")

    monkeypatch.setattr(carriers, "hand_over", take)
    return asked


def carrier_says(monkeypatch, kind, code="", retry_after=None) -> None:
    def refuse(attempt, content):
        raise ProviderError(kind, "no", code, retry_after)

    monkeypatch.setattr(carriers, "hand_over", refuse)


def recall(api, patient, **headers):
    return api.post("/recall", {"patient_id": patient.public_id}, **headers)


def test_answers_as_documented(api, jane, handed) -> None:
    answer = recall(api, jane)
    assert answer.status_code == 202
    attempt = Attempt.objects.get()
    assert answer.json() == {
        "success": True,
        "call_id": ids.encode("c", attempt.pk),
        "patient_id": jane.public_id,
        "status": "calling",
    }
    assert attempt.state == AttemptState.ACCEPTED
    assert [one.pk for one in handed] == [attempt.pk]
    planned = JournalEntry.objects.get(action="call.planned")
    assert (planned.actor_kind, planned.actor_id) == ("api_key", str(api.key.pk))


def test_the_bare_uuid_will_do(api, jane, handed) -> None:
    answer = api.post("/recall", {"patient_id": str(jane.pk)})
    assert answer.status_code == 202
    assert answer.json()["patient_id"] == jane.public_id


def test_out_of_hours(api, jane, handed, at, assert_error) -> None:
    at("2026-03-11T18:00:00Z")
    answer = recall(api, jane)
    body = assert_error(answer, 425, "calling_hours")
    assert body["error"] == "Outside permitted calling hours"
    assert body["reason"] == "Calls permitted Mon–Fri 9am–6pm UK time only"
    assert body["next_allowed_at"] == "2026-03-12T09:00:00Z"
    assert answer["Retry-After"] == str(15 * 3600)
    nothing_happened(handed)


def test_a_holiday_is_not_called_a_matter_of_the_clock(api, jane, handed, at, assert_error) -> None:
    TpsRegister.objects.update(register_date=date(2026, 12, 20))
    at("2026-12-25T10:00:00Z")
    body = assert_error(recall(api, jane), 425, "calling_hours")
    assert "bank holiday" in body["reason"]
    assert body["next_allowed_at"] == "2026-12-29T09:00:00Z"


def test_tps(api, jane, handed, assert_error) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO tps_number VALUES (%s)", [int(jane.phone_number[1:])])
    body = assert_error(recall(api, jane), 451, "tps_listed")
    assert body["error"] == (
        "Patient number is registered on the TPS/CTPS — call blocked per PECR regulations"
    )
    nothing_happened(handed)


def test_monthly_quota(api, jane, handed, practice, assert_error) -> None:
    practice.plan = "starter"
    practice.save(update_fields=["plan"])
    MonthlyUsage.objects.create(practice=practice, month=NOVEMBER, calls_used=300)
    body = assert_error(recall(api, jane), 429, "quota_used_up")
    assert body["error"] == "Monthly call limit reached"
    assert (body["calls_used"], body["monthly_limit"]) == (300, 300)
    assert body["next_allowed_at"] == "2026-12-01T09:00:00Z"
    nothing_happened(handed)


def test_opted_out(api, jane, handed, practice, assert_error) -> None:
    opt_out.record(patient=jane, source="staff", actor=engine.ACTOR)
    body = assert_error(recall(api, jane), 409, "opted_out")
    assert "next_allowed_at" not in body
    nothing_happened(handed)


def test_a_bad_number(api, jane, handed, assert_error) -> None:
    type(jane).objects.filter(pk=jane.pk).update(phone_number="", phone_kind="")
    assert_error(recall(api, jane), 422, "no_number")


def called(patient, *ago: timedelta) -> None:
    for span in ago:
        engine.under_way(
            patient,
            state=AttemptState.DONE,
            outcome="no_answer",
            submitted_at=clock.now() - span,
            provider_ref=f"CB{int(span.total_seconds()):032d}",
        )


def test_24_hours(api, jane, handed, assert_error) -> None:
    called(jane, timedelta(hours=23))
    body = assert_error(recall(api, jane), 429, "called_in_24_hours")
    assert body["next_allowed_at"] == "2026-11-18T11:04:00Z"


def test_30_days(api, jane, handed, assert_error) -> None:
    called(jane, timedelta(days=2), timedelta(days=4), timedelta(days=29))
    body = assert_error(recall(api, jane), 429, "called_3_times_in_30_days")
    assert body["next_allowed_at"] == "2026-11-19T10:04:00Z"


def test_an_appointment_ahead(api, jane, handed, practice, assert_error) -> None:
    elsewhere.record(
        practice=practice,
        patient=jane,
        day=date(2026, 12, 1),
        wall=None,
        actor=engine.ACTOR,
    )
    body = assert_error(recall(api, jane), 409, "future_appointment")
    assert body["reason"] == "There is an appointment on Tuesday 1 December."


ORDER = [
    "opted_out",
    "no_number",
    "tps",
    "cap",
    "spacing",
    "quota",
    "hours",
]
CODES = {
    "opted_out": (409, "opted_out"),
    "no_number": (422, "wrong_number"),
    "tps": (451, "tps_listed"),
    "cap": (429, "called_3_times_in_30_days"),
    "spacing": (429, "called_in_24_hours"),
    "quota": (429, "quota_used_up"),
    "hours": (425, "calling_hours"),
}


@pytest.mark.parametrize("first", range(len(ORDER)), ids=ORDER)
def test_the_order_of_reasons(api, jane, handed, practice, at, assert_error, first) -> None:
    at("2026-11-18T19:00:00Z")
    breaks = set(ORDER[first:])
    if "opted_out" in breaks:
        opt_out.record(patient=jane, source="staff", actor=engine.ACTOR)
    if "no_number" in breaks:
        type(jane).objects.filter(pk=jane.pk).update(phone_wrong_at=clock.now())
    if "tps" in breaks:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO tps_number VALUES (%s)", [int(jane.phone_number[1:])])
    if "spacing" in breaks:
        called(jane, timedelta(hours=2))
    if "cap" in breaks:
        called(jane, timedelta(days=5), timedelta(days=6), timedelta(days=7))
    if "quota" in breaks:
        MonthlyUsage.objects.create(practice=practice, month=NOVEMBER, calls_used=750)
    assert_error(recall(api, jane), *CODES[ORDER[first]])
    nothing_happened(handed)


def test_payment_comes_before_the_body_and_scope_before_payment(
    api, read_only_api, practice, assert_error
) -> None:
    practice.subscription_status = "past_due"
    practice.save(update_fields=["subscription_status"])
    assert_error(read_only_api.post("/recall", {}), 403, "missing_scope")
    assert_error(api.post("/recall", {}), 402, "subscription_inactive")


@pytest.mark.parametrize(
    "value", [None, "", 7, ["pat"], {"id": 1}, "c_01KKE70B5Q3S8V1X6Z9C2N4M7K", "x" * 5000]
)
def test_what_is_no_id_is_400(api, value, assert_error) -> None:
    assert_error(api.post("/recall", {"patient_id": value}), 400, "invalid", "patient_id")


def test_extended_must_be_an_object(api, jane, handed, assert_error) -> None:
    body = {"patient_id": jane.public_id, "extended": [1]}
    assert_error(api.post("/recall", body), 400, "invalid", "extended")
    nothing_happened(handed)


def test_missing_and_anothers_are_the_same_404(api, jane, other_api, assert_error) -> None:
    theirs = assert_error(recall(other_api, jane), 404, "patient_not_found")
    missing = {"patient_id": ids.encode("pat", ids.new())}
    assert assert_error(api.post("/recall", missing), 404, "patient_not_found") == theirs


def test_asking_again_meets_the_live_call(api, jane, handed, assert_error) -> None:
    first = recall(api, jane).json()
    again = assert_error(recall(api, jane), 409, "call_under_way")
    assert again["call_id"] == first["call_id"]
    assert len(handed) == 1


def test_asking_while_the_first_waits_for_its_second(api, jane, handed, monkeypatch, assert_error):
    monkeypatch.setattr(pace, "wait", lambda account: False)
    first = recall(api, jane)
    assert (first.status_code, first.json()["status"]) == (202, "queued")
    again = assert_error(recall(api, jane), 409, "call_under_way")
    assert again["call_id"] == first.json()["call_id"]
    assert handed == []
    assert Attempt.objects.count() == 1


def test_the_same_idempotency_key_gives_the_same_answer(api, jane, handed) -> None:
    first = recall(api, jane, Idempotency_Key="one")
    again = recall(api, jane, Idempotency_Key="one")
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again["Idempotent-Replayed"] == "true"
    assert len(handed) == 1


def test_all_lines_taken_is_queued(api, jane, handed, practice) -> None:
    practice.max_live_calls = 1
    practice.save(update_fields=["max_live_calls"])
    engine.under_way(engine.patient(practice, "+447700900002"))
    answer = recall(api, jane)
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert Attempt.objects.get(patient=jane).state == AttemptState.PLANNED


def test_an_unknown_outcome_is_calling_and_counted(
    api, jane, handed, practice, monkeypatch, assert_error
) -> None:
    carrier_says(monkeypatch, ProviderError.Kind.UNKNOWN)
    answer = recall(api, jane)
    assert (answer.status_code, answer.json()["status"]) == (202, "calling")
    assert Attempt.objects.get().state == AttemptState.UNKNOWN
    assert quota.used(practice_id=practice.pk, month=NOVEMBER) == 1
    assert_error(recall(api, jane), 409, "call_under_way")


def test_a_carrier_that_is_down_is_503_and_nothing_is_left(
    api, jane, handed, practice, monkeypatch, assert_error
) -> None:
    carrier_says(monkeypatch, ProviderError.Kind.TEMPORARY, "503", 90)
    answer = recall(api, jane)
    assert_error(answer, 503, "carrier_unavailable")
    assert int(answer["Retry-After"]) >= 90
    assert quota.used(practice_id=practice.pk, month=NOVEMBER) == 0
    assert not Attempt.objects.exclude(state=AttemptState.CANCELLED).exists()
    assert not Episode.objects.filter(closed_at=None).exists()


def test_a_recall_that_was_going_on_goes_on_after_a_503(
    api, jane, handed, monkeypatch, assert_error
) -> None:
    chains_own = engine.planned(jane, due_at=clock.now() + timedelta(days=1))
    carrier_says(monkeypatch, ProviderError.Kind.TEMPORARY)
    assert_error(recall(api, jane), 503, "carrier_unavailable")
    assert Episode.objects.get(pk=chains_own.episode_id).closed_at is None


def test_it_may_be_asked_again_after_a_503(api, jane, handed, monkeypatch) -> None:
    taking = carriers.hand_over
    carrier_says(monkeypatch, ProviderError.Kind.TEMPORARY)
    assert recall(api, jane, Idempotency_Key="k").status_code == 503
    monkeypatch.setattr(carriers, "hand_over", taking)
    assert recall(api, jane, Idempotency_Key="k").status_code == 202
    assert len(handed) == 1


@pytest.mark.parametrize(
    ("provider_code", "status", "code"),
    [("21211", 422, "bad_number"), ("no_from_number", 503, "carrier_refused")],
)
def test_a_carrier_that_refuses(
    api, jane, handed, practice, monkeypatch, assert_error, provider_code, status, code
) -> None:
    carrier_says(monkeypatch, ProviderError.Kind.REJECTED, provider_code)
    assert_error(recall(api, jane), status, code)
    assert quota.used(practice_id=practice.pk, month=NOVEMBER) == 0


def test_a_carrier_that_nobody_hears_at_all(api, jane, settings, assert_error) -> None:
    settings.SANDBOX_URL, settings.CARRIER_CALL_SPACING_S = "http://127.0.0.1:9", 0.0
    answer = recall(api, jane)
    assert_error(answer, 503, "carrier_unavailable")
    assert answer["Retry-After"] == "30"
    assert not Attempt.objects.exclude(state=AttemptState.CANCELLED).exists()


def test_a_paused_recall_is_not_begun_behind_the_staffs_back(
    api, jane, handed, assert_error
) -> None:
    planned = engine.planned(jane, due_at=clock.now() + timedelta(days=1))
    Episode.objects.filter(pk=planned.episode_id).update(paused=True)
    assert_error(recall(api, jane), 409, "recall_paused")
    planned.refresh_from_db()
    assert planned.due_at > clock.now()
    body = api.post("/recall/batch", {"patient_ids": [jane.public_id]}).json()
    assert [row["code"] for row in body["skipped"]] == ["recall_paused"]
    assert handed == []


def test_takes_the_chains_planned_call(api, jane, handed) -> None:
    planned = engine.planned(jane, due_at=clock.now() + timedelta(days=1))
    answer = recall(api, jane)
    assert answer.json()["call_id"] == ids.encode("c", planned.pk)
    assert Attempt.objects.filter(channel=Channel.VOICE).count() == 1


def test_extended_is_kept_with_the_call(api, jane, handed) -> None:
    extended = {"appointment": {"name": "Check"}, "n": 1}
    answer = api.post("/recall", {"patient_id": jane.public_id, "extended": extended})
    call = api.get(f"/calls/{answer.json()['call_id']}").json()
    assert call["extended"] == extended


def nothing_happened(handed: list[Attempt]) -> None:
    assert handed == []
    assert not Attempt.objects.filter(state=AttemptState.PLANNED).exists()


@pytest.mark.django_db(transaction=True)
def test_through_the_carrier_to_the_outcome(api, practice, sandbox, live_server, settings) -> None:
    settings.PUBLIC_BASE_URL, settings.CARRIER_CALL_SPACING_S = live_server.url, 0.0
    engine.register()
    nobody = engine.patient(practice, "+447700900006")
    call_id = recall(api, nobody).json()["call_id"]
    sandbox.wait_idle()
    assert len(sandbox.calls_to(nobody.phone_number)) == 1
    call = api.get(f"/calls/{call_id}").json()
    assert (call["call_status"], call["is_complete"]) == ("no_answer", True)


def ask_twice_at_once(api, jane) -> list[int]:
    works = [lambda: recall(api, jane).status_code] * 2
    return sorted(threads.at_once(works))  # type: ignore[type-var]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_ask_at_once_one_is_told_of_the_other(api, jane, handed) -> None:
    assert ask_twice_at_once(api, jane) == [202, 409]
    assert len(handed) == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_guard_both_are_told_of_the_same_call(api, jane, handed, monkeypatch) -> None:
    """The race above can fail: blind to what was planned, both get the one call."""
    monkeypatch.setattr(place, "BY_HAND_PRIORITY", -1)
    waiting = threading.Barrier(2, timeout=30)
    monkeypatch.setattr(pace, "wait", lambda account: waiting.wait() >= 0)
    assert ask_twice_at_once(api, jane) == [202, 202]
    assert len(handed) == 1
