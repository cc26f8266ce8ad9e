"""The nightly reading of fifty practices with five thousand patients each, against the sandbox's
servers: the first night, one on which a hundredth has changed, and one on which everything is
compared. `SYNC_PRACTICES` and `SYNC_PATIENTS` make it smaller for a quick look.
"""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx

from bench import measure, scratch

from django.conf import settings  # isort: skip
from django.db import connection  # isort: skip

from integrations.models import PMS_KINDS, Connection
from patients.models import Patient, SyncRun, SyncState
from patients.sync import plan, run
from practices.models import Practice
from recall.booking.from_pms import FromPms
from sightsync.lib import clock

PRACTICES = int(os.environ.get("SYNC_PRACTICES", "50"))
PATIENTS = int(os.environ.get("SYNC_PATIENTS", "5000"))
CHANGED = max(1, PATIENTS // 100)
TABLES = ("patients_patient", "patients_pmsrecord", "practices_journalentry")


@contextmanager
def servers() -> Iterator[str]:
    """The sandbox in a process of its own, with practices of that size; its address."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    root = Path(__file__).parent.parent
    command = [sys.executable, "manage.py", "sandbox", "--port", str(port)]
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url)
        for kind in PMS_KINDS:
            post(url, f"/pms/{kind}/size", patients=PATIENTS)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _wait(url: str) -> None:
    pause, until = threading.Event(), time.monotonic() + 120
    while True:
        try:
            httpx.get(f"{url}/ready", trust_env=False, timeout=5).raise_for_status()
        except httpx.HTTPError:
            if time.monotonic() > until:
                raise
            pause.wait(0.2)
        else:
            return


def post(url: str, path: str, **wish: object) -> None:
    answer = httpx.post(url + path, json=wish, trust_env=False, timeout=300)
    answer.raise_for_status()


def connect() -> list[Connection]:
    """The practices, a third with each vendor, each with a key of its own."""
    made = []
    for number in range(PRACTICES):
        practice = Practice.objects.create(
            name=f"Practice {number}",
            plan="growth",
            subscription_status="active",
            created_at=clock.now(),
        )
        credential = {"api_key": f"bench-key-{number:04d}", "site_id": f"SITE-{number}"}
        made.append(
            Connection.objects.create(
                practice=practice,
                kind=PMS_KINDS[number % len(PMS_KINDS)],
                credential=json.dumps(credential),
                connected_at=clock.now(),
            )
        )
    return made


def read_all(connections: list[Connection], *, full: bool = False) -> tuple[float, float]:
    """Seconds for all, and how many MB the second half of them added to the process's peak."""
    half, began = 0.0, time.perf_counter()
    for number, one in enumerate(connections):
        asked = plan.ask(one, full=full)
        done = run.carry_on(asked.pk, appointments=FromPms(), seconds=float("inf"), at_once=True)
        if done is None or done.state != SyncState.DONE:
            raise RuntimeError(f"not read to the end: {done and done.error_code}")
        if number == len(connections) // 2:
            half = measure.peak_mb()
    return time.perf_counter() - began, measure.peak_mb() - half


def rows_written() -> dict[str, int]:
    """By table, rows inserted, updated or deleted so far, as the server counts them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables"
            " WHERE relname = ANY(%s)",
            [list(TABLES)],
        )
        return dict(cursor.fetchall())


def main() -> list[measure.Line]:
    with scratch.database("sync"), servers() as url:
        settings.SANDBOX_URL = url
        connections = connect()
        first, grown = read_all(connections)
        created = Patient.objects.count()
        note = f"{first:.1f} s, {PRACTICES} x {PATIENTS} patients, {created / first:.0f} a second"

        for kind in PMS_KINDS:
            post(url, f"/pms/{kind}/change", count=CHANGED)
        before = rows_written()
        second, _ = read_all(connections)
        after = rows_written()
        changed = sum(SyncRun.objects.filter(scope="changes").values_list("updated", flat=True))

        quiet = rows_written()
        compared, _ = read_all(connections, full=True)
        still = rows_written()
    patients = after["patients_patient"] - before["patients_patient"]
    records = after["patients_pmsrecord"] - before["patients_pmsrecord"]
    idle = sum(still[name] - quiet[name] for name in TABLES[:2])
    peak = measure.peak_mb()
    return [
        measure.Line("1% changed, against the first night", second / first, 0.1, "x", note),
        measure.Line("rows of patients written for each that changed", patients / changed, 1, "x"),
        measure.Line("notes of what was read, for each that changed", records / changed, 1, "x"),
        measure.Line("everything compared, against the first night", compared / first, 1, "x"),
        measure.Line("rows written when everything is the same", idle, 0, "row"),
        measure.Line("peak grown over the second half of the first night", grown, 10, "MB"),
        measure.Line("peak memory", peak, 250, "MB"),
    ]


if __name__ == "__main__":
    measure.report(main())
