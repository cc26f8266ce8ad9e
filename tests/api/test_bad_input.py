"""Bad input to every operation: the documented 4xx, and nothing is written."""

import json
import re
from typing import Any

import orjson
import pytest

from recall.attempts import carriers
from sightsync.lib.api import schema
from tests import routes
from tests.api import sample
from tests.api.test_isolation import CHANGES_ALWAYS

pytestmark = pytest.mark.django_db

DOCUMENT = json.loads(schema.document())
OPERATIONS = [
    (method.upper(), path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]
NAMES = {id(operation): f"{method} {path}" for method, path, operation in OPERATIONS}
WITH_BODY = [one for one in OPERATIONS if "requestBody" in one[2]]
REFUSALS = {400, 404, 409, 413, 415, 422}


def name(value: Any) -> str:
    return value if isinstance(value, str) else "" if isinstance(value, dict) else repr(value)[:40]


def url(path: str, ids: dict[str, str] = sample.IDS) -> str:
    return re.sub(r"{(\w+)}", lambda found: ids[found[1]], path)


def good(operation: dict[str, Any]) -> dict[str, Any]:
    """The first example that the document gives for the body."""
    examples = operation["requestBody"]["content"]["application/json"]["examples"]
    value: dict[str, Any] = next(iter(examples.values()))["value"]
    return value


def properties(operation: dict[str, Any]) -> dict[str, Any]:
    told = operation["requestBody"]["content"]["application/json"]["schema"]
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][told["$ref"].rsplit("/")[-1]]
    return found["properties"]


@pytest.fixture
def here(practice, settings, monkeypatch) -> sample.Sample:
    def never(attempt: object, content: object) -> None:
        raise AssertionError("A call was placed.")

    settings.CARRIER_CALL_SPACING_S = 0.0
    monkeypatch.setattr(carriers, "hand_over", never)
    monkeypatch.setattr("practices.key_check.LIMIT", 10**6)
    return sample.make(practice)


def refused(answer: Any, before: dict[str, str], *statuses: int) -> None:
    assert answer.status_code in (statuses or REFUSALS), (answer.status_code, answer.content[:300])
    assert answer["Content-Type"] == "application/json"
    body = orjson.loads(answer.content)
    assert body["error"]
    assert body["code"]
    assert b"Canary" not in answer.content
    assert routes.fingerprint(leaving_out=CHANGES_ALWAYS) == before


BODIES: list[tuple[str, bytes, str, int]] = [
    ("nothing", b"", "application/json", 400),
    ("no JSON", b"{", "application/json", 400),
    ("a list", b"[]", "application/json", 400),
    ("a text", b'"x"', "application/json", 400),
    ("null", b"null", "application/json", 400),
    ("NaN", b'{"a": NaN}', "application/json", 400),
    ("not UTF-8", b'{"a": "\xff"}', "application/json", 400),
    ("a NUL", b'{"a": "\\u0000"}', "application/json", 400),
    ("a lone surrogate", b'{"a": "\\ud800"}', "application/json", 400),
    ("deep", b'{"a":' * 40 + b"1" + b"}" * 40, "application/json", 400),
    ("very deep", b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "application/json", 400),
    ("a huge number", b'{"a": 1e400}', "application/json", 400),
    ("over 1 MiB", b'{"a": "' + b"x" * 1024 * 1024 + b'"}', "application/json", 413),
    ("a form", b"a=1", "application/x-www-form-urlencoded", 415),
    ("XML", b"<a/>", "application/xml", 415),
    ("no type", b'{"a": 1}', "", 415),
    ("another charset", b'{"a": 1}', "application/json; charset=utf-16", 415),
]


@pytest.mark.parametrize(("method", "path", "operation"), WITH_BODY, ids=name)
def test_bodies_that_are_no_json_object(method, path, operation, api, here) -> None:
    before = routes.fingerprint(leaving_out=CHANGES_ALWAYS)
    for what, content, kind, status in BODIES:
        if what == "nothing" and method == "PATCH":
            continue  # nothing to change is no mistake
        answer = api.send(method, url(path), body=content, content_type=kind)
        assert answer.status_code == status, (what, answer.status_code, answer.content[:200])
        refused(answer, before, status)


WRONG: dict[str, list[Any]] = {
    "string": [7, True, [], {}, "\ud7ffx" * 30_000],
    "integer": ["x", True, [], {}, 1.5, -1, 0, 10**12],
    "boolean": ["true", 1, 0, [], {}, None],
    "array": ["x", 7, {}, [], None, [7], [None], [[]], ["x"] * 101],
    "object": ["x", 7, True, [], {"a": "x" * 20_000}],
}
FIELDS = [
    (method, path, operation, field, told)
    for method, path, operation in WITH_BODY
    for field, told in properties(operation).items()
]


