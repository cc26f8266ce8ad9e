"""GET /patients/{id}/eligibility: every rule, of every channel, now and at another time."""

from datetime import timedelta

import pytest

from recall.models import AttemptState, Channel
from recall.wording import TELLING
from sightsync.lib import clock
from tests import engine


@pytest.fixture
def jane(practice):
    engine.register()
    return engine.patient(practice, email="jane@example.org")


def ask(api, patient, **query) -> dict:
    answer = api.get(f"/patients/{patient.public_id}/eligibility", query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def failed(channel: dict) -> list[str]:
    return [rule["code"] for rule in channel["rules"] if not rule["passed"]]


def test_a_patient_who_may_be_called(api, jane) -> None:
    body = ask(api, jane)
    assert body["patient_id"] == jane.public_id
    assert (body["at"], body["allowed"]) == ("2026-11-18T10:04:00Z", True)
    assert body["next_allowed_at"] == "2026-11-18T10:04:00Z"
    assert set(body["channels"]) == {str(channel) for channel in Channel}
    for channel in body["channels"].values():
        assert (channel["allowed"], failed(channel)) == (True, [])
        for rule in channel["rules"]:
            assert set(rule) == {"code", "passed", "evidence", "kind", "status", "passes_at"}
            assert rule["evidence"]


def test_every_failed_rule_is_told(api, jane) -> None:
    call = engine.under_way(jane)
    type(call).objects.filter(pk=call.pk).update(
        state=AttemptState.DONE, submitted_at=clock.now() - timedelta(hours=1)
    )
    jane.opted_out_at = clock.now()
    jane.save(update_fields=["opted_out_at"])
    voice = ask(api, jane)["channels"]["voice"]
    assert len(failed(voice)) == 2
    opted_out, spacing = (rule for rule in voice["rules"] if not rule["passed"])
    assert (opted_out["code"], opted_out["kind"], opted_out["status"]) == (
        "opted_out",
        "lasting",
        409,
    )
    assert (spacing["status"], spacing["passes_at"]) == (429, "2026-11-19T09:04:00Z")
    assert voice["next_allowed_at"] is None


@pytest.mark.parametrize(
    ("at", "allowed", "opens"),
    [
        ("2026-11-19T08:59:59Z", False, "2026-11-19T09:00:00Z"),
        ("2026-11-19T09:00:00Z", True, "2026-11-19T09:00:00Z"),
        ("2026-11-20T17:59:59Z", True, "2026-11-20T17:59:59Z"),
        ("2026-11-20T18:00:00Z", False, "2026-11-23T09:00:00Z"),
        ("2026-11-20T13:00:00-05:00", False, "2026-11-23T09:00:00Z"),
    ],
)
def test_it_can_be_asked_for_another_time(api, jane, at, allowed, opens) -> None:
    body = ask(api, jane, at=at)
    assert (body["allowed"], body["next_allowed_at"]) == (allowed, opens)


@pytest.mark.parametrize("at", ["tomorrow", "2026-11-20", "9999-12-31T00:00:00Z", "0001-01-01"])
def test_a_time_that_cannot_be_judged(api, jane, assert_error, at) -> None:
    path = f"/patients/{jane.public_id}/eligibility"
    assert_error(api.get(path, {"at": at}), 400, "invalid", "at")


def test_nobody_of_another_practice(api, other_api, jane, assert_error) -> None:
    path = f"/patients/{jane.public_id}/eligibility"
    assert_error(other_api.get(path), 404, "patient_not_found")
    assert_error(api.get("/patients/x/eligibility"), 404, "patient_not_found")


def test_it_writes_nothing_and_reads_little(api, jane, django_assert_max_num_queries) -> None:
    ask(api, jane)
    with django_assert_max_num_queries(9):
        ask(api, jane)
    assert not jane.attempts.exists()


def test_its_words_are_the_pages(api, jane) -> None:
    codes = {rule["code"] for rule in ask(api, jane)["channels"]["voice"]["rules"]}
    assert set(TELLING) <= codes
