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
PEER_ROWS = min(5_000, ROWS)
ACTOR = Actor.system("bench")


def build(known: bytes) -> Practice:
    """A practice that knows three in ten of the patients, by other addresses."""
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


def first_of(content: bytes, rows: int) -> bytes:
    """The list as it was a year ago: fewer rows, other addresses."""
    lines = content.decode("utf-8-sig").split("\n")[: rows + 1]
    return "\n".join(lines).replace("@example.org", "@example.com").encode()


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


def peer(practice: Practice) -> float:
    """Seconds of django-import-export for its share of the rows, three in ten of which it knows;
    nothing of it stays.
    """
    clean = import_list.content(PEER_ROWS, bad=0)
    with transaction.atomic():
        Patient.objects.filter(practice=practice).delete()
        import_peers.import_export(practice, first_of(clean, PEER_ROWS * 3 // 10))
        start = time.perf_counter()
        new, updated = import_peers.import_export(practice, clean)
        took = time.perf_counter() - start
        assert (new + updated, updated) == (PEER_ROWS, PEER_ROWS * 3 // 10)
        transaction.set_rollback(True)
    return took


def main() -> None:
    dirty, clean = import_list.content(ROWS), import_list.content(ROWS, bad=0)
    with tempfile.TemporaryDirectory() as folder, scratch.database("import"):
        path = Path(folder) / "list.csv"
        path.write_bytes(dirty)
        known = first_of(clean, ROWS * 3 // 10)
        practice = build(known)
        before = floors(practice, known, clean)
        ours = imported(path)
        after = floors(practice, known, clean)
        full, bare = ((one + other) / 2 for one, other in zip(before, after, strict=True))
        assert ours["created"] + ours["updated"] + ours["rejected"] + ours["unchanged"] == ROWS
        library = peer(practice) * ROWS / PEER_ROWS
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
    of_peer = f"{library:.0f} s, extrapolated from {PEER_ROWS:,} rows"
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
                "against django-import-export in bulk", took / library, 0.05, "x", of_peer
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
