"""Timing things side by side, and saying how they compare."""

import math
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the answer: `value` against `limit`, both in `unit`; smaller is better. Without
    a limit it is there to be known.
    """

    what: str
    value: float
    limit: float = math.inf
    unit: str = "x"
    note: str = ""

    @property
    def within(self) -> bool:
        return self.value <= self.limit

    def __str__(self) -> str:
        mark = "ok  " if self.within else "OVER"
        limit = f" (limit {self.limit:g} {self.unit})" if self.limit < math.inf else ""
        figures = f"{self.value:8.2f} {self.unit:<3}{limit}"
        return f"  {mark} {self.what:<58} {figures}  {self.note}"


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def side_by_side(
    ours: Callable[[], object], peer: Callable[[], object], rounds: int = 5
) -> tuple[float, float]:
    """Median seconds of both, taken in turns after one warm-up of each."""
    ours(), peer()
    pairs = [(seconds(ours), seconds(peer)) for _ in range(rounds)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def peak_mb() -> float:
    """The most memory that this process has had so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(lines: list[Line]) -> None:
    """Print the lines and end the process: 1 when a limit is passed."""
    for line in lines:
        print(line, flush=True)
    sys.exit(0 if all(line.within for line in lines) else 1)
