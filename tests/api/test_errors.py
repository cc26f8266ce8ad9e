"""The shape of every error, and every bad body there is."""

import logging

import pytest
from django.db import OperationalError
from django.http import Http404

from practices.models import Practice
from sightsync.lib import ids
from sightsync.lib.api import body
from sightsync.lib.errors import AppError, ProviderError
from tests.api import toy

pytestmark = [pytest.mark.urls("tests.api.toy"), pytest.mark.usefixtures("_no_effects")]
URL = "/toy"


@pytest.fixture
def _no_effects() -> None:
    toy.effects.clear()
    toy.during.clear()


def test_a_wrong_field_is_named(api, assert_error) -> None:
    body = assert_error(api.post(URL, {"name": 5, "count": 0}), 400, "invalid", "name", "count")
    assert body["error"].startswith("name: ")
    assert toy.effects == []


def test_a_missing_field_is_named(api, assert_error) -> None:
    assert_error(api.post(URL, {}), 400, "invalid", "name")
    assert_error(api.post(URL), 400, "invalid", "name")


GOOD = [
    {"count": 30},
    {"count": 30.0},
    {"sure": True},
    {"on": "2024-02-29"},
    {"at": "2026-03-11T09:00:00Z"},
    {"at": "2026-03-11T09:00:00.000-05:00"},
    {"patient_id": "pat_01HXYZ00000000000000000000"},
    {"patient_id": "PAT_01hxyz00000000000000000000"},
    {"patient_id": "22222222-2222-2222-2222-222222222222"},
    {"extended": {"appointment": {"name": "General Check Up"}}},
    {"kind": "a"},
    {"unknown": "is ignored"},
]


@pytest.mark.parametrize("extra", GOOD, ids=str)
def test_good_values_are_taken(api, extra) -> None:
    assert api.post(URL, {"name": "Jane", **extra}).status_code == 201


BAD = [
    ("name", None),
    ("name", ""),
    ("name", "x" * 21),
    ("name", ["Jane"]),
    ("name", {"a": 1}),
    ("name", True),
    ("count", "30"),
    ("count", 1.5),
    ("count", True),
    ("count", 51),
    ("sure", "true"),
    ("sure", 1),
    ("on", "2023-02-29"),
    ("on", "29/02/2024"),
    ("on", "2024-2-9"),
    ("on", "20240209"),
    ("on", "2024-02-09T00:00:00Z"),
    ("on", "0024-02-09"),
    ("on", 20240209),
    ("at", "2026-03-11T09:00:00"),
    ("at", "2026-03-11"),
    ("at", "0001-01-01T00:00:00+23:00"),
    ("patient_id", "c_01HXYZ00000000000000000000"),
    ("patient_id", "pat_1"),
    ("patient_id", 7),
    ("extended", []),
    ("extended", "{}"),
    ("extended", {"a": "x" * 16 * 1024}),
    ("kind", "c"),
    ("kind", 1),
    ("kind", ["a"]),
]


@pytest.mark.parametrize(("field", "value"), BAD, ids=lambda value: str(value)[:30])
def test_bad_values_are_refused(api, assert_error, field, value) -> None:
    assert_error(api.post(URL, {"name": "Jane", field: value}), 400, "invalid", field)
    assert toy.effects == []


BODIES = [
    (b"{", "malformed_json"),
    (b"\xff", "malformed_json"),
    (b'{"name": NaN}', "malformed_json"),
    (b"{'name': 'Jane'}", "malformed_json"),
    (b'{"name": "Jane"} {}', "malformed_json"),
    (b'{"name": "\\ud800"}', "malformed_json"),
    (b'{"name": "a\\u0000b"}', "bad_text"),
    (b'{"a\\u0000b": 1}', "bad_text"),
    (b'{"count": 1e400}', "malformed_json"),
    (b'{"count": 123456789012345678901234567890}', "bad_number"),
    (b'{"count": 1e30}', "bad_number"),
    (b'{"extended": ' + b"[" * 40 + b"]" * 40 + b"}", "too_deep"),
    (b'{"extended": ' + b"[" * 5000 + b"]" * 5000 + b"}", "malformed_json"),
    (b"[]", "not_an_object"),
    (b'"Jane"', "not_an_object"),
    (b"null", "not_an_object"),
    (b" ", "malformed_json"),
]


@pytest.mark.parametrize(("content", "code"), BODIES, ids=lambda value: str(value)[:24])
def test_bad_bodies_are_400(api, assert_error, content: bytes, code: str) -> None:
    assert_error(api.post(URL, content), 400, code)
    assert toy.effects == []


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "",
     "application/json; charset=utf-16", "application/xml"],
)  # fmt: skip
def test_a_wrong_content_type_is_415(api, assert_error, kind: str) -> None:
    answer = api.send("POST", URL, body=b'{"name": "Jane"}', content_type=kind)
    assert_error(answer, 415, "unsupported_media_type")
    assert toy.effects == []


