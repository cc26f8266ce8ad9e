"""Where a connector's requests may go, with the webhooks' own table of addresses."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpcore
import pytest

from integrations import registry
from integrations.models import Connection
from integrations.pms import guard, wire
from integrations.webhooks import addresses
from practices.models import Mode
from sightsync.lib.errors import ProviderError, ProviderKind
from tests.integrations.pms.crooked import Crooked

pytestmark = pytest.mark.django_db
TABLE = Path(__file__).parents[2] / "data" / "webhook_addresses.csv"
ROWS = list(csv.DictReader(TABLE.open(encoding="utf-8")))


class Reached(httpcore.SyncBackend):
    """Notes where a connection was asked for, and opens none."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def connect_tcp(self, host: str, *more: Any, **others: Any) -> httpcore.NetworkStream:
        self.asked.append(host)
        raise httpcore.ConnectError("not in a test")


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> Reached:
    backend = Reached()
    monkeypatch.setattr(guard.httpcore, "SyncBackend", lambda: backend)
    return backend


@pytest.fixture
def live(settings: Any, connection_to: Callable[..., Connection]) -> Callable[..., Connection]:
    """A connection of a practice that is live in a live installation."""
    settings.LIVE = True

    def make(kind: str = "optix", **chosen: object) -> Connection:
        row = connection_to(kind, **chosen)
        row.practice.mode = Mode.LIVE
        return row

    return make


@pytest.mark.parametrize("row", ROWS, ids=[f"{n}-{row['url'][:50]}" for n, row in enumerate(ROWS)])
def test_an_address_gets_the_verdict_of_the_table(
    row: dict[str, str],
    live: Callable[..., Connection],
    reached: Reached,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def resolver(host: str, port: int) -> list[str]:
        if row["resolves_to"] in ("", "none"):
            raise OSError("no such name")
        return row["resolves_to"].split()

    monkeypatch.setattr(addresses, "resolver", resolver)
    with pytest.raises(ProviderError) as failed:
        registry.connector(live(base_url=row["url"])).test()
    if row["verdict"] == "allowed":
        assert (failed.value.kind, failed.value.code) == (ProviderKind.TEMPORARY, "unreachable")
        wanted = row["resolves_to"].split() or [
            str(addresses.read(row["url"], loopback=False).host)
        ]
        assert reached.asked == wanted
        return
    says = {"not_found": "unreachable"}.get(row["verdict"], row["verdict"])
    assert failed.value.code == (says if row["url"] else "no_address")
    assert reached.asked == []


def test_the_name_is_asked_for_at_every_connection_and_only_that_answer_is_used(
    live: Callable[..., Connection], reached: Reached, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([["93.184.215.14"], ["127.0.0.1"]])
    monkeypatch.setattr(addresses, "resolver", lambda host, port: next(answers))
    connector = registry.connector(live(base_url="https://pms.example.com"))
    with pytest.raises(ProviderError) as first:
        connector.test()
    with pytest.raises(ProviderError) as second:
        connector.test()
    assert (first.value.code, second.value.code) == ("unreachable", "url_not_public")
    assert reached.asked == ["93.184.215.14"]


def test_a_sandbox_practice_reaches_the_sandbox_whatever_address_it_gave(
    connection_to: Callable[..., Connection], reached: Reached, settings: Any
) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:8010"
    with pytest.raises(ProviderError):
        registry.connector(connection_to("optix", base_url="https://pms.example.com")).test()
    assert reached.asked == ["127.0.0.1"]


def test_a_live_practice_without_an_address_reaches_nothing(
    live: Callable[..., Connection], reached: Reached
) -> None:
    for kind in ("optix", "acuitas", "optisoft"):
        with pytest.raises(ProviderError) as failed:
            registry.connector(live(kind))
        assert (failed.value.kind, failed.value.code) == (ProviderKind.REJECTED, "no_address")
    assert reached.asked == []


def test_no_proxy_of_the_environment_is_used(
    crooked: Crooked, connection_to: Callable[..., Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    crooked.says = {"name": "Acuity", "version": "1"}
    assert registry.connector(connection_to("optix")).test().name == "Acuity"


def test_the_guard_is_what_keeps_it_out(
    crooked: Crooked,
    live: Callable[..., Connection],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The twin: with the guard taken away the request would arrive, so the test above can fail."""
    crooked.says = {"name": "inside", "version": "1"}
    monkeypatch.setattr(wire.Wire, "_target", lambda self, loopback: None)
    assert registry.connector(live(base_url=crooked.url)).test().name == "inside"
