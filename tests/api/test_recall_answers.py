"""What the recall operations answer, and the document's examples, fit the document's schema."""

import json
from datetime import timedelta
from typing import Any

import jsonschema
import pytest

from patients import opt_out
from practices import journal
from recall.attempts import carriers
from recall.attempts.carriers import Handed
from recall.campaigns import run
from recall.campaigns.selection import Choice
from recall.models import AttemptState, Outcome
from sightsync.lib import clock, ids
from sightsync.lib.api import schema
from tests import engine

pytestmark = pytest.mark.django_db
DOCUMENT = json.loads(schema.document())
PREFIX = "/api/v1/"
NOUNS = ("recall", "calls", "appointments", "campaigns", "recalls", "events")
OPERATIONS = [
    (path, method)
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
    if path.removeprefix(PREFIX).split("/")[0] in NOUNS
]


def check(body: Any, path: str, method: str, status: str) -> None:
    answer = DOCUMENT["paths"][path][method]["responses"][status]
    if "$ref" in answer:
        answer = DOCUMENT["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    shape = {**answer["content"]["application/json"]["schema"]}
    shape["components"] = DOCUMENT["components"]
    jsonschema.Draft202012Validator(shape).validate(body)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_the_examples_fit(path, method) -> None:
    operation = DOCUMENT["paths"][path][method]
    shown = 0
    for status, answer in operation["responses"].items():
        for example in answer.get("content", {}).get("application/json", {}).get("examples", {}):
            value = answer["content"]["application/json"]["examples"][example]["value"]
            check(value, path, method, status)
            shown += 1
    assert shown
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    for example in content.get("examples", {}).values():
        jsonschema.Draft202012Validator(
            {**content["schema"], "components": DOCUMENT["components"]}
        ).validate(example["value"])


@pytest.fixture
def busy(practice, alice, monkeypatch, settings):
    """A campaign, calls of every kind, appointments, events."""
    settings.CARRIER_CALL_SPACING_S = 0.0
    monkeypatch.setattr(
        carriers, "hand_over", lambda *_: Handed("sandbox", f"CA{ids.new().hex}", "queued")
    )
    engine.register()
    people = [engine.patient(practice, f"+44770090000{n}") for n in range(6)]
    opt_out.record(patient=people[5], source="staff", actor=engine.ACTOR)
    campaign = run.start(
        practice=practice,
        choice=Choice(),
        name="All",
        start_token=ids.new(),
        user=alice,
        actor=engine.ACTOR,
    )
    engine.planned(
        people[0],
        campaign=campaign,
        state=AttemptState.DONE,
        outcome=Outcome.BUSY,
        submitted_at=clock.now() - timedelta(hours=1),
        provider_ref="CA1",
    )
    return campaign, people


def test_the_answers_fit(api, busy) -> None:
    campaign, people = busy
    ids_of = [patient.public_id for patient in people]

    def say(path: str, method: str, shape: str, body: Any = None) -> Any:
        given = api.send(method.upper(), path, body=body)
        check(given.json(), PREFIX + shape, method, str(given.status_code))
        return given.json()

    call = say("/recall", "post", "recall", {"patient_id": ids_of[1]})["call_id"]
    for refused in (0, 1, 5):
        say("/recall", "post", "recall", {"patient_id": ids_of[refused]})
    say("/recall", "post", "recall", {"patient_id": ids.encode("pat", ids.new())})
    batch = {"patient_ids": [*ids_of, "x"]}
    say("/recall/batch", "post", "recall/batch", {**batch, "dry_run": True})
    say("/recall/batch", "post", "recall/batch", batch)
    for day_only in (True, False):
        made = say(
            "/appointments",
            "post",
            "appointments",
            {
                "patient_id": ids_of[1],
                "appointment_date": "2026-12-01",
                "appointment_time": None if day_only else "14:30",
                "call_id": call,
            },
        )["appointment"]["id"]
    one = "appointments/{appointment_id}"
    say(f"/appointments/{made}", "patch", one, {"status": "no_show"})
    say(f"/appointments/{made}", "patch", one, {"status": "cancelled"})
    say(f"/appointments/{made}", "get", one)
    say(f"/calls/{call}", "get", "calls/{call_id}")
    say(f"/campaigns/{campaign.public_id}", "get", "campaigns/{campaign_id}")
    journal.seal()
    assert say("/events?all=true", "get", "events")["events"]
    for noun in ("calls", "appointments", "recalls"):
        assert say(f"/{noun}", "get", noun)[noun]
        assert say(f"/{noun}?size=2", "get", noun)["data"]
