"""How fresh the practice's copy of its system is, and what is wrong with it. Never writes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import QuerySet

from integrations import connections
from integrations.models import Connection
from patients.models import SyncRun, SyncState
from patients.sync import plan, words
from practices.models import Practice
from sightsync.lib import clock

STALE_AFTER = timedelta(hours=36)
"""A night may fail and be made up for in the morning; after a day and a half one is missing."""


class State(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    FRESH = "fresh"
    STALE = "stale"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Freshness:
    """`last` ended last, `done` ended well last, `under_way` is planned or being read. `percent` of
    the patients of the last time, None where that is not known. `reason` is a sentence.
    """

    state: State
    last: SyncRun | None
    done: SyncRun | None
    under_way: SyncRun | None
    next_at: datetime
    reason: str = ""

    @property
    def done_at(self) -> datetime | None:
        return self.done.finished_at if self.done else None

    @property
    def percent(self) -> int | None:
        if self.under_way is None or self.done is None or not self.done.read:
            return None
        return min(99, self.under_way.read * 100 // self.done.read)


def freshness(connection: Connection) -> Freshness:
    """For one connection, in three queries."""
    runs = SyncRun.objects.filter(connection=connection).order_by("-finished_at")
    ended = runs.filter(state__in=(SyncState.DONE, SyncState.FAILED))
    last = ended.first()
    done = last if last is None or last.state == SyncState.DONE else _done(ended)
    under_way = runs.filter(state__in=plan.OPEN).first()
    now = clock.now()
    return Freshness(
        state=_state(connection, last, done, under_way, now),
        last=last,
        done=done,
        under_way=under_way,
        next_at=plan.next_at(connection, now),
        reason=_reason(last, under_way),
    )


def runs(connection: Connection) -> "list[SyncRun]":
    """The last readings that are over, newest first, for the settings page."""
    over = SyncRun.objects.filter(connection=connection).exclude(state__in=plan.OPEN)
    return list(over.order_by("-due_at")[:14])


@dataclass(frozen=True, slots=True)
class Trouble:
    """A system that the practice's copy is no longer fresh of."""

    connection: Connection
    since: datetime
    reason: str
    failed: bool


def troubles(practice: Practice) -> list[Trouble]:
    """What Today puts before the staff."""
    live = connections.live(practice).filter(kind__in=plan.NIGHTLY_KINDS)
    return list(_troubles(live))


def _troubles(live: Iterable[Connection]) -> Iterable[Trouble]:
    for connection in live:
        found = freshness(connection)
        if found.state in (State.FAILED, State.STALE):
            since = found.done_at or connection.connected_at
            reason = found.reason or "It was not read when it was due."
            yield Trouble(connection, since, reason, found.state == State.FAILED)


def _done(ended: "QuerySet[SyncRun]") -> SyncRun | None:
    return ended.filter(state=SyncState.DONE).first()


def _state(
    connection: Connection,
    last: SyncRun | None,
    done: SyncRun | None,
    under_way: SyncRun | None,
    now: datetime,
) -> State:
    if last is not None and last.state == SyncState.FAILED:
        return State.FAILED
    known = (done.finished_at if done else None) or connection.connected_at
    if now - known > STALE_AFTER:
        return State.STALE
    if under_way is not None and under_way.state == SyncState.RUNNING:
        return State.RUNNING
    return State.FRESH if done is not None else State.WAITING


def _reason(last: SyncRun | None, under_way: SyncRun | None) -> str:
    if under_way is not None and under_way.error_code:
        return words.failure(under_way.error_code)
    if last is not None and last.state == SyncState.FAILED:
        return words.failure(last.error_code)
    return ""
