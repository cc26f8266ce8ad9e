"""Every way in which a system may fail, for every system: what is known afterwards is said right,
and nothing is sent twice.
"""

from collections.abc import Callable
from typing import Any

import pytest

from integrations import registry
from integrations.models import PMS_KINDS, Connection
from integrations.pms import wire
from integrations.pms.connector import Connector, Entry
from sightsync.lib.errors import ProviderError, ProviderKind
from tests.sandbox import Sandbox

pytestmark = [pytest.mark.django_db, pytest.mark.parametrize("kind", PMS_KINDS)]
System = Callable[..., Connector]

FAILS = [
    ("delay", ProviderKind.UNKNOWN, "timeout", True),
    ("429", ProviderKind.TEMPORARY, "slow_down", False),
    ("500", ProviderKind.UNKNOWN, "server_error", False),
    ("broken_json", ProviderKind.UNKNOWN, "broken_answer", True),
    ("html", ProviderKind.UNKNOWN, "broken_answer", False),
    ("drop_after_accept", ProviderKind.UNKNOWN, "broken_connection", True),
    ("drop_before_accept", ProviderKind.UNKNOWN, "broken_connection", False),
]
"""Mode, what is known, code, and whether the system had done what was asked."""
READS: dict[str, Callable[[Connector, Entry], object]] = {
    "patients": lambda system, entry: system.patients(since=None),
    "appointments": lambda system, entry: system.appointments(since=None),
    "busy": lambda system, entry: system.busy(start=entry.starts_at, end=entry.ends_at),
    "free": lambda system, entry: system.free(start=entry.starts_at, end=entry.ends_at),
    "find": lambda system, entry: system.find(entry),
    "diaries": lambda system, entry: system.diaries(),
    "test": lambda system, entry: system.test(),
}


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "DEADLINE_S", 0.5)


@pytest.mark.parametrize(("mode", "known", "code", "done"), FAILS, ids=[row[0] for row in FAILS])
def test_a_booking_that_fails_is_known_for_what_it_is(
    kind: str,
    mode: str,
    known: ProviderKind,
    code: str,
    done: bool,
    system: System,
    sandbox: Sandbox,
    entry: Callable[..., Entry],
) -> None:
    connector = system(kind)
    connector.test()
    before = len(sandbox.log(kind))
    sandbox.fault(kind, mode, seconds=1.0, retry_after=7)
    with pytest.raises(ProviderError) as failed:
        connector.book(entry())
    assert (failed.value.kind, failed.value.code) == (known, code)
    assert failed.value.retry_after == (7 if mode == "429" else None)
    sandbox.wait_idle()
    asked = [row for row in sandbox.log(kind)[before:] if row["method"] in ("POST", "PUT")]
    assert len(asked) <= 1
    assert (connector.find(entry()) is not None) is done


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize(("mode", "known", "code", "done"), FAILS, ids=[row[0] for row in FAILS])
def test_a_reading_that_fails_says_so_and_goes_well_the_next_time(
    kind: str,
    read: str,
    mode: str,
    known: ProviderKind,
    code: str,
    done: bool,
    system: System,
    sandbox: Sandbox,
    entry: Callable[..., Entry],
) -> None:
    connector = system(kind)
    connector.book(entry())
    sandbox.fault(kind, mode, seconds=1.0)
    with pytest.raises(ProviderError) as failed:
        READS[read](connector, entry())
    assert (failed.value.kind, failed.value.code) == (known, code)
    READS[read](connector, entry())


def test_a_session_that_cannot_be_opened_is_the_same_failure(
    kind: str, system: System, sandbox: Sandbox
) -> None:
    connector = system(kind)
    sandbox.fault(kind, "html")
    with pytest.raises(ProviderError) as failed:
        connector.test()
    assert failed.value.code == "broken_answer"


def test_a_system_that_is_down_was_not_reached(
    kind: str,
    connection_to: Callable[..., Connection],
    settings: Any,
    entry: Callable[..., Entry],
) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:9"
    connector = registry.connector(connection_to(kind))
    for ask in (connector.test, lambda: connector.book(entry())):
        with pytest.raises(ProviderError) as failed:
            ask()
        assert (failed.value.kind, failed.value.code) == (ProviderKind.TEMPORARY, "unreachable")


def test_a_session_is_renewed_when_it_is_over(
    kind: str, system: System, sandbox: Sandbox, at: Callable[[str], None]
) -> None:
    connector = system(kind)
    connector.test()
    at("2026-11-18T10:30:00Z")
    assert connector.patients(since=None).items
    opened = [row for row in sandbox.log(kind) if row["path"].endswith("/session")]
    assert len(opened) == (2 if kind == "optisoft" else 0)
