"""Who is let in: keys, prefixes, scopes, the subscription, and in which order they are judged."""

from datetime import timedelta

import pytest
from django.db import connection

from practices import api_keys, key_check
from practices.journal import Actor
from practices.models import ApiKey, Mode, Practice, SubscriptionStatus
from sightsync.lib import clock
from tests.api.conftest import ApiClient, make_client

ACTOR = Actor.system("test")


def test_a_key_opens_its_own_practice(api: ApiClient) -> None:
    assert api.get("/usage").status_code == 200


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_schemes_case_does_not_matter(api: ApiClient, scheme: str) -> None:
    header = f"{scheme} {api.plain}"
    assert ApiClient().get("/usage", Authorization=header).status_code == 200


WRONG = [
    "",
    "Bearer",
    "Bearer ",
    "Basic bnZjX3Rlc3Q6",
    "Bearer nvc_test_" + "0" * 40,
    "Bearer nvc_live_" + "0" * 40,
    "Bearer sk_live_" + "0" * 40,
    "Bearer " + "x" * 5000,
    "Bearer nvc_test_\x00",
    "Bearer é",
]


@pytest.mark.parametrize("header", WRONG)
def test_without_a_good_key_all_get_the_same_401(no_key_api, assert_error, header: str) -> None:
    answer = no_key_api.get("/usage", Authorization=header)
    body = assert_error(answer, 401, "unauthorised")
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert body == no_key_api.get("/usage").json()


def test_a_missing_header_is_401(no_key_api, assert_error) -> None:
    assert_error(no_key_api.get("/usage"), 401, "unauthorised")


def test_revocation_counts_at_once(api, assert_error) -> None:
    assert api.get("/usage").status_code == 200
    api_keys.revoke(key=api.key, actor=ACTOR)
    assert_error(api.get("/usage"), 401, "unauthorised")


def test_a_key_ends_with_its_last_day(practice, assert_error, at) -> None:
    key, plain = api_keys.create(
        practice=practice,
        name="Short",
        scopes=["read"],
        actor=ACTOR,
        expires_at=clock.now() + timedelta(hours=1),
    )
    client = ApiClient(plain, key)
    assert client.get("/usage").status_code == 200
    at("2026-11-18T11:04:01Z")
    assert_error(client.get("/usage"), 401, "unauthorised")


def test_a_test_key_ends_when_the_practice_goes_live(api, practice, assert_error) -> None:
    Practice.objects.filter(pk=practice.pk).update(mode=Mode.LIVE)
    assert_error(api.get("/usage"), 401, "unauthorised")


@pytest.mark.parametrize("name", ["api_key", "key", "access_token", "anything"])
def test_a_key_in_the_address_is_refused(api, no_key_api, assert_error, name: str) -> None:
    assert_error(no_key_api.get("/usage", {name: api.plain}), 401, "unauthorised")
    assert_error(api.get("/usage", {name: api.plain}), 401, "unauthorised")


@pytest.mark.parametrize("scope", ["write", "recall", "admin"])
def test_a_missing_scope_is_named(practice, assert_error, scope: str) -> None:
    body = assert_error(make_client(practice, [scope]).get("/usage"), 403, "missing_scope")
    assert body["scope"] == "read"
    assert "read" in body["error"]


def test_usage_is_read_without_a_subscription(api, practice) -> None:
    for status in SubscriptionStatus:
        Practice.objects.filter(pk=practice.pk).update(subscription_status=status)
        answer = api.get("/usage")
        assert answer.status_code == 200
        assert answer.json()["status"] == status


def test_the_practice_and_key_come_whole_from_one_statement(
    api, practice, django_assert_num_queries
) -> None:
    practice.recall_intervals = {"diabetic": 6}
    practice.calling_weekdays = [0, 2]
    practice.save()
    key_check.check(api.plain)
    with django_assert_num_queries(1):
        found = key_check.check(api.plain)
    assert found is not None
    with django_assert_num_queries(0):
        for model, got in ((Practice, found.practice), (ApiKey, found.key)):
            want = practice if model is Practice else api.key
            for field in model._meta.concrete_fields:
                assert getattr(got, field.attname) == getattr(want, field.attname), field
        assert found.key.practice is found.practice


def test_a_change_of_the_practice_is_seen_by_the_next_request(api, practice) -> None:
    first = key_check.check(api.plain)
    first.practice.recall_intervals["diabetic"] = 1  # one request's own copy
    first.practice.name = "Changed by a view"
    again = key_check.check(api.plain)
    assert (again.practice.name, again.practice.recall_intervals) == ("Acuity Opticians", {})
    Practice.objects.filter(pk=practice.pk).update(name="Acuity", recall_intervals={"standard": 12})
    third = key_check.check(api.plain)
    assert (third.practice.name, third.practice.recall_intervals) == ("Acuity", {"standard": 12})


def test_last_use_is_written_at_most_once_a_minute(api, at) -> None:
    at("2026-11-18T10:04:00Z")
    api.get("/usage")
    at("2026-11-18T10:04:59Z")
    api.get("/usage")
    api.key.refresh_from_db()
    assert api.key.last_used_at.isoformat() == "2026-11-18T10:04:00+00:00"
    at("2026-11-18T10:05:01Z")
    api.get("/usage")
    api.key.refresh_from_db()
    assert api.key.last_used_at.isoformat() == "2026-11-18T10:05:01+00:00"


def test_a_dead_connection_is_replaced(transactional_db) -> None:
    practice = Practice.objects.create(name="P", created_at=clock.now())
    client = make_client(practice)
    assert client.get("/usage").status_code == 200
    connection.ensure_connection()
    connection.connection.close()  # as a restart of the database leaves it
    assert client.get("/usage").status_code == 200


# --- order --------------------------------------------------------------------------------------


def test_a_refused_key_is_not_told_whether_a_path_exists(no_key_api, assert_error) -> None:
    assert_error(no_key_api.get("/no-such-thing"), 401, "unauthorised")
    assert_error(no_key_api.delete("/usage"), 401, "unauthorised")
    assert_error(no_key_api.post("/no-such-thing", b"{"), 401, "unauthorised")


def test_no_cookie_and_no_page_policy(api) -> None:
    answer = api.get("/usage")
    assert not answer.cookies
    assert "Content-Security-Policy" not in answer
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Content-Type-Options"] == "nosniff"
