"""The OpenAPI document: what is committed is what the code says, and anybody may read it."""

import json
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from sightsync.lib.api import schema

COMMITTED = Path(settings.BASE_DIR) / "docs" / "openapi.json"


def test_the_committed_document_is_up_to_date() -> None:
    """If not: python manage.py spectacular --format openapi-json --file docs/openapi.json"""
    assert json.loads(COMMITTED.read_text()) == json.loads(schema.document())


def test_it_is_served_to_anybody(no_key_api) -> None:
    answer = no_key_api.get("/openapi.json")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["openapi"].startswith("3.1")


def test_the_command_finds_nothing_to_complain_about(tmp_path) -> None:
    call_command(
        "spectacular",
        format="openapi-json",
        file=str(tmp_path / "openapi.json"),
        validate=True,
        fail_on_warn=True,
    )


OPERATIONS = [
    (path, method, operation)
    for path, methods in json.loads(COMMITTED.read_text())["paths"].items()
    for method, operation in methods.items()
]


@pytest.mark.parametrize(
    ("path", "method", "operation"), OPERATIONS, ids=lambda v: v if isinstance(v, str) else ""
)
def test_every_operation_is_described(path, method, operation) -> None:
    assert operation["operationId"]
    assert operation["summary"]
    assert operation["x-scope"] in ("read", "write", "recall", "admin")
    assert {"401", "403", "429", "500", "503"} <= set(operation["responses"])
    good = [body for status, body in operation["responses"].items() if status.startswith("2")]
    assert any("examples" in kind for body in good for kind in body.get("content", {}).values())
