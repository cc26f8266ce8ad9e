"""Schemathesis against the running application: whatever fits the document, and much that does
not, gets an answer of the document.

Every check it has is on: no 5xx, no undocumented status, content type, header or body, nothing
taken that the document refuses, nothing let in without a key.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.config import SchemathesisConfig

from practices import key_check
from recall.attempts import carriers
from recall.attempts.carriers import Handed
from sightsync.lib.api import schema as document
from sightsync.wsgi import application
from tests.api import sample
from tests.api.conftest import make_client

pytestmark = pytest.mark.django_db
EXAMPLES = 15

REFUSED = ["400", "402", "404", "409", "410", "422", "425", "429", "451"]
"""What JSON Schema cannot say (not size and limit at once, days from 1900 on, a number that can be
rung, an id that exists) is refused with these. Not with 401, 403, 413 or 415.
"""
CONFIG = SchemathesisConfig.from_dict(
    {
        "generation": {"allow-extra-parameters": False},  # unknown ones are ignored, as documented
        "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", *REFUSED]}},
    }
)


def _document() -> dict[str, Any]:
    """Without the idempotency key: one value for every request would have most of them replayed."""
    made: dict[str, Any] = json.loads(document.document())
    for operations in made["paths"].values():
        for operation in operations.values():
            told = operation.get("parameters", [])
            operation["parameters"] = [one for one in told if "$ref" not in one]
    return made


SCHEMA = schemathesis.openapi.from_dict(_document(), config=CONFIG)
SCHEMA.app = application


@SCHEMA.hook
def filter_case(context: Any, case: Case) -> bool:
    """A blank parameter of a query string is one that was not asked: forms send them so."""
    return "" not in (case.query or {}).values()


@pytest.fixture
def key(practice, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A key of a practice with one of everything, which may ask as often as it likes."""
    settings.CARRIER_CALL_SPACING_S = 0.0
    settings.ALLOWED_HOSTS = ["*"]
    monkeypatch.setattr(key_check, "LIMIT", 10**9)
    monkeypatch.setattr(
        carriers, "hand_over", lambda attempt, content: Handed("sandbox", attempt.pk.hex, "queued")
    )
    sample.make(practice)
    plain = make_client(practice).plain
    assert plain
    # As Django's own test client does: the test's transaction lives in this connection.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield plain
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_in_the_document(case: Case, key: str) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {key}"})
