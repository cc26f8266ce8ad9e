"""Reads one system: patients page by page, once more when somebody was missing, who is gone, then
appointments. No transaction is open while the system is asked; each page is written in one that
moves the run on.

A run goes on wherever the last page was committed, in whichever process.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from django.db import transaction

from integrations import registry
from integrations.models import Connection, ConnectionState
from integrations.pms.connector import Page, RemoteAppointment, RemotePatient
from patients.models import SyncRun, SyncScope, SyncSeen
from patients.sync import claim, former, gone, pages
from practices.journal import Actor
from sightsync.lib import clock, failpoints, jobs
from sightsync.lib.errors import ProviderError, ProviderKind

JOB = "recall.tasks.sync"
SECONDS = 10.0
"""How long a job works on one run before it lets others have the worker."""

PATIENTS, AGAIN, GONE = gone.MET_IN[0], gone.MET_IN[1], "gone"
APPOINTMENTS, SETTLE, OVER = "appointments", "settle", "over"
MOST_PAGES = 20_000
LONGEST_CURSOR = 400
UNKNOWN_CLOCK = timedelta(minutes=15)
"""How far back the next reading begins behind our own clock, when the system does not tell its."""

ACTOR = Actor.system("sync")


class Appointments(Protocol):
    """What the floor above does with appointments."""

    def asking(self) -> None:
        """The next page is about to be asked for."""

    def take(self, connection: Connection, items: Sequence[RemoteAppointment]) -> Mapping[str, int]:
        """Heed one page of what stands there from today on; what could not be used, by code."""

    def settle(self, connection: Connection, seen: Collection[str], since: datetime) -> None:
        """Every page was taken: `seen` are the ids on all of them, read after `since`."""


class _Stop(Exception):
    """The run cannot go on; its only argument is the code."""


def carry_on(
    key: UUID,
    *,
    appointments: Appointments,
    actor: Actor = ACTOR,
    seconds: float = SECONDS,
    at_once: bool = False,
) -> SyncRun | None:
    """Work on the run until it ends, has to wait, or the time is up; then another job is woken.

    None when there was nothing to do: it is over, not due, or somebody works on it. `at_once`: even
    when it is not due.
    """
    run = claim.claim(key, at_once=at_once)
    if run is None:
        return None
    try:
        _check(run)
        _Reading(run, appointments, actor).work(seconds)
    except claim.Lost:
        return None
    except _Stop as stop:
        claim.fail(run, code=str(stop), actor=actor)
    except ProviderError as error:
        _did_not_answer(run, error, actor)
    return run


def _check(run: SyncRun) -> None:
    if run.connection.state == ConnectionState.DISCONNECTED:
        raise _Stop("disconnected")
    if run.connection.state == ConnectionState.NEEDS_ATTENTION:
        raise _Stop(run.connection.error_code or "auth")
    if run.tries > claim.MAX_TRIES:
        raise _Stop("gave_up")


def _did_not_answer(run: SyncRun, error: ProviderError, actor: Actor) -> None:
    """A refusal ends the night; anything else is asked again, since a reading changes nothing."""
    code = error.code or str(error.kind)
    if error.kind == ProviderKind.REJECTED:
        claim.fail(run, code=code, actor=actor, refused=code == "auth")
    else:
        claim.put_off(run, code=code, retry_after=error.retry_after, actor=actor)


class _Reading:
    """A run in our hands, and the system it reads."""

    def __init__(self, run: SyncRun, appointments: Appointments, actor: Actor) -> None:
        self.run = run
        self.appointments = appointments
        self.actor = actor
        self.connector = registry.connector(run.connection)
        self.steps: Mapping[str, Callable[[], None]] = {
            PATIENTS: self._patients,
            AGAIN: self._again,
            GONE: self._gone,
            APPOINTMENTS: self._appointments,
            SETTLE: self._settle,
        }

    def work(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (step := self.run.step or self._after("")) != OVER:
            if time.monotonic() >= until:
                with transaction.atomic():
                    if claim.let_go(self.run):
                        jobs.enqueue(JOB, str(self.run.pk))
                return
            self.steps[step]()
        claim.done(self.run, actor=self.actor)

    def _after(self, step: str) -> str:
        """The next step that the system and the scope have."""
        can = self.connector.capabilities
        compares = can.reads_patients and self.run.scope == SyncScope.FULL
        there = {
            PATIENTS: can.reads_patients,
            AGAIN: compares,
            GONE: compares,
            APPOINTMENTS: can.reads_appointments,
            SETTLE: can.reads_appointments,
        }
        order = list(there)
        later = order[order.index(step) + 1 :] if step else order
        return next((one for one in later if there[one]), OVER)

    def _patients(self) -> None:
        page = self.connector.patients(since=self.run.since, cursor=self.run.cursor)
        failpoints.hit("sync.page_read")
        with self._writing(PATIENTS, page, [one.external_id for one in page.items]) as row:
            if row.as_of is None:
                row.as_of = page.as_of or clock.now() - UNKNOWN_CLOCK
            if not self.run.cursor:
                former.release_ids(row.connection, self.actor)
            self._take(row, page.items)

    def _again(self) -> None:
        """One page once more, when somebody was missing: a list that changes while it is read page
        by page can leave out who is still on it. Who was met before is not heeded twice.
        """
        if not self.run.cursor and not gone.missing(self.run).exists():
            with claim.writing(self.run) as row:
                row.step = self._after(AGAIN)
            return
        page = self.connector.patients(since=None, cursor=self.run.cursor)
        keys = [one.external_id for one in page.items]
        met = gone.met(self.run, keys)
        with self._writing(AGAIN, page, keys) as row:
            self._take(row, [one for one in page.items if one.external_id not in met])

    def _take(self, row: SyncRun, items: Sequence[RemotePatient]) -> None:
        written = pages.Page(row.connection, self.actor)
        written.write(items)
        row.read += len(items)
        for name in ("created", "updated", "unchanged", "rejected", "archived"):
            setattr(row, name, getattr(row, name) + written.counts[name])
        row.reasons = _sum(row.reasons, written.reasons)

    def _gone(self) -> None:
        if gone.are_too_many(self.run):
            raise _Stop("too_many_gone")
        with claim.writing(self.run) as row:
            if not gone.put_away(row, self.actor):
                row.step = self._after(GONE)

    def _appointments(self) -> None:
        """Each is heeded in a transaction of its own, twice if need be: it changes nothing more."""
        self.appointments.asking()
        page = self.connector.appointments(since=None, cursor=self.run.cursor)
        unusable = self.appointments.take(self.run.connection, page.items)
        with self._writing(APPOINTMENTS, page, [one.external_id for one in page.items]) as row:
            row.appointments += len(page.items)
            row.reasons = _sum(row.reasons, unusable)

    def _settle(self) -> None:
        seen = SyncSeen.objects.filter(run=self.run.pk, step=APPOINTMENTS)
        ids = {one for page in seen.values_list("ids", flat=True) for one in page}
        started = self.run.started_at or clock.now()
        self.appointments.settle(self.run.connection, ids, started)
        with claim.writing(self.run) as row:
            row.step = self._after(SETTLE)

    @contextmanager
    def _writing(self, step: str, page: "Page[Any]", seen: Sequence[str]) -> Iterator[SyncRun]:
        """Write one page, and move the run on to the next. Raises _Stop where there is no end."""
        if page.next_cursor and page.next_cursor == self.run.cursor:
            raise _Stop("same_page")
        if self.run.pages >= MOST_PAGES or len(page.next_cursor) > LONGEST_CURSOR:
            raise _Stop("no_end")
        with claim.writing(self.run) as row:
            row.step = step
            yield row
            if step == APPOINTMENTS or row.scope == SyncScope.FULL:
                SyncSeen.objects.create(
                    practice_id=row.practice_id, run=row, step=step, ids=sorted(set(seen))
                )
            row.pages += 1
            row.cursor = page.next_cursor
            if not page.next_cursor:
                row.step = self._after(step)


def _sum(reasons: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    return dict(Counter(reasons) + Counter(more))
