"""Health answers, and what the request log says of a request."""

import logging
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.test import Client

from practices.models import Heartbeat
from sightsync import views
from sightsync.lib import clock


def test_healthz_needs_no_database(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-cache" in answer["Cache-Control"]
    assert client.post("/healthz").status_code == 405


@pytest.fixture
def beats(db: None) -> Callable[..., None]:
    def put(**ages: timedelta) -> None:
        for name, age in ages.items():
            Heartbeat.objects.create(name=name, at=clock.real_now() - age)

    return put


NOW, LONG_AGO = timedelta(), timedelta(minutes=5)


@pytest.mark.parametrize(
    ("ages", "status", "parts"),
    [
        ({}, 503, ("silent", "silent")),
        ({"worker": NOW}, 503, ("ok", "silent")),
        ({"worker": LONG_AGO, "tick": NOW}, 503, ("silent", "ok")),
        ({"worker": NOW, "tick": NOW}, 200, ("ok", "ok")),
    ],
)
def test_readyz_needs_a_worker_and_a_tick(
    beats: Callable[..., None],
    client: Client,
    ages: dict[str, timedelta],
    status: int,
    parts: tuple[str, str],
) -> None:
    beats(**ages)
    answer = client.get("/readyz")
    assert answer.status_code == status
    assert (answer.json()["worker"], answer.json()["tick"]) == parts


def test_readyz_says_when_the_database_is_down(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def cursor(self) -> None:
            raise DatabaseError

    monkeypatch.setattr(views, "connection", Broken())
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["database"]) == (503, "down")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("abcdefgh-1.2_3", True),
        ("short", False),
        ("x" * 65, False),
        ("with space in it", False),
        ("new\nline-here", False),
        ("", False),
    ],
)
def test_a_harmless_request_id_is_kept(client: Client, given: str, kept: bool) -> None:
    answered = client.get("/healthz", headers={"X-Request-Id": given})["X-Request-Id"]
    assert (answered == given) is kept
    assert kept or answered.startswith("req_")


@pytest.mark.django_db
def test_the_request_log_names_the_route_and_never_the_path(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="sightsync.requests"):
        client.get("/b/secret-token-of-a-patient?x=1")
    [record] = [row for row in caplog.records if row.name == "sightsync.requests"]
    assert record.__dict__["route"] == "b/<str:token>"
    assert "secret-token" not in str(record.__dict__)


def test_probes_do_not_fill_the_log(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="sightsync.requests"):
        client.get("/healthz")
    assert not caplog.records
