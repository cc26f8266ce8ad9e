"""The public API on the Procfile's server line: lists, one patient, key check and rate count
against a bare view and against DRF as its documentation has it, in the same server; the last page
against the first; what a slow carrier does to others; and the same on gunicorn, for the choice of
server.
"""

import statistics
import threading
from collections.abc import Mapping
from dataclasses import replace

from bench import load, measure, scratch, web_server

from django.db import connection  # isort: skip

from patients.models import Patient
from practices import api_keys
from practices.journal import Actor
from practices.models import Practice
from sightsync.lib import ids

PATIENTS = 100_000
ROUNDS = 5
SECONDS = 1.5
KEYS = 64
"""A key that is asked 120 times a minute is never busy: many are, at the same time."""


def build() -> tuple[list[str], str]:
    """The practice; headers with its keys, and a patient's id."""
    scratch.fill(
        Practice,
        "generate_series(1, 1) n",
        id="gen_random_uuid()",
        name="'Practice'",
        mode="'sandbox'",
        calling_from="'09:00'",
        calling_until="'18:00'",
        calling_weekdays="'{0,1,2,3,4}'",
        plan="'group'",
        subscription_status="'active'",
    )
    scratch.fill(
        Patient,
        f"practices_practice, generate_series(0, {PATIENTS - 1}) n",
        id="gen_random_uuid()",
        practice_id="practices_practice.id",
        first_name="'Patient'",
        last_name="'Number ' || n",
        phone_number="'+4477' || lpad((n::bigint * 7919 % 100000000)::text, 8, '0')",
        phone_kind="'mobile'",
        email="'patient' || n || '@example.org'",
        date_of_birth="current_date - n % 30000",
        risk_category="CASE WHEN n % 9 = 0 THEN 'diabetic' ELSE 'standard' END",
        last_eye_test_date="current_date - n % 900",
        due_source="'default_interval'",
        due_reason="'standard'",
        next_clinical_due_date="current_date + (n::bigint * 7919 % 1000)::int - 600",
        opted_out_at="CASE WHEN n % 20 = 0 THEN now() END",
    )
    scratch.analyze()
    practice = Practice.objects.get()
    headers = []
    for number in range(KEYS):
        _key, plain = api_keys.create(
            practice=practice, name=f"{number}", scopes=["read"], actor=Actor.system("bench")
        )
        headers.append(f"Authorization: Bearer {plain}")
    key = Patient.objects.values_list("pk", flat=True)[0]
    connection.close()
    return headers, ids.encode("pat", key)


def paths(patient: str) -> dict[str, list[str]]:
    """What is asked for, in turn. `walk` asks for every page of all patients, so that no row is
    one that a process has written lately; `list` for the first page, as whoever looks for changes.
    """
    listed = "/api/v1/patients?limit=100"
    return {
        "hello": ["/hello"],
        "key": ["/api/bench/key"],
        "one": [f"/api/v1/patients/{patient}"],
        "list": [listed],
        "walk": [f"{listed}&offset={offset}" for offset in range(0, PATIENTS, 100)],
        "last": [f"{listed}&offset={PATIENTS - 100}"],
        "stock": ["/stock/patients?limit=100"],
    }


def measured(
    port: int, asked: Mapping[str, list[str]], headers: list[str]
) -> dict[str, load.Result]:
    """Medians of interleaved rounds, so that what else the machine does falls on all alike. Each is
    asked for a moment before: a process reads a key's rows, and plans a statement, once.
    """
    for turns in asked.values():
        load.run(port, turns, headers=headers, seconds=SECONDS)
    rounds: dict[str, list[load.Result]] = {name: [] for name in asked}
    for _ in range(ROUNDS):
        for name, turns in asked.items():
            found = load.run(port, turns, headers=headers, seconds=SECONDS)
            if found.bad:
                raise RuntimeError(f"{name}: {found.bad} answers were not 2xx")
            rounds[name].append(found)
    return {name: _median(results) for name, results in rounds.items()}


def _median(results: list[load.Result]) -> load.Result:
    return replace(
        results[0],
        rate=statistics.median(found.rate for found in results),
        p50=statistics.median(found.p50 for found in results),
        p99=statistics.median(found.p99 for found in results),
        worst=max(found.worst for found in results),
    )


def beside_a_slow_carrier(port: int, header: str, waiting: int) -> load.Result:
    """The key check's times while so many recalls wait ten seconds for the carrier."""
    slow = threading.Thread(
        target=lambda: load.run(
            port, ["/api/bench/slow"], headers=[header], connections=waiting, seconds=12
        )
    )
    slow.start()
    threading.Event().wait(1.0)
    found = load.run(port, ["/api/bench/key"], headers=[header], connections=2, seconds=2)
    slow.join()
    return found


def ratios(found: Mapping[str, load.Result]) -> list[measure.Line]:
    """A limit on a share is kept when hello is at most so many times faster."""
    hello, listed = found["hello"].rate, found["list"].rate

    def line(what: str, name: str, share: float) -> measure.Line:
        rate = found[name].rate
        note = f"{rate:,.0f}/s, {rate / hello:.1%} of hello's {hello:,.0f}/s; at least {share:.0%}"
        return measure.Line(f"hello against {what}", hello / rate, 1 / share, note=note)

    stock = found["stock"].rate
    first, last = found["list"].p50, found["last"].p50
    return [
        line(f"a list of 100 out of {PATIENTS:,}", "list", 0.12),
        line("the same, walked from end to end", "walk", 0.05),
        line("one patient", "one", 0.20),
        line("key check and shared count", "key", 0.30),
        measure.Line(
            "stock DRF's time for the list, of ours turned round",
            stock / listed,
            1 / 4,
            note=f"{listed / stock:.0f} times as fast as stock DRF's {stock:,.0f}/s",
        ),
        measure.Line(
            "the last page against the first",
            last / first,
            2,
            note=f"{last:.1f} ms against {first:.1f} ms",
        ),
    ]


def show(name: str, found: Mapping[str, load.Result]) -> None:
    for what, result in found.items():
        print(
            f"       {name:<16} {what:<6} {result.rate:8,.0f}/s"
            f"  p50 {result.p50:7.2f} ms  p99 {result.p99:7.2f} ms",
            flush=True,
        )


def main() -> None:
    with scratch.database("api"):
        headers, patient = build()
        asked = paths(patient)
        with web_server.serving(web_server.procfile_line()) as port:
            found = measured(port, asked, headers)
            show("granian", found)
            blocked = beside_a_slow_carrier(port, headers[0], waiting=8)
        for name, options in GUNICORN.items() if web_server.has_gunicorn() else ():
            with web_server.serving(web_server.gunicorn_line(*options)) as port:
                show(name, measured(port, asked, headers))
        connection.close()
    measure.report(
        [
            *ratios(found),
            measure.Line(
                "slowest answer while 8 recalls wait 10 s for the carrier",
                blocked.worst,
                1000,
                "ms",
                f"{blocked.rate:,.0f}/s beside them",
            ),
        ]
    )


GUNICORN = {
    "gunicorn sync": (),
    "gunicorn threads": ("--worker-class", "gthread", "--threads", "8"),
}
"""Beside it where it is installed; the product does not need it."""

if __name__ == "__main__":
    main()
