"""A POST sent twice with one Idempotency-Key is done once."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections

from practices import idempotency
from practices.models import Practice, StoredAnswer
from sightsync.lib import clock, ids
from sightsync.lib.errors import AppError, ProviderError
from tests.api import toy
from tests.api.conftest import ApiClient, make_client

pytestmark = [pytest.mark.urls("tests.api.toy"), pytest.mark.usefixtures("_no_effects")]
URL = "/toy"
JANE = {"name": "Jane"}


@pytest.fixture
def _no_effects() -> None:
    toy.effects.clear()
    toy.during.clear()


def send(client: ApiClient, body=JANE, key: str = "k-1", path: str = URL):
    return client.post(path, body, Idempotency_Key=key)


def raising(error: Exception):
    def act() -> None:
        raise error

    return act


def test_the_same_request_gets_the_same_answer_and_does_nothing(api) -> None:
    first, again = send(api), send(api)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert again["Content-Type"] == "application/json"
    assert len(toy.effects) == 1


def test_without_a_key_each_request_counts(api) -> None:
    api.post(URL, JANE)
    api.post(URL, JANE)
    assert len(toy.effects) == 2
    assert not StoredAnswer.objects.exists()


def test_another_body_is_422(api, assert_error) -> None:
    send(api)
    assert_error(send(api, {"name": "Janet"}), 422, "idempotency_key_reused")
    assert len(toy.effects) == 1


def test_keys_belong_to_one_api_key(api, other_api, practice) -> None:
    for client in (api, other_api, make_client(practice)):
        assert "Idempotent-Replayed" not in send(client)
    assert len(toy.effects) == 3


@pytest.mark.parametrize("key", ["", " ", "x" * 256])
def test_a_bad_key_is_400(api, assert_error, key) -> None:
    assert_error(send(api, key=key), 400, "bad_idempotency_key")
    assert toy.effects == []


def test_after_24_hours_it_is_a_new_request(api) -> None:
    send(api)
    StoredAnswer.objects.update(created_at=clock.real_now() - timedelta(hours=24))
    assert "Idempotent-Replayed" not in send(api, {"name": "Janet"})
    assert len(toy.effects) == 2


@pytest.mark.parametrize(
    "error",
    [
        AppError("rate", "Wait.", 429),
        AppError("too_early", "Not now.", 425),
        ProviderError(ProviderError.Kind.UNKNOWN, "down"),
        RuntimeError("a bug"),
    ],
)
def test_what_may_pass_is_not_remembered(api, error) -> None:
    toy.during.append(raising(error))
    assert send(api).status_code >= 425
    assert not StoredAnswer.objects.exists()
    toy.during.clear()
    assert send(api).status_code == 201


def test_a_mended_request_may_use_its_key_again(api) -> None:
    assert send(api, {"name": ""}).status_code == 400
    assert send(api).status_code == 201


@pytest.mark.parametrize("status", [404, 409, 422, 451])
def test_a_lasting_refusal_is_remembered(api, status) -> None:
    toy.during.append(raising(AppError("no", "No.", status)))
    assert send(api).status_code == status
    toy.during.clear()
    again = send(api)
    assert (again.status_code, again["Idempotent-Replayed"]) == (status, "true")


def test_while_the_first_runs_the_second_is_409(api, assert_error) -> None:
    answers = []
    toy.during.append(lambda: answers.append(send(api)) if not answers else None)
    assert send(api).status_code == 201
    assert_error(answers[0], 409, "request_in_progress")
    assert answers[0]["Retry-After"] == "1"
    assert len(toy.effects) == 1


def test_a_crashed_request_does_not_stay_locked(api, assert_error) -> None:
    send(api)
    StoredAnswer.objects.update(status=None, answer="")
    assert_error(send(api), 409, "request_in_progress")
    StoredAnswer.objects.update(locked_until=clock.real_now() - timedelta(seconds=1))
    assert_error(send(api, {"name": "Janet"}), 422, "idempotency_key_reused")
    assert send(api).status_code == 201
    assert len(toy.effects) == 2


def test_a_request_that_lost_its_lease_does_not_overwrite(api) -> None:
    """It was taken for dead, and the one that took over has answered."""

    def overtaken() -> None:
        toy.during.clear()
        StoredAnswer.objects.update(locked_until=clock.real_now() - timedelta(seconds=1))
        send(api)

    toy.during.append(overtaken)
    late = send(api)
    again = send(api)
    assert again["Idempotent-Replayed"] == "true"
    assert again.json()["number"] == 1
    assert late.json()["number"] == 2


def test_nothing_personal_is_stored_in_the_clear(api) -> None:
    send(api, {"name": "Canary"}, key="canary-key")
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM practices_storedanswer t")
        text = cursor.fetchone()[0]
    assert "anary" not in text
    assert b"Canary".hex() not in text


def test_a_patients_erasure_takes_the_answers_about_them(api) -> None:
    key = ids.new()
    send(api, {"name": "x"}, key="a")
    row = StoredAnswer.objects.get()
    row.patients = idempotency._patients(f'{{"id":"{ids.encode("pat", key)}"}}'.encode())
    row.save(update_fields=["patients"])
    assert row.patients == [key]
    assert idempotency.forget_patient(ids.new()) == 0
    assert idempotency.forget_patient(key) == 1


def test_old_answers_are_dropped(api) -> None:
    send(api)
    assert idempotency.forget_old() == 0
    StoredAnswer.objects.update(created_at=clock.real_now() - timedelta(hours=25))
    assert idempotency.forget_old() == 1


# --- the race -----------------------------------------------------------------------------------


def race(client: ApiClient, count: int = 6) -> list[int]:
    """So many at once; their statuses."""
    barrier, statuses = threading.Barrier(count), []

    def one() -> None:
        try:
            barrier.wait(20)
            statuses.append(send(ApiClient(client.plain)).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(statuses)


@pytest.fixture
def racer(transactional_db) -> ApiClient:
    return make_client(Practice.objects.create(name="Racers", created_at=clock.now()))


def test_of_many_at_once_one_is_done(racer) -> None:
    statuses = race(racer)
    assert set(statuses) <= {201, 409}
    assert 201 in statuses
    assert len(toy.effects) == 1


def test_the_race_does_harm_without_the_guard(racer, monkeypatch) -> None:
    monkeypatch.setattr(idempotency, "_claim", lambda query: -1)
    assert race(racer) == [201] * 6
    assert len(toy.effects) == 6
