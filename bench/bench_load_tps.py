"""The TPS register: loading twenty million numbers against a bare COPY of them, reading while the
new register is swapped in, and looking numbers up. `REGISTER_SIZE` makes it smaller for a quick
look.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import measure, scratch

from django.db import connection  # isort: skip

from patients import tps, tps_load
from patients.models import RegisterList
from practices.journal import Actor
from sightsync.lib import clock

SIZE = int(os.environ.get("REGISTER_SIZE", "20000000"))
PART = 200_000
_FIRST, _SPAN, _STEP = 1_130_000_000, 1_860_000_000, 1_234_567_891  # distinct, in no order

# Looks one number up after another; tells when each slow look-up began and how long it took.
READER = """
import sys, time, psycopg
with psycopg.connect(sys.argv[1], autocommit=True) as session:
    print("ready", flush=True)
    end, worst = time.time() + 600, []
    while time.time() < end:
        begun = time.time()
        session.execute("SELECT n FROM tps_number WHERE n = %s", [447700900001]).fetchone()
        took = time.time() - begun
        if took > 0.0005:
            print(begun, took, flush=True)
"""


def numbers(start: int, stop: int) -> Iterator[int]:
    return (_FIRST + index * _STEP % _SPAN for index in range(start, stop))


def write_register(path: Path) -> None:
    """The licensed layout without spaces: twelve columns and CR LF."""
    with path.open("wb") as target:
        for start in range(0, SIZE, PART):
            lines = (b"0%d \r\n" % number for number in numbers(start, min(start + PART, SIZE)))
            target.write(b"".join(lines))


def write_plain(path: Path) -> None:
    """The same numbers as COPY takes them."""
    with path.open("wb") as target:
        for start in range(0, SIZE, PART):
            lines = (b"44%d\n" % number for number in numbers(start, min(start + PART, SIZE)))
            target.write(b"".join(lines))


def bare_copy(path: Path) -> None:
    with connection.cursor() as cursor, path.open("rb") as source:
        cursor.execute("DROP TABLE IF EXISTS bare")
        cursor.execute("CREATE TABLE bare (n bigint)")
        with cursor.copy("COPY bare (n) FROM STDIN") as copy:
            while block := source.read(4 * 1024 * 1024):
                copy.write(block)


def load(path: Path) -> None:
    tps_load.load(
        path=path,
        listing=RegisterList.BOTH,
        register_date=clock.today(),
        actor=Actor.operator("bench"),
    )


def stall_at_swap(path: Path) -> tuple[float, float]:
    """Milliseconds of the longest look-up in another process around the swap, and of the longest in
    the load's other seconds for comparison."""
    swapped: list[float] = []
    swap = tps_load._swap

    def timed(*args: Any) -> None:
        swapped.append(time.time())
        swap(*args)
        swapped.append(time.time())

    tps_load._swap = timed
    connection.ensure_connection()
    target = connection.connection.info.dsn
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, target], stdout=subprocess.PIPE, text=True
    )
    assert reader.stdout is not None
    assert reader.stdout.readline() == "ready\n", "the reader could not connect"
    slow: list[tuple[float, float]] = []

    def collect() -> None:
        for line in reader.stdout or ():
            begun, took = line.split()
            slow.append((float(begun), float(took)))

    collector = threading.Thread(target=collect)
    collector.start()
    try:
        load(path)
    finally:
        reader.kill()
        collector.join()
        tps_load._swap = swap
    start, end = swapped
    near = [t for begun, t in slow if begun + t >= start and begun <= end]
    far = [t for begun, t in slow if begun + t < start or begun > end]
    return max(near, default=0.0005) * 1000, max(far, default=0.0005) * 1000


def lookups() -> tuple[float, float]:
    """Milliseconds for a batch of 10,000, half of them listed, and for a single number
    (medians).
    """
    listed = [f"+44{number}" for number in numbers(0, 5_000)]
    batch = listed + [f"+447{index:09d}" for index in range(5_000)]
    batches, singles = [], []
    for _ in range(9):
        found: dict[str, int | None] = {}
        batches.append(measure.seconds(lambda found=found: found.update(tps.lookup(batch))))
        assert sum(1 for listing in found.values() if listing) >= 5_000
    for number in batch[4_000:6_000]:
        singles.append(measure.seconds(lambda number=number: tps.lookup_one(number)))
    return statistics.median(batches[1:]) * 1000, statistics.median(singles) * 1000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, scratch.database("load_tps"):
        register, plain = Path(folder) / "register.txt", Path(folder) / "plain.txt"
        write_register(register)
        write_plain(plain)
        pairs = [
            (measure.seconds(lambda: load(register)), measure.seconds(lambda: bare_copy(plain)))
            for _ in range(2)
        ]
        stall, noise = stall_at_swap(register)
        batch, single = lookups()
        peak = measure.peak_mb()
    ours, copy = (statistics.mean(column) for column in zip(*pairs, strict=True))
    note = f"{ours:.1f} s against {copy:.1f} s, {SIZE:,} numbers"
    measure.report(
        [
            measure.Line("load_tps against a bare COPY", ours / copy, 4, note=note),
            measure.Line("longest look-up at the swap", stall, 10, "ms", f"else {noise:.1f} ms"),
            measure.Line("10,000 numbers looked up in one batch", batch, 100, "ms"),
            measure.Line("one number looked up", single, 1, "ms"),
            measure.Line("peak memory of the command's process", peak, 800, "MB"),
        ]
    )


if __name__ == "__main__":
    main()
