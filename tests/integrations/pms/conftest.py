"""A connection to each practice management system, in the sandbox or at a server of the test's."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from integrations import registry
from integrations.models import Connection, ConnectionState, Kind
from integrations.pms.connector import Connector, Entry
from practices.models import Practice
from sightsync.lib import clock
from tests.integrations.pms.crooked import Crooked
from tests.sandbox import Sandbox

KEY = "optical-key-0001"


@pytest.fixture
def connection_to(practice: Practice) -> Callable[..., Connection]:
    """A connection that is in no table; its settings are the keywords."""

    def make(kind: str, *, api_key: str = KEY, **settings: object) -> Connection:
        credential = {"api_key": api_key}
        if kind == Kind.ACUITAS:
            credential["site_id"] = "SITE-7"
        return Connection(
            practice=practice,
            kind=kind,
            state=ConnectionState.CONNECTED,
            credential=json.dumps(credential),
            settings=settings,
            connected_at=clock.now(),
        )

    return make


@pytest.fixture
def system(sandbox: Sandbox, connection_to: Callable[..., Connection]) -> Callable[..., Connector]:
    """A connector to a sandbox system; with a few patients where a number is given."""

    def ask(kind: str, *, patients: int = 30, **more: Any) -> Connector:
        sandbox.post(f"/pms/{kind}/size", {"patients": patients})
        return registry.connector(connection_to(kind, **more))

    return ask


@pytest.fixture
def crooked(settings: Any) -> Iterator[Crooked]:
    """A server that answers as the test says, in place of the sandbox."""
    with Crooked() as server:
        settings.SANDBOX_URL = server.url
        yield server


@pytest.fixture
def entry() -> Callable[..., Entry]:
    def make(start: str = "2027-01-11T09:00:00+00:00", minutes: int = 30, **more: Any) -> Entry:
        starts_at = datetime.fromisoformat(start)
        given: dict[str, Any] = {
            "reference": "apt_01HZX0000000000000000000AA",
            "starts_at": starts_at,
            "ends_at": datetime.fromtimestamp(
                starts_at.timestamp() + minutes * 60, starts_at.tzinfo
            ),
            "first_name": "Jane",
            "last_name": "Doe",
            "phone": "+447700900123",
            "email": "jane@example.org",
            **more,
        }
        return Entry(**given)

    return make
