"""How fast a system may be asked: a bucket of requests that fills again steadily.

In memory, one bucket per connection and process: several workers may be somewhat faster together,
and then the system's own 429 has the last word.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most `per_second` on average; `burst` at once after a rest."""

    per_second: float
    burst: int


class Bucket:
    """One connection's requests. `wait` returns when the next one may leave."""

    def __init__(
        self,
        rate: Rate,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate, self._now, self._sleep = rate, now, sleep
        self._held, self._at = float(rate.burst), now()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Take one request; who takes it before it is there pays by waiting."""
        with self._lock:
            now = self._now()
            filled = self._held + (now - self._at) * self._rate.per_second
            self._held, self._at = min(float(self._rate.burst), filled) - 1, now
            pause = -self._held / self._rate.per_second
        if pause > 0:
            self._sleep(pause)


_KEPT = 1000
_buckets: dict[str, Bucket] = {}
_guard = threading.Lock()


def bucket(key: str, rate: Rate) -> Bucket:
    """The bucket of that connection in this process, full when it is new."""
    with _guard:
        if len(_buckets) >= _KEPT:
            _buckets.clear()
        return _buckets.setdefault(key, Bucket(rate))
