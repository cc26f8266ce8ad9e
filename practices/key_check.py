"""One round trip that finds an API key and counts the request against its limit.

The counter is one row per key in an UNLOGGED table, so that every process on every machine counts
together and no request waits for the disk. A window of a minute opens with a key's first request
and ends sixty seconds later, by the database's clock alone: the machines' clocks need not agree,
and the sandbox's pretend clock has no say.
"""

import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, connections
from django.db.models import Model
from django.db.models.base import ModelState

from practices.models import ApiCount, ApiKey, Practice
from sightsync.lib import clock, crypto, prepared

LIMIT = 120
WINDOW_S = 60
_FORGET_AFTER = timedelta(hours=1)
_STILL = f"""c.started_at > excluded.started_at - interval '{WINDOW_S} seconds'
    AND c.started_at < excluded.started_at + interval '{WINDOW_S} seconds'"""
# A row's xmin and ctid name its version: they differ after every change. A key's own row changes
# every minute in which it is used, so what else may change of it is named instead.
_STATEMENT = f"""
WITH k AS (
    SELECT k.id, extract(epoch FROM k.last_used_at)::float8 AS used,
           concat(p.xmin, p.ctid, k.expires_at, k.scopes, k.name) AS version
    FROM practices_apikey k JOIN practices_practice p ON p.id = k.practice_id
    WHERE key_hash = %s AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > %s)
), c AS (
    INSERT INTO practices_apicount AS c (key_id, started_at, hits)
    SELECT id, statement_timestamp(), 1 FROM k
    ON CONFLICT (key_id) DO UPDATE SET
        started_at = CASE WHEN {_STILL} THEN c.started_at ELSE excluded.started_at END,
        hits = CASE WHEN {_STILL} THEN c.hits + 1 ELSE 1 END
    RETURNING started_at, hits
)
SELECT hits, {WINDOW_S} - extract(epoch FROM statement_timestamp() - started_at)::float8,
       used, version
FROM k, c"""  # noqa: S608

_known: dict[str, tuple[bytes, "_Kept", "_Kept"]] = {}
_MOST_KNOWN = 5000


@dataclass(frozen=True, slots=True)
class Checked:
    """A key that exists and may be used, with its practice and its count."""

    key: ApiKey
    practice: Practice
    hits: int
    reset_s: float
    """Seconds until the window ends."""


def check(plain: str) -> Checked | None:
    """The live key with that plain text, counted; None when unknown, revoked or past its last day.

    The look-up is by hash, so its time says nothing about how much of a guess was right. The rows
    of key and practice are read again only when they have changed since this process read them.
    """
    key_hash = crypto.token_hash(plain)
    row = _fetch([key_hash, clock.now()])
    if row is None:
        return None
    hits, reset_s, used, version = row
    assert hits is not None and reset_s is not None and version is not None
    known = _known.get(key_hash)
    if known is None or known[0] != version:
        key = ApiKey.objects.select_related("practice").filter(key_hash=key_hash).first()
        if key is None:
            return None
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        known = _known[key_hash] = (version, _Kept(key), _Kept(key.practice))
    own, practice = known[1].copy(), known[2].copy()
    own.practice = practice
    own.last_used_at = None if used is None else datetime.fromtimestamp(float(used), UTC)
    return Checked(own, practice, int(hits), float(reset_s))


class _Kept:
    """A row as it was read. Each request gets a copy of its own, which it may change."""

    def __init__(self, row: Model) -> None:
        self._class = type(row)
        self._values = {n: v for n, v in row.__dict__.items() if n != "_state"}
        mutable = {n: v for n, v in self._values.items() if isinstance(v, (list, dict))}
        self._flat = [n for n, v in mutable.items() if isinstance(v, list) and _is_flat(v)]
        self._deep = [n for n in mutable if n not in self._flat]
        self._database = row._state.db

    def copy(self) -> Any:
        made = self._class.__new__(self._class)
        values, state = made.__dict__, ModelState()
        values.update(self._values)
        for name in self._flat:
            values[name] = values[name][:]
        for name in self._deep:
            values[name] = copy.deepcopy(values[name])
        state.adding, state.db = False, self._database
        values["_state"] = state
        return made


def _is_flat(values: list[Any]) -> bool:
    return all(isinstance(value, (str, int)) for value in values)


def _fetch(values: list[Any]) -> prepared.Row | None:
    """This is a request's first statement, so it is also the test of a kept connection: where that
    has died meanwhile, a new one is tried once. It saves the round trip of asking first.
    """
    connection = connections["default"]
    connection.health_check_done = True  # type: ignore[attr-defined]  # not in the stubs
    try:
        rows = prepared.fetch(_STATEMENT, values)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        connection.close()
        rows = prepared.fetch(_STATEMENT, values)
    return rows[0] if rows else None


def forget_old() -> int:
    """Drop the counters of keys not used lately; how many."""
    dropped, _ = ApiCount.objects.filter(started_at__lt=clock.real_now() - _FORGET_AFTER).delete()
    return dropped
