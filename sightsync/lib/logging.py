"""One line per log record, JSON or plain, with ids and codes and nothing about a person.

Only known keys of `extra` are written; whatever else a library attaches is dropped.
"""

import json
import logging
import time
from contextlib import nullcontext
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache

# None of these is written, and looking up a caller for every line costs more than writing it:
# https://docs.python.org/3/howto/logging.html#optimization
logging._srcfile = None
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False

request_id: ContextVar[str] = ContextVar("request_id", default="")

_EXTRA = (
    "action",
    "appointment",
    "attempt",
    "campaign",
    "channel",
    "code",
    "count",
    "duration_ms",
    "episode",
    "job",
    "kind",
    "method",
    "outcome",
    "patient",
    "practice",
    "route",
    "state",
    "status",
)


class JsonFormatter(logging.Formatter):
    """For machines: the default."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        if value := request_id.get():
            line["request_id"] = value
        line.update({key: str(getattr(record, key)) for key in _EXTRA if hasattr(record, key)})
        if record.exc_info and record.exc_info[0]:
            line["exception"] = _traceback(record)
        return json.dumps(line)


class RequestLog:
    """The line that every request writes. Where logging would do nothing but write JSON to one
    stream, it is written here: the same line at a quarter of the cost.
    """

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)
        self._start = f'"level": "info", "logger": "{name}", "message": "request"'
        self._second = (0, "")

    def write(self, method: str, route: str, status: int, started: float, level: int) -> None:
        """`started` is the reading of `time.perf_counter` when the request came."""
        if not self._logger.isEnabledFor(level):
            return
        took = round((time.perf_counter() - started) * 1000, 1)
        handlers = self._logger.handlers or logging.root.handlers
        if (
            level != logging.INFO
            or len(handlers) != 1
            or not isinstance(handlers[0], logging.StreamHandler)
            or type(handlers[0].formatter) is not JsonFormatter
        ):
            facts = {"method": method, "route": route, "status": status, "duration_ms": took}
            self._logger.log(level, "request", extra=facts)
            return
        line = (
            f'{{"at": "{self._now()}", {self._start}, "request_id": "{request_id.get()}",'
            f' "duration_ms": "{took}", "method": {_quoted(method)}, "route": {_quoted(route)},'
            f' "status": "{status}"}}\n'
        )
        with handlers[0].lock or nullcontext():
            handlers[0].stream.write(line)
            handlers[0].flush()

    def _now(self) -> str:
        now = time.time()
        second, at = self._second
        if second != int(now):
            second = int(now)
            at = datetime.fromtimestamp(second, UTC).isoformat()[:19]
            self._second = second, at
        return f"{at}.{int((now - second) * 1000):03d}+00:00"


_quoted = lru_cache(maxsize=512)(json.dumps)


class PlainFormatter(logging.Formatter):
    """For people at a terminal, where honcho adds the time: the same facts without their keys."""

    def format(self, record: logging.LogRecord) -> str:
        facts = [str(getattr(record, key)) for key in _EXTRA if hasattr(record, key)]
        level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        line = " ".join([f"{level}{_message(record)}", *facts])
        if record.exc_info and record.exc_info[0]:
            line += f" ({_traceback(record)})"
        return line


class OnlyCrashes(logging.Filter):
    """For django.request: the request log has every status already, so only exceptions are news."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.exc_info is not None


def _message(record: logging.LogRecord) -> str:
    """The record's own words, with the route in place of the path, which may carry a token."""
    request = getattr(record, "request", None)
    path = getattr(request, "path", None)
    if path is None or not isinstance(record.args, tuple):
        return record.getMessage()
    match = getattr(request, "resolver_match", None)
    route = match.route if match else "-"
    return str(record.msg) % tuple(route if part == path else part for part in record.args)


def _traceback(record: logging.LogRecord) -> str:
    """Where it went wrong and which type; never the message, which may quote a record."""
    assert record.exc_info is not None
    kind, _error, trace = record.exc_info
    frames = []
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return f"{kind.__name__ if kind else ''} at " + " < ".join(reversed(frames[-12:]))
