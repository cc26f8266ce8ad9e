"""The sandbox's clock: a row shared by all processes, read at most twice a second.

In live mode it is never installed, and changing it is refused.
"""

import time
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, connection

from integrations.models import SandboxClock
from integrations.sandbox import clock_link
from sightsync.lib import clock
from sightsync.lib.errors import AppError

_FRESH_SECONDS = 0.5
_seen: SandboxClock | None = None
_seen_at = float("-inf")


def _row() -> SandboxClock | None:
    global _seen, _seen_at
    if time.monotonic() - _seen_at > _FRESH_SECONDS:
        if connection.needs_rollback:
            return _seen
        try:
            _seen = SandboxClock.objects.filter(pk=1).first()
        except DatabaseError:
            # Before the first migration there is no table; the machine's time will do.
            _seen = None
        _seen_at = time.monotonic()
    return _seen


def now() -> datetime:
    """The pretend time, or the machine's while no row has been set."""
    row = _row()
    if row is None:
        return clock.real_now()
    return row.pretend_anchor + (clock.real_now() - row.real_anchor) * row.rate


def set_to(moment: datetime | None = None, *, rate: float | None = None) -> SandboxClock:
    """Set the pretend time (it stays as it is when None) and how fast it runs (1 = real speed)."""
    global _seen_at
    if settings.LIVE:
        raise AppError(
            "live_clock", "The clock cannot be set in live mode: real patients are rung."
        )
    if rate is not None and not 0 <= rate <= 100_000:
        raise AppError("bad_rate", "The rate is a number from 0 (stopped) to 100000.")
    current = SandboxClock.objects.filter(pk=1).first()
    pretend = moment or now()
    row, _ = SandboxClock.objects.update_or_create(
        pk=1,
        defaults={
            "real_anchor": clock.real_now(),
            "pretend_anchor": pretend,
            "rate": rate if rate is not None else (current.rate if current else 1.0),
        },
    )
    _seen_at = float("-inf")
    clock_link.tell(now=row.pretend_anchor, rate=row.rate)
    return row


def share() -> None:
    """Tell the sandbox servers the pretend time again: they forget it when they are restarted."""
    if not settings.LIVE and (row := _row()) is not None:
        clock_link.tell(now=now(), rate=row.rate)


def forward(by: timedelta) -> SandboxClock:
    """Move the pretend time on."""
    return set_to(now() + by)
