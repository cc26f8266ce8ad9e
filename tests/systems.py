"""A practice whose system is connected, in the sandbox; and readings of it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core import mail

from integrations.models import Connection, ConnectionState, Kind
from patients.models import SyncRun, SyncState
from patients.sync import claim, plan, run
from practices.models import Practice
from recall.booking.from_pms import FromPms
from sightsync.lib import clock
from tests.sandbox import Sandbox

KEY = "optical-key-0001"


class System:
    """The practice's system as its front desk sees it."""

    def __init__(self, sandbox: Sandbox, kind: str, key: str = KEY) -> None:
        self.sandbox, self.kind, self.key = sandbox, kind, key

    def size(self, patients: int) -> None:
        self._post("size", patients=patients)

    def change(self, count: int = 1, **fields: Any) -> list[str]:
        return self._ids("change", count=count, fields=fields)

    def edit(self, *ids: str, **fields: Any) -> None:
        self._ids("change", ids=list(ids), fields=fields)

    def remove(self, count: int = 1) -> list[str]:
        return self._ids("remove", count=count)

    def restore(self, ids: list[str]) -> None:
        self._ids("restore", ids=ids)

    def add(self, **fields: Any) -> str:
        return self._ids("add", fields=fields)[0]

    def appointment(self, patient: str, starts_at: str, **more: Any) -> int:
        answer = self._post("appointment", patient=patient, starts_at=starts_at, **more)
        number: int = answer["number"]
        return number

    def touch(self, number: int, **wish: Any) -> None:
        self._post(f"appointment/{number}", **wish)

    def requests(self) -> list[dict[str, Any]]:
        return self.sandbox.log(self.kind)

    def _ids(self, what: str, **wish: Any) -> list[str]:
        return [str(one) for one in self._post(what, **wish)["ids"]]

    def _post(self, what: str, **wish: Any) -> Any:
        body = wish if what == "size" else {"key": self.key, **wish}
        return self.sandbox.post(f"/pms/{self.kind}/{what}", body)


@pytest.fixture
def connect(sandbox: Sandbox) -> Callable[..., Connection]:
    """Connect a practice to a system of the sandbox."""

    def make(practice: Practice, kind: str = Kind.OPTIX, key: str = KEY) -> Connection:
        return Connection.objects.create(
            practice=practice,
            kind=kind,
            state=ConnectionState.CONNECTED,
            credential=json.dumps({"api_key": key, "site_id": "SITE-7"}),
            last_four=key[-4:],
            connected_at=clock.now(),
        )

    return make


@pytest.fixture
def optix(sandbox: Sandbox) -> System:
    system = System(sandbox, "optix")
    system.size(40)
    return system


@pytest.fixture
def connection(practice: Practice, optix: System, connect: Callable[..., Connection]) -> Connection:
    """Acuity Opticians' Optix, of forty patients."""
    return connect(practice)


Read = Callable[..., SyncRun]


@pytest.fixture
def read() -> Read:
    """Read a connection now, to the end. On a busy machine an answer may take too long: then it is
    asked for again, as the product would.
    """

    def now(connection: Connection, **wish: Any) -> SyncRun:
        asked = plan.ask(connection, **wish)
        for _ in range(claim.MAX_TRIES):
            run.carry_on(asked.pk, appointments=FromPms(), seconds=60, at_once=True)
            asked.refresh_from_db()
            if asked.state != SyncState.RUNNING:
                break
        return asked

    return now


@pytest.fixture
def mails(settings: Any) -> Iterator[list[Any]]:
    """What was sent by email, kept in memory."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail.outbox = []
    yield mail.outbox


def counts(done: SyncRun) -> tuple[int, int, int, int, int]:
    """Read, created, updated, unchanged, rejected."""
    return done.read, done.created, done.updated, done.unchanged, done.rejected