@pytest.mark.parametrize(("method", "path", "operation", "field", "told"), FIELDS, ids=name)
def test_a_wrong_field_is_refused_and_named(
    method, path, operation, field, told, api, here
) -> None:
    before = routes.fingerprint(leaving_out=CHANGES_ALWAYS)
    kinds = told.get("type", "string")
    kind = next(one for one in [*([kinds] if isinstance(kinds, str) else kinds)] if one != "null")
    wrong = list(WRONG[kind])
    if told.get("enum") or told.get("format") in ("date", "date-time", "email"):
        wrong += ["nonsense", "2026-02-30", "11/03/2026", "2026-3-1", "1899-12-31"]
    if "pattern" in told:
        wrong += ["nonsense", "", sample.WEBHOOK, "pat_", "9" * 400]
    for value in wrong:
        answer = api.send(method, url(path), body={**good(operation), field: value})
        refused(answer, before, 400, 422)
        if answer.status_code == 400:
            assert any(
                key.split(".")[0] == field for key in orjson.loads(answer.content)["errors"]
            ), (value, answer.content)


@pytest.mark.parametrize(("method", "path", "operation"), WITH_BODY, ids=name)
def test_a_required_field_is_required(method, path, operation, api, here) -> None:
    before = routes.fingerprint(leaving_out=CHANGES_ALWAYS)
    ref = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    for field in DOCUMENT["components"]["schemas"][ref.rsplit("/")[-1]].get("required", []):
        for body in (
            {key: value for key, value in good(operation).items() if key != field},
            {**good(operation), field: None},
        ):
            answer = api.send(method, url(path), body=body)
            refused(answer, before, 400)
            assert field in orjson.loads(answer.content)["errors"]


BAD_IDS = [
    "x",
    "%00",
    "pat_",
    "pat_01KKDW5T0R2Y4Z6A8P1B3S5D7",
    "c_01KKDW5T0R2Y4Z6A8P1B3S5D7F",
    "cmp_01KKDW5T0R2Y4Z6A8P1B3S5D7F",
    "pat_ZZZZZZZZZZZZZZZZZZZZZZZZZZ",
    "00000000-0000-0000-0000-000000000000",
    "9" * 300,
    "%F0%9F%98%80",
    "..",
    "1'%20OR%201=1",
]
IN_PATH = [one for one in OPERATIONS if "{" in one[1]]


@pytest.mark.parametrize(("method", "path", "operation"), IN_PATH, ids=name)
def test_an_id_of_another_kind_is_404(method, path, operation, api, here) -> None:
    before = routes.fingerprint(leaving_out=CHANGES_ALWAYS)
    body = good(operation) if "requestBody" in operation else None
    for bad in [*BAD_IDS, *(set(sample.IDS.values()) - _right(path))]:
        answer = api.send(method, url(path, dict.fromkeys(sample.IDS, bad)), body=body)
        refused(answer, before, 404)


def _right(path: str) -> set[str]:
    return {sample.IDS[found] for found in re.findall(r"{(\w+)}", path)}


QUERIES = [
    (method, path, told)
    for method, path, operation in OPERATIONS
    for told in operation.get("parameters", [])
    if told.get("in") == "query"
]


@pytest.mark.parametrize(("method", "path", "told"), QUERIES, ids=name)
def test_a_wrong_parameter_is_refused_and_named(method, path, told, api, here) -> None:
    before = routes.fingerprint(leaving_out=CHANGES_ALWAYS)
    shape, parameter = told["schema"], told["name"]
    wrong = ["x\0"]
    free = shape["type"] == "string" and not shape.keys() & {"enum", "format", "pattern"}
    if not free:
        wrong += ["", "nonsense", "x" * 3000, "😀", "[]", "1e3", "-1", "99999999999999999999"]
    for value in wrong:
        answer = api.get(url(path), {parameter: value})
        refused(answer, before, 400)
        if "\0" not in value:
            assert parameter in orjson.loads(answer.content)["errors"]


def test_a_blank_or_endless_idempotency_key_is_refused(api, here, assert_error) -> None:
    before = routes.fingerprint(leaving_out=CHANGES_ALWAYS)
    for key in (" ", "x" * 256):
        answer = api.post("/recall", {"patient_id": sample.PATIENT}, Idempotency_Key=key)
        refused(answer, before, 400)
