"""Log lines: known keys only, routes instead of paths, and never the words of an exception."""

import io
import json
import logging
import sys
import time
from datetime import datetime
from types import SimpleNamespace

import pytest
from django.test import Client

from practices.models import User
from recall.views import calls
from sightsync.lib.logging import (
    JsonFormatter,
    OnlyCrashes,
    PlainFormatter,
    RequestLog,
    request_id,
)

SECRET = "Canary Zimmermann"


def _record(message: str, *args: object, **extra: object) -> logging.LogRecord:
    record = logging.LogRecord("some.logger", logging.INFO, __file__, 1, message, args, None)
    record.__dict__.update(extra)
    return record


def _crash() -> logging.LogRecord:
    record = _record("it failed")
    try:
        raise ValueError(SECRET)
    except ValueError:
        record.exc_info = sys.exc_info()
    return record


def test_a_line_holds_the_known_keys_only() -> None:
    line = json.loads(JsonFormatter().format(_record("sent", attempt="c_1", name=SECRET, body="x")))
    assert set(line) == {"at", "level", "logger", "message", "attempt"}
    assert line["attempt"] == "c_1"


def test_a_line_carries_the_request_id() -> None:
    token = request_id.set("req_12345678")
    try:
        line = json.loads(JsonFormatter().format(_record("sent")))
    finally:
        request_id.reset(token)
    assert line["request_id"] == "req_12345678"


@pytest.mark.parametrize("formatter", [JsonFormatter(), PlainFormatter()])
def test_an_exception_says_where_and_what_kind_but_not_its_words(
    formatter: logging.Formatter,
) -> None:
    line = formatter.format(_crash())
    assert "ValueError at" in line
    assert "test_logging.py" in line
    assert SECRET not in line


@pytest.mark.parametrize("formatter", [JsonFormatter(), PlainFormatter()])
def test_a_path_is_replaced_by_its_route(formatter: logging.Formatter) -> None:
    request = SimpleNamespace(
        path="/b/token-of-a-patient", resolver_match=SimpleNamespace(route="b/<str:token>")
    )
    line = formatter.format(_record("Not Found: %s", request.path, request=request))
    assert "b/<str:token>" in line
    assert "token-of-a-patient" not in line
    request.resolver_match = None
    line = formatter.format(_record("Forbidden (%s): %s", "Origin", request.path, request=request))
    assert "Forbidden (Origin): -" in line


def test_a_plain_line_reads_like_a_sentence() -> None:
    line = PlainFormatter().format(_record("attempt postponed", code="outside_hours"))
    assert line == "attempt postponed outside_hours"
    warning = _record("slow")
    warning.levelno, warning.levelname = logging.WARNING, "WARNING"
    assert PlainFormatter().format(warning) == "warning: slow"


def test_statuses_are_not_logged_twice() -> None:
    assert not OnlyCrashes().filter(_record("Not Found: %s", "/"))
    assert OnlyCrashes().filter(_crash())


@pytest.mark.django_db
def test_a_page_that_breaks_shows_and_logs_nothing_of_it(
    alice: User, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(calls, "render", broken)
    client = Client(raise_request_exception=False)
    client.force_login(alice)
    answer = client.get("/calls")
    assert answer.status_code == 500
    assert SECRET.encode() not in answer.content
    assert SECRET not in capsys.readouterr().err


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the only handler writes."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter())
    monkeypatch.setattr(logging.root, "handlers", [handler])
    monkeypatch.setattr(logging.root, "level", logging.INFO)
    logging.root.manager._clear_cache()  # type: ignore[attr-defined]  # of what is enabled
    return written


def test_a_requests_line_is_the_one_that_logging_would_write(lines: io.StringIO) -> None:
    log, token = RequestLog("sightsync.requests"), request_id.set("req_12345678")
    try:
        log.write('G"T', "api/v1/päths", 200, time.perf_counter(), logging.INFO)
        logging.root.addHandler(logging.NullHandler())  # now it goes through logging
        log.write('G"T', "api/v1/päths", 200, time.perf_counter(), logging.INFO)
    finally:
        request_id.reset(token)
    direct, usual = (json.loads(line) for line in lines.getvalue().splitlines())
    assert list(direct) == list(usual)
    for line in (direct, usual):
        assert abs(time.time() - _seconds(line.pop("at"))) < 60
        assert 0 <= float(line.pop("duration_ms")) < 60_000
    assert direct == usual


def _seconds(at: str) -> float:
    assert len(at) == len("2026-03-11T09:00:00.123+00:00")
    return datetime.fromisoformat(at).timestamp()


def test_a_line_below_the_level_is_not_written(lines: io.StringIO) -> None:
    RequestLog("sightsync.requests").write("GET", "healthz", 200, 0.0, logging.DEBUG)
    assert lines.getvalue() == ""
