"""A practice whose organisation has consented, one business, a service and two staff."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from integrations import connections
from integrations.microsoft_bookings import oauth
from integrations.microsoft_bookings.client import Bookings
from integrations.models import Connection, Kind
from integrations.pms.connector import Entry
from practices.journal import Actor
from practices.models import Practice, User
from recall.models import Diary
from tests.integrations.microsoft.names import (
    BUSINESS,
    OKAFOR,
    OTHER_TENANT,
    PLACES,
    REFERENCE,
    SERVICE,
    SHAH,
    TENANT,
)
from tests.integrations.microsoft.way import Browser
from tests.sandbox import Sandbox


@pytest.fixture
def microsoft(sandbox: Sandbox) -> Iterator[Sandbox]:
    """The sandbox, consented, and nothing remembered of other tests."""
    oauth.forget(TENANT)
    oauth.forget(OTHER_TENANT)
    sandbox.post("/microsoft/consent", {})
    yield sandbox
    oauth.forget(TENANT)


@pytest.fixture
def connection(practice: Practice, microsoft: Sandbox) -> Connection:
    return connections.connect(
        practice=practice,
        kind=Kind.MICROSOFT_BOOKINGS,
        credential={"tenant": TENANT},
        shown=TENANT,
        settings={
            "business_id": BUSINESS,
            "business_name": "Acuity Opticians",
            "service_id": SERVICE,
            "service_name": "Eye examination",
            "service_minutes": 30,
            "diaries": {SHAH: "dry_1", OKAFOR: "dry_2"},
        },
        user=None,
        actor=Actor.system("test"),
    )


@pytest.fixture
def bookings(connection: Connection) -> Bookings:
    return Bookings(connection)


@pytest.fixture
def entry() -> Callable[..., Entry]:
    """Our appointment, Tuesday 24 November at half past two unless said otherwise."""

    def make(start: str = "2026-11-24T14:30:00Z", **more: Any) -> Entry:
        starts = datetime.fromisoformat(start)
        minutes = more.pop("minutes", 30)
        values: dict[str, Any] = {
            "reference": REFERENCE,
            "first_name": "Jane",
            "last_name": "Canary",
            "phone": "+447700900123",
            "email": "jane@example.org",
            "risk": "diabetic",
            "diary_id": SHAH,
            "booked_by_call": True,
        }
        return Entry(
            starts_at=starts, ends_at=starts + timedelta(minutes=minutes), **{**values, **more}
        )

    return make


def standing_there(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Ours, as Bookings keeps them."""
    rows = sandbox.get("/microsoft/bookings")["appointments"]
    return [row for row in rows if "apt_" in f"{row['serviceNotes']}{row['additionalInformation']}"]


def asked(sandbox: Sandbox, method: str, part: str = "") -> list[dict[str, Any]]:
    """What reached Bookings itself (not the sign-in), by method and a part of the path."""
    return [
        row
        for row in sandbox.log("graph")
        if row["method"] == method and PLACES in row["path"] and part in row["path"]
    ]


@pytest.fixture
def box(sandbox: Sandbox) -> Sandbox:
    """Nobody has consented yet."""
    oauth.forget(TENANT)
    oauth.forget(OTHER_TENANT)
    return sandbox


@pytest.fixture
def diaries(practice: Practice) -> list[Diary]:
    return [
        Diary.objects.create(practice=practice, name=name) for name in ("Mrs Shah", "Mr Okafor")
    ]


@pytest.fixture
def alices(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def browser(alices: Client, box: Sandbox) -> Browser:
    return Browser(alices)
