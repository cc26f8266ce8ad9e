"""What one tick does, every two seconds: find work by query and wake jobs for it, seal the journal,
settle what was left behind, watch the workers. Safe in several copies at once.
"""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings

from integrations import pretend_clock
from integrations.numbers import process as numbers
from integrations.webhooks import deliver
from patients.csv_import import work as imports
from patients.sync import claim as sync_runs
from patients.sync import plan as sync_plan
from practices import journal
from practices.journal import Actor
from recall import waking, worker_cluster
from recall.attempts import reconcile
from recall.attempts.dialler import LONGEST_QUEUE, Dialler
from recall.booking import poll
from recall.booking.write_back import again, catch_up
from recall.booking.write_back import due as copies_due
from recall.campaigns import run as campaigns
from recall.messages import inbound, reminders
from recall.watchdog import Watchdog
from sightsync.lib import clock, jobs

logger = logging.getLogger(__name__)

SECONDS = 2.0
TICK = Actor.system("tick")
STEPS_A_TICK = 100
WOKEN_FOR_S = 30.0
OVERTAKEN_EVERY_S = 10.0
COPIES_A_TICK = 50
POLLS_A_TICK = 20
SYNC_PLANNED_EVERY_S = 10.0
CAMPAIGNS_EVERY_S = 10.0
MESSAGES_EVERY_S = 10.0
IMPORTS_EVERY_S = 10.0
RECONNECTED_EVERY_S = 10.0
SANDBOX_CLOCK_EVERY_S = 10.0


@dataclass(slots=True)
class Tick:
    """One ticking process. What it remembers only saves idle jobs."""

    dialler: Dialler = field(default_factory=Dialler)
    watchdog: Watchdog = field(default_factory=Watchdog)
    woken: dict[UUID, float] = field(default_factory=dict)
    done_at: dict[str, float] = field(default_factory=dict)

    def run(self) -> None:
        """Every part on its own: one that fails is logged and keeps no other from running."""
        parts: tuple[Callable[[], object], ...] = (
            lambda: worker_cluster.put("tick"),
            self.watchdog.run,
            lambda: reconcile.run(clock.now(), actor=TICK),
            self._steps,
            lambda: self.dialler.run(clock.now()),
            self._look_ups,
            self._copies,
            self._syncs,
            self._polls,
            self._numbers,
            self._messages,
            self._imports,
            self._campaigns,
            self._sandbox_clock,
            journal.seal,
            lambda: deliver.wake(clock.now()),
        )
        for part in parts:
            try:
                part()
            except Exception:
                logger.exception("a part of the tick failed")

    def _steps(self) -> None:
        """Recalls whose wait is over, and those that something has overtaken."""
        now = clock.now()
        if self._every("wake", OVERTAKEN_EVERY_S):
            waking.wake(now)
        self._wake("recall.tasks.advance", waking.due(now, STEPS_A_TICK))

    def _sandbox_clock(self) -> None:
        if self._every("sandbox_clock", SANDBOX_CLOCK_EVERY_S):
            pretend_clock.share()

    def _messages(self) -> None:
        """Reminders that are near, and replies that were kept but not acted on."""
        if self._every("messages", MESSAGES_EVERY_S):
            inbound.finish_left_over()
            reminders.plan()

    def _numbers(self) -> None:
        self._wake("integrations.tasks.number_step", numbers.due(clock.now()))

    def _imports(self) -> None:
        """Imports whose worker died go on."""
        if self._every("imports", IMPORTS_EVERY_S):
            for job, key in imports.left_behind():
                self._wake(job, [key])

    def _campaigns(self) -> None:
        if self._every("campaigns", CAMPAIGNS_EVERY_S):
            campaigns.finish_those_done(actor=TICK)

    def _every(self, what: str, seconds: float) -> bool:
        """Whether it is time again for one of the slower parts."""
        reached = time.monotonic()
        due = reached - self.done_at.get(what, float("-inf")) >= seconds
        if due:
            self.done_at[what] = reached
        return due

    def _look_ups(self) -> None:
        self._wake("recall.tasks.look_up", reconcile.to_look_up(clock.now()))

    def _copies(self) -> None:
        """Appointments that connected systems should have and do not."""
        now = clock.now()
        copies_due.take_back()
        if self._every("reconnected", RECONNECTED_EVERY_S):
            copies_due.wake_reconnected(now)
            again.finish_overtaken(actor=TICK)
            self._wake("recall.tasks.catch_up", catch_up.due())
        self._wake("recall.tasks.write_copy", copies_due.keys(now, COPIES_A_TICK))

    def _syncs(self) -> None:
        """The nightly readings of practice systems; they never take more than half the workers."""
        now = clock.now()
        if self._every("syncs", SYNC_PLANNED_EVERY_S):
            sync_plan.plan_night(now)
        places = max(1, settings.Q_CLUSTER["workers"] // 2) - sync_runs.held()
        if places > 0:
            self._wake("recall.tasks.sync", sync_runs.due(now, places))

    def _polls(self) -> None:
        """What has changed in connected systems in the last minutes."""
        now = clock.now()
        poll.begin_new(now)
        self._wake("recall.tasks.poll", poll.due(now, POLLS_A_TICK))

    def _wake(self, job: str, keys: Iterable[UUID]) -> None:
        reached = time.monotonic()
        self.woken = {key: until for key, until in self.woken.items() if until > reached}
        if jobs.waiting() > LONGEST_QUEUE:
            return
        for key in keys:
            if key not in self.woken:
                jobs.enqueue(job, str(key))
                self.woken[key] = reached + WOKEN_FOR_S
