"""A practice whose organisation has consented, one business, a service and two staff."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from integrations import connections
from integrations.microsoft_bookings import oauth
from integrations.microsoft_bookings.client import Bookings
from integrations.models import Connection, Kind
from integrations.pms.connector import Entry
from integrations.sandbox.graph_memory import made_id
from practices.journal import Actor
from practices.models import Practice
from tests.sandbox import Sandbox

TENANT = made_id("tenant", "acuity.example")
OTHER_TENANT = made_id("tenant", "bellweather.example")
BUSINESS = "AcuityOpticians@acuity.example"
SERVICE = made_id(BUSINESS, "eye")
SHAH = made_id(BUSINESS, "Mrs Shah")
OKAFOR = made_id(BUSINESS, "Mr Okafor")
REFERENCE = "apt_01KB0000000000000000000001"
PLACES = "/solutions/bookingBusinesses/"


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
