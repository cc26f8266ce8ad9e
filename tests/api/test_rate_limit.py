"""120 requests a minute for a key, over all processes."""

import concurrent.futures
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from practices import key_check, tasks
from practices.models import ApiCount, Practice
from sightsync.lib import clock
from tests.api.conftest import ApiClient, make_client


def spend(client: ApiClient, hits: int, *, seconds_ago: float = 0) -> None:
    started = clock.real_now() - timedelta(seconds=seconds_ago)
    ApiCount.objects.update_or_create(
        key=client.key, defaults={"hits": hits, "started_at": started}
    )


def test_every_answer_tells_the_rate(api, no_key_api) -> None:
    first, second = api.get("/usage"), api.get("/nothing")
    assert [a["RateLimit-Limit"] for a in (first, second)] == ["120", "120"]
    assert [a["RateLimit-Remaining"] for a in (first, second)] == ["119", "118"]
    assert 55 <= int(second["RateLimit-Reset"]) <= 60
    for answer in (no_key_api.get("/usage"), no_key_api.get("/openapi.json")):
        assert answer["RateLimit-Limit"] == "120"
        assert answer["RateLimit-Remaining"]
        assert answer["RateLimit-Reset"]
        assert answer["X-Request-Id"]


def test_the_hundred_and_twentieth_passes_and_the_next_does_not(api, assert_error) -> None:
    spend(api, 119, seconds_ago=20)
    assert api.get("/usage")["RateLimit-Remaining"] == "0"
    answer = api.get("/usage")
    body = assert_error(answer, 429, "rate_limited")
    wait = int(answer["Retry-After"])
    assert 35 <= wait <= 40
    assert answer["RateLimit-Remaining"] == "0"
    assert int(answer["RateLimit-Reset"]) == wait
    reset = datetime.fromisoformat(body["reset"])
    assert timedelta(seconds=34) <= reset - clock.real_now() <= timedelta(seconds=42)


def test_waiting_as_long_as_told_is_enough(api) -> None:
    spend(api, 500, seconds_ago=60)
    answer = api.get("/usage")
    assert (answer.status_code, answer["RateLimit-Remaining"]) == (200, "119")


def test_the_limit_comes_before_scope_and_body(read_only_api, assert_error) -> None:
    spend(read_only_api, 120)
    assert_error(read_only_api.post("/usage", b"{"), 429, "rate_limited")


def test_keys_are_counted_apart(api, practice, other_api) -> None:
    spend(api, 120)
    assert make_client(practice).get("/usage").status_code == 200
    assert other_api.get("/usage").status_code == 200
    assert api.get("/usage").status_code == 429


def test_a_wrong_key_is_not_counted(no_key_api) -> None:
    no_key_api.get("/usage", Authorization="Bearer nvc_test_" + "0" * 40)
    assert not ApiCount.objects.exists()


def test_the_sandbox_clock_does_not_move_the_window(api, at) -> None:
    spend(api, 120)
    at("2026-11-18T12:00:00Z")
    assert api.get("/usage").status_code == 429


def test_a_request_is_found_and_counted_in_one_statement(api, django_assert_num_queries) -> None:
    key_check.check(api.plain)
    with django_assert_num_queries(1):
        found = key_check.check(api.plain)
    assert found is not None
    assert found.hits == 2


@pytest.mark.django_db
def test_the_table_waits_for_no_disk() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE relname = 'practices_apicount'")
        assert cursor.fetchone() == ("u",)


def test_old_counters_are_dropped(api, other_api) -> None:
    spend(api, 5, seconds_ago=2 * 3600)
    spend(other_api, 5)
    tasks.forget_api_use()
    assert list(ApiCount.objects.values_list("key", flat=True)) == [other_api.key.pk]


# --- two processes ------------------------------------------------------------------------------

SERVER = """
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server
from sightsync.wsgi import application
WSGIRequestHandler.log_message = lambda *words: None
server = make_server("127.0.0.1", int(sys.argv[1]), application)
print("ready", flush=True)
server.serve_forever()
"""


def _url() -> str:
    used = connection.settings_dict
    host = used["HOST"] or used["OPTIONS"].get("host", "")
    if host.startswith("/") or not host:
        return f"postgresql://{used['USER']}:@/{used['NAME']}?host={host}"
    return (
        f"postgresql://{used['USER']}:{used['PASSWORD']}@{host}:{used['PORT'] or 5432}"
        f"/{used['NAME']}"
    )


@pytest.fixture
def two_servers(transactional_db):
    ports, servers = [], []
    for _ in range(2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
    environment = {**os.environ, "DATABASE_URL": _url(), "LOG_LEVEL": "ERROR"}
    try:
        for port in ports:
            servers.append(
                subprocess.Popen(
                    [sys.executable, "-c", SERVER, str(port)],
                    cwd=Path(settings.BASE_DIR),
                    env=environment,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
        for server in servers:
            assert server.stdout is not None
            assert server.stdout.readline() == "ready\n"
        yield ports
    finally:
        for server in servers:
            server.kill()
            server.wait()


def test_two_processes_share_the_limit(two_servers) -> None:
    practice = Practice.objects.create(
        name="Two", created_at=clock.now(), subscription_status="active"
    )
    plain = make_client(practice).plain

    def ask(number: int) -> int:
        request = urllib.request.Request(
            f"http://127.0.0.1:{two_servers[number % 2]}/api/v1/usage",
            headers={"Authorization": f"Bearer {plain}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = Counter(pool.map(ask, range(130)))
    assert statuses == {200: 120, 429: 10}
