"""A connection to each practice management system, in the sandbox."""

import json
from collections.abc import Callable

import pytest

from integrations import registry
from integrations.models import Connection, ConnectionState, Kind
from integrations.pms.connector import Connector
from practices.models import Practice
from sightsync.lib import clock
from tests.sandbox import Sandbox

VENDORS = ("optix", "acuitas", "optisoft")
KEY = "optical-key-0001"


@pytest.fixture
def connection_to(practice: Practice) -> Callable[..., Connection]:
    """A connection that is in no table; its credential and settings are the keywords."""

    def make(kind: str, *, api_key: str = KEY, **settings: object) -> Connection:
        credential = {"api_key": api_key}
        if kind == Kind.ACUITAS:
            credential["site_id"] = "SITE-7"
        return Connection(
            practice=practice,
            kind=kind,
            state=ConnectionState.CONNECTED,
            credential=json.dumps(credential),
            settings=dict(settings),
            connected_at=clock.now(),
        )

    return make


@pytest.fixture
def system(sandbox: Sandbox, connection_to: Callable[..., Connection]) -> Callable[..., Connector]:
    """A connector to a sandbox system with a few patients."""

    def ask(kind: str, *, patients: int = 450, **more: str) -> Connector:
        sandbox.post(f"/pms/{kind}/size", {"patients": patients})
        return registry.connector(connection_to(kind, **more))

    return ask
