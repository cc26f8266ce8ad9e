"""The dialler: how long from the beginning of a claim to the request leaving, and two hundred due
calls drained by four workers of the real queue, counted in the sandbox's own log.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from unittest import mock

from bench import measure, scratch

from django.conf import settings  # isort: skip

from integrations import pretend_clock
from practices.journal import Actor
from practices.models import Practice
from recall import tasks
from recall.attempts import carriers, claim
from recall.attempts.dialler import Dialler
from recall.models import Attempt, AttemptState
from sightsync.lib import clock
from tests import engine
from tests.sandbox import free_port_pair

CALLS = 200
WORKERS = 4
DRAINED_WITHIN_S = 60.0
IN_HOURS = datetime(2026, 11, 18, 10, tzinfo=UTC)


def build() -> None:
    """One practice with as many due calls as its plan and lines allow for."""
    pretend_clock.set_to(IN_HOURS)
    engine.register()
    practice = Practice.objects.create(
        name="Bench Opticians",
        phone_number="+441184960000",
        caller_number="+441184960001",
        plan="group",
        subscription_status="active",
        max_live_calls=1000,
        created_at=clock.now(),
    )
    for number in range(CALLS):
        # Persona 17 takes every call and answers none.
        engine.planned(engine.patient(practice, f"+4477{number:06d}17"))


def overhead_ms() -> list[float]:
    """Per call: from asking for the claim to the moment the request would leave."""
    taken, began = [], 0.0

    def leaves(attempt: Attempt, content: object) -> carriers.Handed:
        taken.append((time.perf_counter() - began) * 1000)
        return carriers.Handed("sandbox", f"CA{attempt.pk.hex}", "queued")

    with mock.patch.object(carriers, "hand_over", leaves):
        for attempt in Attempt.objects.filter(state=AttemptState.PLANNED):
            began = time.perf_counter()
            claimed = claim.claim(attempt.pk, actor=Actor.system("bench"))
            assert claimed is not None
            tasks.submit.submit(claimed, compose=tasks.render.message, actor=tasks.WORKER)
    return taken


@contextmanager
def running(*words: str, **environment: str) -> Iterator[None]:
    """A command of ours in a process group of its own, ended with all its children."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", *words],
        cwd=settings.BASE_DIR,
        env=os.environ | environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def drain(sandbox_url: str) -> tuple[float, list[dict[str, object]]]:
    """Seconds until nothing is planned, and the sandbox's log."""
    dialler, began = Dialler(), time.perf_counter()
    waiting = Attempt.objects.exclude(state=AttemptState.ACCEPTED)
    while waiting.exists() and time.perf_counter() - began < DRAINED_WITHIN_S:
        dialler.run(clock.now())
        time.sleep(0.1)
    took = time.perf_counter() - began
    with urllib.request.urlopen(f"{sandbox_url}/log", timeout=10) as answer:
        return took, json.load(answer)


def wait_for(answers: Callable[[], object]) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            answers()
            return
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)
    raise RuntimeError("it did not start")


def drained() -> list[measure.Line]:
    port = free_port_pair()
    url = f"http://127.0.0.1:{port}"
    told = {
        "DATABASE_URL": engine.database_url(),
        "SANDBOX_URL": url,
        "CARRIER_CALL_SPACING_S": "0",
        "WORKERS": str(WORKERS),
        "LOG_LEVEL": "ERROR",
        # Nobody listens there: what the calls come to is not measured.
        "PUBLIC_BASE_URL": "http://127.0.0.1:9",
    }
    settings.CARRIER_CALL_SPACING_S = 0.0
    with running("sandbox", "--port", str(port), **told):
        wait_for(lambda: urllib.request.urlopen(f"{url}/ready", timeout=2).close())
        with running("qcluster", **told):
            took, log = drain(url)
    asked = Counter(
        row["params"]["StatusCallback"] for row in log if str(row["path"]).endswith("/Calls.json")
    )
    return [
        measure.Line(
            f"{CALLS} due calls, {WORKERS} workers: requests too few or too many",
            abs(sum(asked.values()) - CALLS) + sum(n - 1 for n in asked.values()),
            0,
            "",
            note=f"{took:.1f} s, {CALLS / took:.0f} a second",
        ),
        measure.Line("seconds until all had left", took, DRAINED_WITHIN_S, "s"),
    ]


if __name__ == "__main__":
    with scratch.database("dialler"):
        build()
        times = overhead_ms()
    with scratch.database("dialler"):
        build()
        lines = drained()
    measure.report(
        [
            measure.Line(
                "claim to request leaving, median",
                statistics.median(times),
                20,
                "ms",
                note=f"95th percentile {statistics.quantiles(times, n=20)[-1]:.1f} ms",
            ),
            *lines,
        ]
    )