def test_json_may_say_its_charset(api) -> None:
    kind = "application/json; charset=UTF-8"
    answer = api.send("POST", URL, body='{"name": "Siân"}'.encode(), content_type=kind)
    assert answer.status_code == 201
    assert answer.json()["name"] == "Siân"


def test_over_one_mebibyte_is_413(api, assert_error) -> None:
    content = b'{"name": "Jane", "x": "' + b"x" * body.MAX_BYTES + b'"}'
    assert_error(api.post(URL, content), 413, "body_too_large")
    padded = b'{"name": "Jane"}'.ljust(body.MAX_BYTES)
    assert api.post(URL, padded).status_code == 201


def test_a_nul_in_the_query_string_is_400(api, assert_error) -> None:
    assert_error(api.get(URL, {"risk": "a\0b"}), 400, "bad_text")


def test_nothing_here_is_one_answer(api, other_api, assert_error) -> None:
    missing = assert_error(api.get("/nothing"), 404, "not_found")
    for path in ("/api/", "/api/v2/usage", "/usage/", f"/usage/{ids.new()}", "/toy/%00", "/x%0Ay"):
        assert assert_error(other_api.get(path), 404, "not_found") == missing
    toy.Raising.error = Http404()
    assert assert_error(api.get("/toy/raising"), 404, "not_found") == missing


def test_a_method_that_is_not_there_is_405_with_allow(api, assert_error) -> None:
    answer = api.delete(URL)
    assert_error(answer, 405, "method_not_allowed")
    assert answer["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_options_tells_the_methods(api) -> None:
    answer = api.send("OPTIONS", URL)
    assert (answer.status_code, answer["Allow"]) == (204, "GET, POST, HEAD, OPTIONS")


def test_the_scope_comes_before_the_body(read_only_api, assert_error) -> None:
    body = assert_error(read_only_api.post(URL, b"{"), 403, "missing_scope")
    assert body["scope"] == "recall"


def test_the_subscription_comes_after_the_scope_and_before_the_body(
    api, read_only_api, practice, assert_error
) -> None:
    Practice.objects.filter(pk=practice.pk).update(subscription_status="past_due")
    assert_error(read_only_api.post(URL, b"{"), 403, "missing_scope")
    assert_error(api.post(URL, b"{"), 402, "subscription_inactive")
    assert_error(api.get(URL), 402, "subscription_inactive")
    assert_error(api.get("/nothing"), 404, "not_found")


def test_a_bug_tells_nothing_but_the_request_id(api, assert_error, caplog) -> None:
    toy.Raising.error = RuntimeError("Jane Smith of 14 Mill Lane")
    with caplog.at_level(logging.ERROR):
        answer = api.get("/toy/raising", X_Request_Id="abcdefgh-1")
    body = assert_error(answer, 500, "internal_error")
    assert body["request_id"] == answer["X-Request-Id"] == "abcdefgh-1"
    assert b"Mill Lane" not in answer.content
    assert "an API request crashed" in caplog.text


def test_an_app_error_keeps_its_extras(api, assert_error) -> None:
    toy.Raising.error = AppError("too_early", "Not now.", 425, next_allowed_at="2026-03-12")
    body = assert_error(api.get("/toy/raising"), 425, "too_early")
    assert body == {"error": "Not now.", "code": "too_early", "next_allowed_at": "2026-03-12"}


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (ProviderError(ProviderError.Kind.UNKNOWN, "21612"), "5"),
        (ProviderError(ProviderError.Kind.TEMPORARY, "20429", retry_after=30), "30"),
        (OperationalError("connection to server lost"), "5"),
    ],
)
def test_what_may_pass_is_503_with_retry_after(api, error, wait) -> None:
    toy.Raising.error = error
    answer = api.get("/toy/raising")
    assert (answer.status_code, answer["Retry-After"]) == (503, wait)
    assert str(error).encode() not in answer.content


def test_a_drf_response_is_answered_too(api) -> None:
    answer = api.get("/toy/plain", Accept="text/html")
    assert (answer.status_code, answer.json(), answer["X-Own"]) == (202, {"plain": True}, "1")
    assert answer["Content-Type"] == "application/json"


def test_a_host_that_is_not_ours_is_400(api, settings, assert_error) -> None:
    settings.ALLOWED_HOSTS = ["app.example.org"]
    assert_error(api.get("/usage", Host="evil.example"), 400, "bad_request")
