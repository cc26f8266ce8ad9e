"""Ends a worker cluster of this machine that takes no jobs any more, so that its supervisor starts
another. Killing an idle django-q2 worker can freeze its whole cluster, and it says nothing.
"""

import logging
import signal
import time
from dataclasses import dataclass, field

from recall import worker_cluster
from sightsync.lib import clock, jobs

logger = logging.getLogger(__name__)

BEAT_EVERY_S = 10.0
GRACE_S = 15.0


@dataclass(slots=True)
class Watchdog:
    """Asks for heartbeats through the queue and remembers whom it has asked to end."""

    asked_at: float = float("-inf")
    ending: dict[int, float] = field(default_factory=dict)

    def run(self) -> None:
        self._ask_for_a_beat()
        oldest = clock.real_now() - worker_cluster.SILENCE
        for group, row in worker_cluster.groups_here().items():
            if not worker_cluster.is_cluster(group):
                worker_cluster.ended(group)
                self.ending.pop(group, None)
            elif row.at < oldest and jobs.waiting():
                self._end(group)

    def _ask_for_a_beat(self) -> None:
        if time.monotonic() - self.asked_at >= BEAT_EVERY_S and jobs.waiting() < 50:
            jobs.enqueue("recall.tasks.beat")
            self.asked_at = time.monotonic()

    def _end(self, group: int) -> None:
        """First politely, then not. Jobs cut off are settled from their own rows."""
        first = self.ending.setdefault(group, time.monotonic())
        hard = time.monotonic() - first > GRACE_S
        logger.error("frozen worker cluster", extra={"kind": "kill" if hard else "term"})
        worker_cluster.end(group, by=signal.SIGKILL if hard else signal.SIGTERM)
