"""A list of 100,000 rows, from upload to done in one worker, against the floor of plain COPY and
INSERT ON CONFLICT of the same rows, and against django-import-export in its bulk mode; what the
worker needs of memory, how often its progress moves, and how long a single write of the practice
has to wait meanwhile. `IMPORT_ROWS` makes it smaller for a quick look.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from bench import measure, scratch

from django.db import connection, transaction  # isort: skip

from bench import import_list, import_peers
from patients import records
from patients.csv_import import at_once
from patients.models import ImportRun, Patient
from practices.journal import Actor
from practices.models import Practice

ROWS = int(os.environ.get("IMPORT_ROWS", "100000"))
PEER_ROWS = min(10_000, ROWS)
BAD = 0.02
ACTOR = Actor.system("bench")


def build(known: bytes) -> Practice:
    """A practice that knows three in ten of the patients, as they were a year ago."""
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
    practice = Practice.objects.get()
    at_once.run(practice=practice, file_name="known.csv", content=known, actor=ACTOR)
    scratch.analyze()
    return practice


class Watch(threading.Thread):
    """Writes single patients of the practice and reads the progress while an import runs."""

    def __init__(self, practice: Practice) -> None:
        super().__init__()
        self.practice = practice
        self.over = threading.Event()
        self.waits: list[float] = []
        self.still = 0.0

    def run(self) -> None:
        moved, seen, number = time.perf_counter(), (), 0
        while not self.over.wait(0.02):
            number += 1
            self.waits.append(measure.seconds(lambda number=number: self._write(number)))
            at = tuple(
                ImportRun.objects.filter(state="running").values_list("surveyed", "position")
            )
            now = time.perf_counter()
            if at != seen or not at:
                seen, moved = at, now
            self.still = max(self.still, now - moved)
        connection.close()

    def _write(self, number: int) -> None:
        records.upsert(
            practice=self.practice,
            data={"first_name": f"W{number}", "phone_number": f"07990{number:06d}"},
            source="staff",
            actor=ACTOR,
        )


def imported(path: Path, *options: str) -> dict[str, Any]:
    """What the worker's process has measured."""
    environment = os.environ | {"DATABASE_URL": _database_url()}
    done = subprocess.run(
        [sys.executable, "-m", "bench.import_once", str(path), *options],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert found["state"] == "done", found
    return found


def _database_url() -> str:
    settings = connection.settings_dict
    options = settings.get("OPTIONS", {})
    host = settings["HOST"] or options.get("host", "")
    user, name = settings["USER"] or "postgres", settings["NAME"]
    return f"postgresql://{user}:{settings['PASSWORD']}@/{name}?host={host}"


def floors(practice: Practice, known: bytes, clean: bytes) -> tuple[float, float]:
    """Seconds of the floor in tables of their own: with the patients' columns, indexes and foreign
    key, and with nothing but the columns of the list.
    """
    import_peers.make_floors(practice.pk, known)
    full = measure.seconds(lambda: import_peers.floor("floor_full", practice.pk, clean))
    bare = measure.seconds(lambda: import_peers.floor("floor_bare", practice.pk, clean))
    return full, bare


def peer(practice: Practice, *, validating: bool) -> float:
    """Seconds that django-import-export needs for its share of the list, times the rest; without
    the bad rows where it does not validate, for it would take them. Nothing of it stays.
    """
    known = import_list.content(PEER_ROWS * 3 // 10, bad=0, years_ago=1)
    content = import_list.content(PEER_ROWS, bad=BAD if validating else 0)
    with transaction.atomic():
        Patient.objects.filter(practice=practice).delete()
        import_peers.import_export(practice, known, validating=False)
        start = time.perf_counter()
        new, updated, bad = import_peers.import_export(practice, content, validating=validating)
        took = time.perf_counter() - start
        assert new + updated + bad == PEER_ROWS
        assert updated + bad >= PEER_ROWS * 3 // 10
        assert validating == (bad > PEER_ROWS * BAD / 2)
        transaction.set_rollback(True)
    return took * ROWS / PEER_ROWS


def main() -> None:
    dirty, clean = import_list.content(ROWS, bad=BAD), import_list.content(ROWS, bad=0)
    with tempfile.TemporaryDirectory() as folder, scratch.database("import"):
        path = Path(folder) / "list.csv"
        path.write_bytes(dirty)
        known = import_list.content(ROWS * 3 // 10, bad=0, years_ago=1)
        practice = build(known)
        before = floors(practice, known, clean)
        ours = imported(path)
        after = floors(practice, known, clean)
        full, bare = ((one + other) / 2 for one, other in zip(before, after, strict=True))
        assert ours["created"] + ours["updated"] + ours["rejected"] + ours["unchanged"] == ROWS
        library, unvalidated = (peer(practice, validating=one) for one in (True, False))
        watch = Watch(practice)
        changed = dirty.replace(b"@example.org", b"@example.net")
        path.write_bytes(changed)
        watch.start()
        try:
            imported(path)
        finally:
            watch.over.set()
            watch.join()
    took = ours["upload"] + ours["import"]
    counts = ", ".join(
        f"{ours[name]:,} {name}" for name in ("created", "updated", "unchanged", "rejected")
    )
    measure.report(
        [
            measure.Line(
                f"{ROWS:,} rows against COPY and INSERT ON CONFLICT",
                took / full,
                3,
                note=f"{took:.1f} s against {full:.1f} s, same columns, indexes and key; {counts}",
            ),
            measure.Line(
                "the same against a table of eleven columns, two indexes",
                took / bare,
                note=f"{bare:.1f} s",
            ),
            measure.Line(
                "against django-import-export in bulk, same file, same rows refused",
                took / library,
                0.05,
                note=f"{library:.0f} s from {PEER_ROWS:,} rows, {library / took:.1f} times faster",
            ),
            measure.Line(
                "the same without validation, the file without its bad rows",
                took / unvalidated,
                note=f"{unvalidated:.0f} s, {unvalidated / took:.1f} times faster",
            ),
            measure.Line("peak memory of the worker", ours["peak"], 200, "MB"),
            measure.Line("longest time without progress", watch.still, 2, "s"),
            measure.Line(
                "longest wait of another write of the practice", max(watch.waits) * 1000, 1000, "ms"
            ),
        ]
    )


if __name__ == "__main__":
    main()
