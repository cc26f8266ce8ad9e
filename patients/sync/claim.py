"""Who may work on a reading, and every change of its state.

Whoever claims a run holds it by the lease it was given; each page is written under the run's lock
after a look whether that lease is still its own. A worker that was thought dead and comes back
writes nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet

from integrations import connections
from integrations.models import ConnectionState
from patients.models import SyncRun, SyncSeen, SyncState
from patients.sync import notices
from patients.sync.plan import OPEN
from practices import journal
from practices.journal import Actor
from sightsync.lib import clock, failpoints

LEASE = timedelta(seconds=100)
"""Longer than a job may run, by the machine's clock: a jump of the product's ends no lease."""

MAX_TRIES = 6
_WAITS = (1, 2, 5, 10, 20, 30)
"""Minutes until a system that did not answer is asked again."""
LONGEST_WAIT = timedelta(hours=1)


class Lost(Exception):
    """Somebody else works on the run now."""


def due(now: datetime, limit: int) -> list[UUID]:
    """Runs that nobody works on and whose time has come, the earliest first."""
    rows = SyncRun.objects.filter(_come(now), _free(), state__in=OPEN)
    return list(rows.order_by("due_at").values_list("pk", flat=True)[:limit])


def held() -> int:
    """How many runs are being worked on."""
    return SyncRun.objects.filter(state=SyncState.RUNNING, lease_until__gt=clock.real_now()).count()


def claim(key: UUID, *, at_once: bool = False) -> SyncRun | None:
    """Take the run, or None: it is over, not due (which `at_once` ignores), or somebody has it."""
    until = clock.real_now() + LEASE
    rows = SyncRun.objects.filter(_free(), pk=key, state__in=OPEN)
    if not at_once:
        rows = rows.filter(
            Q(due_at__lte=clock.now()) | Q(due_at__gt=clock.now() + 2 * LONGEST_WAIT)
        )
    if not rows.update(state=SyncState.RUNNING, lease_until=until, tries=F("tries") + 1):
        return None
    SyncRun.objects.filter(pk=key, started_at=None).update(started_at=clock.now())
    return _loaded().get(pk=key)


@contextmanager
def writing(run: SyncRun) -> Iterator[SyncRun]:
    """A transaction with the run locked and still ours; it is saved at the end, and counts as a
    sign of life. Raises Lost.
    """
    with transaction.atomic():
        row = _loaded().select_for_update(of=("self",)).get(pk=run.pk)
        check_ours(row, run)
        yield row
        row.tries, row.error_code = 0, ""
        row.lease_until = clock.real_now() + LEASE
        row.save()
        failpoints.hit("sync.before_commit")
    failpoints.hit("sync.after_commit")
    for field in SyncRun._meta.concrete_fields:
        if not field.is_relation:
            setattr(run, field.attname, getattr(row, field.attname))


def check_ours(row: SyncRun, run: SyncRun) -> None:
    """Raises Lost when the run as it stands is not the one that we claimed."""
    if row.state != SyncState.RUNNING or row.lease_until != run.lease_until:
        raise Lost


def let_go(run: SyncRun) -> bool:
    """Leave the rest to another job; whether it was ours to leave."""
    return bool(_ours(run).update(lease_until=None, tries=0))


def put_off(run: SyncRun, *, code: str, retry_after: float | None, actor: Actor) -> None:
    """The system could not answer now: ask again later, and give the night up after six times."""
    if run.tries >= MAX_TRIES:
        fail(run, code=code, actor=actor)
        return
    wait = timedelta(minutes=_WAITS[max(run.tries, 1) - 1])
    if retry_after is not None:
        wait = max(timedelta(seconds=retry_after), timedelta(seconds=1))
    connections.failed(connection=run.connection, code=code, actor=actor)
    _ours(run).update(
        lease_until=None, error_code=code[:32], due_at=clock.now() + min(wait, LONGEST_WAIT)
    )


def fail(run: SyncRun, *, code: str, actor: Actor, refused: bool = False) -> None:
    """End the run without success; the owners hear of it after the second night."""
    with transaction.atomic():
        row = _end(run, SyncState.FAILED, code)
        if row is None:
            return
        gone = row.connection.state == ConnectionState.DISCONNECTED
        if not gone:
            connections.failed(connection=row.connection, code=code, actor=actor, refused=refused)
        journal.record(
            practice=row.practice_id,
            action="sync.failed",
            actor=actor,
            subject=row,
            facts={"kind": row.connection.kind, "scope": row.scope, "code": row.error_code},
        )
        if not gone:
            notices.after_failure(row)


def done(run: SyncRun, *, actor: Actor) -> None:
    """End the run: all was read."""
    with transaction.atomic():
        row = _end(run, SyncState.DONE, "")
        if row is None:
            return
        counts = {
            name: getattr(row, name)
            for name in (
                "read",
                "created",
                "updated",
                "unchanged",
                "rejected",
                "archived",
                "appointments",
            )
        }
        journal.record(
            practice=row.practice_id,
            action="sync.completed",
            actor=actor,
            subject=row,
            facts={"kind": row.connection.kind, "scope": row.scope, **counts},
        )
        failpoints.hit("sync.before_done")
    connections.worked(row.connection)


def _end(run: SyncRun, state: SyncState, code: str) -> SyncRun | None:
    ended = _ours(run).update(
        state=state, finished_at=clock.now(), lease_until=None, error_code=code[:32]
    )
    if not ended:
        return None
    SyncSeen.objects.filter(run=run.pk).delete()
    row = _loaded().get(pk=run.pk)
    for field in SyncRun._meta.concrete_fields:
        if not field.is_relation:
            setattr(run, field.attname, getattr(row, field.attname))
    return row


def _ours(run: SyncRun) -> "QuerySet[SyncRun]":
    return SyncRun.objects.filter(pk=run.pk, state=SyncState.RUNNING, lease_until=run.lease_until)


def _come(now: datetime) -> Q:
    """Due. What would wait for longer than any wait is due too: the clock was set back."""
    return Q(due_at__lte=now) | Q(due_at__gt=now + 2 * LONGEST_WAIT)


def _free() -> Q:
    return Q(lease_until=None) | Q(lease_until__lt=clock.real_now())


def _loaded() -> "QuerySet[SyncRun]":
    return SyncRun.objects.select_related("connection__practice", "practice")
