"""Every row of the table of addresses, in live and in sandbox."""

import csv
from pathlib import Path

import pytest

from integrations.webhooks import addresses

TABLE = Path(__file__).parents[2] / "data" / "webhook_addresses.csv"
ROWS = list(csv.DictReader(TABLE.open(encoding="utf-8")))


def _verdict(row: dict[str, str], monkeypatch: pytest.MonkeyPatch, *, loopback: bool) -> str:
    def resolver(host: str, port: int) -> list[str]:
        if row["resolves_to"] in ("", "none"):
            raise OSError("no such name")
        return row["resolves_to"].split()

    monkeypatch.setattr(addresses, "resolver", resolver)
    try:
        addresses.allowed(addresses.read(row["url"], loopback=loopback), loopback=loopback)
    except addresses.Refused as refused:
        return refused.code
    except addresses.NotFound:
        return "not_found"
    return "allowed"


@pytest.mark.parametrize("row", ROWS, ids=[f"{n}-{row['url'][:50]}" for n, row in enumerate(ROWS)])
def test_an_address_gets_the_verdict_of_the_table(
    row: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _verdict(row, monkeypatch, loopback=False) == row["verdict"]


@pytest.mark.parametrize(
    ("url", "resolves_to", "verdict"),
    [
        ("http://127.0.0.1:9/", "", "allowed"),
        ("http://127.0.0.1/", "", "allowed"),
        ("http://[::1]:9/", "", "allowed"),
        ("https://127.0.0.1:9443/", "", "allowed"),
        ("http://localhost:9/", "127.0.0.1 ::1", "allowed"),
        ("http://localhost:9/", "10.0.0.1", "url_not_public"),
        ("http://localhost:9/", "93.184.215.14", "url_not_https"),
        ("http://10.0.0.1/", "", "url_not_https"),
        ("http://rebind.example.com/", "127.0.0.1", "url_not_https"),
        ("https://rebind.example.com/", "127.0.0.1", "url_not_public"),
        ("http://2130706433/", "", "url_host"),
        ("http://0.0.0.0/", "", "url_not_https"),
        ("https://[::ffff:127.0.0.1]/", "", "url_not_public"),
    ],
)
def test_the_sandbox_reaches_this_machine_and_nothing_else_inside(
    url: str, resolves_to: str, verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {"url": url, "resolves_to": resolves_to}
    assert _verdict(row, monkeypatch, loopback=True) == verdict


def test_an_address_of_over_500_characters_is_refused() -> None:
    with pytest.raises(addresses.Refused):
        addresses.read("https://pms.example.com/" + "a" * 500, loopback=False)


def test_a_name_in_an_address_is_asked_for_once_and_every_answer_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, int]] = []

    def resolver(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["2606:4700::1", "93.184.215.14", "93.184.215.14"]

    monkeypatch.setattr(addresses, "resolver", resolver)
    target = addresses.read("https://pms.example.com/", loopback=False)
    found = addresses.allowed(target, loopback=False)
    assert [str(address) for address in found] == ["2606:4700::1", "93.184.215.14"]
    assert asked == [("pms.example.com", 443)]
