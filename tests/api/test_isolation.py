"""Every route and method of the API with another practice's ids: the answer for "missing", to the
byte, and nothing is written. A new route is covered by being routed.
"""

from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from tests import routes
from tests.api import sample
from tests.api.sample import Sample

pytestmark = pytest.mark.django_db

CHANGES_ALWAYS = ("practices_apicount", "practices_apikey")
"""The rate count, and a key's last use."""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@dataclass(frozen=True)
class Case:
    route: routes.Route
    method: str

    def __str__(self) -> str:
        return f"{self.method} /{self.route.path}"


CASES = [
    Case(route, method)
    for route in routes.by_key()
    if route.path.startswith("api/v1/")
    for method in METHODS
]
IN_PATH = [case for case in CASES if case.route.parameters]
BODIES: dict[str, dict[str, Any]] = {
    "api/v1/recall": {"patient_id": sample.PATIENT},
    "api/v1/data-requests": {"patient_id": sample.PATIENT, "type": "erasure"},
    "api/v1/appointments": {
        "patient_id": sample.PATIENT,
        "appointment_date": "2026-12-01",
        "appointment_time": "10:00",
    },
}
"""Bodies that name another practice's row."""
IN_BODY_NOTHING = {"api/v1/patients", "api/v1/webhooks", "api/v1/agent", "api/v1/recall/batch"}
"""Bodies that name no row, and the batch, which answers with a row for each id: tested below."""


@pytest.fixture
def theirs(practice) -> Sample:
    """Acuity's rows, which Bellweather must not reach."""
    return sample.make(practice)


def settled(answer: Any) -> tuple[int, bytes]:
    return answer.status_code, answer.content


@pytest.mark.parametrize("case", IN_PATH, ids=str)
def test_another_practices_row_is_the_same_404_as_none(case, theirs, other_api) -> None:
    body: dict[str, Any] | None = {} if case.method in ("POST", "PUT", "PATCH") else None
    before = routes.fingerprint(leaving_out=CHANGES_ALWAYS)
    answer = other_api.send(case.method, case.route.url(**sample.IDS), body=body)
    none = other_api.send(case.method, case.route.url(**sample.missing()), body=body)
    assert settled(answer) == settled(none)
    if case.method == "OPTIONS":
        assert (answer.status_code, answer.content) == (204, b"")
    elif hasattr(case.route.view.cls, case.method.lower().replace("head", "get")):
        assert answer.status_code == 404
    else:
        assert answer.status_code == 405
    assert b"Canary" not in answer.content
    assert routes.fingerprint(leaving_out=CHANGES_ALWAYS) == before


@pytest.mark.parametrize("case", CASES, ids=str)
def test_nothing_without_a_key(case, theirs, no_key_api) -> None:
    before = routes.fingerprint()
    for plain in (None, "nvc_test_" + "x" * 40, "nvc_live_" + "x" * 40):
        no_key_api.plain = plain
        answer = no_key_api.send(case.method, case.route.url(**sample.IDS), body={"a": 1})
        assert answer.status_code == 401
        assert b"Canary" not in answer.content
    assert routes.fingerprint() == before


@pytest.mark.parametrize("case", IN_PATH, ids=str)
def test_its_owner_reaches_it(case, theirs, api) -> None:
    """The twin: what is refused above is there."""
    body = {} if case.method in ("POST", "PUT", "PATCH") else None
    answer = api.send(case.method, case.route.url(**sample.IDS), body=body)
    assert answer.status_code != 404


POSTS = [
    case
    for case in CASES
    if case.method == "POST" and not case.route.parameters and hasattr(case.route.view.cls, "post")
]


@pytest.mark.parametrize("case", POSTS, ids=str)
def test_every_body_is_thought_of(case) -> None:
    assert case.route.path in BODIES.keys() | IN_BODY_NOTHING


@pytest.mark.parametrize("path", BODIES)
def test_another_practices_row_in_a_body_is_the_same_404_as_none(path, theirs, other_api) -> None:
    before = routes.fingerprint(leaving_out=CHANGES_ALWAYS)
    answer = other_api.post(f"/{path}", BODIES[path])
    nobodys = {**BODIES[path], "patient_id": sample.missing()["patient_id"]}
    none = other_api.post(f"/{path}", nobodys)
    assert answer.status_code == 404
    assert settled(answer) == settled(none)
    assert routes.fingerprint(leaving_out=CHANGES_ALWAYS) == before


def test_another_practices_call_cannot_be_linked(theirs, other_api, other_practice) -> None:
    own = sample.engine.patient(other_practice, "+447700900007")
    before = routes.fingerprint(leaving_out=CHANGES_ALWAYS)
    body = {"patient_id": own.public_id, "appointment_date": "2026-12-01"}
    answer = other_api.post("/appointments", {**body, "call_id": sample.CALL})
    none = other_api.post("/appointments", {**body, "call_id": sample.missing()["call_id"]})
    assert answer.status_code in (400, 404)
    assert settled(answer) == settled(none)
    assert routes.fingerprint(leaving_out=CHANGES_ALWAYS) == before


def test_a_batch_skips_another_practices_patient_like_none(theirs, other_api) -> None:
    before = routes.fingerprint(leaving_out=CHANGES_ALWAYS)
    nobody = sample.missing()["patient_id"]
    answer = other_api.post("/recall/batch", {"patient_ids": [sample.PATIENT, nobody]})
    rows = answer.json()["skipped"]
    assert [row.pop("patient_id") for row in rows] == [sample.PATIENT, nobody]
    assert rows[0] == rows[1]
    assert answer.json()["triggered"] == []
    assert routes.fingerprint(leaving_out=CHANGES_ALWAYS) == before


LISTS = [
    case
    for case in CASES
    if case.method == "GET" and not case.route.parameters and hasattr(case.route.view.cls, "get")
]


@pytest.mark.parametrize("case", LISTS, ids=str)
def test_lists_show_nothing_of_another_practice(case, theirs, other_api) -> None:
    queries: list[dict[str, str]] = [{}, {"patient_id": sample.PATIENT}, {"status": "booked"}]
    for query in queries:
        answer = other_api.get(f"/{case.route.path}", query)
        if query.get("status") and answer.status_code == 400:
            continue
        assert answer.status_code == 200, answer.content
        body = orjson.loads(answer.content)
        assert b"Canary" not in answer.content
        assert not any(value.encode() in answer.content for value in sample.IDS.values())
        assert body.get("total", 0) == 0


def test_the_agent_finds_no_patient_of_another_practice(theirs, other_api) -> None:
    answer = other_api.post("/agent", {"goal": "Call all diabetic patients", "dry_run": True})
    assert answer.status_code == 200, answer.content
    assert (answer.json()["patients_selected"], answer.json()["skipped"]) == (0, [])
