"""Statements that the API asks all the time, prepared once per connection.

PostgreSQL takes longer to plan them than to run them, and Django's cursor as long as both: here a
statement goes to libpq as it is, and what comes back stays the bytes that came. Queries whose cost
does not matter belong to the ORM.
"""

import re
from collections import OrderedDict
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from itertools import count
from typing import Any
from uuid import UUID

import psycopg
from django.db import connections
from psycopg import pq

Row = tuple[bytes | None, ...]
"""Each column as PostgreSQL writes it as text."""

_MOST = 64
"""Statements kept per connection: the shapes of filters that are in use at the same time."""
_KEPT = "sightsync_prepared"
_PLACEHOLDER = re.compile("%[s%]")
_number = count(1)


def fetch(sql: str, params: Sequence[Any]) -> list[Row]:
    """All rows of one statement with `%s` for each of `params` (texts, numbers, uuids, dates and
    instants; PostgreSQL infers their types). Raises django.db's errors.
    """
    values = [_text(value) for value in params]
    connection = connections["default"]  # looked up once: each look is a thread-local's
    connection.ensure_connection()
    if connection.in_atomic_block:
        connection.validate_no_broken_transaction()
        if connection.connection.pgconn.transaction_status == pq.TransactionStatus.IDLE:
            with connection.cursor() as cursor:  # psycopg begins a transaction late
                cursor.execute("SELECT 1")
    if connection.queries_logged:  # as Django's cursor does
        with psycopg.ClientCursor(connection.connection) as cursor:
            connection.queries_log.append({"sql": cursor.mogrify(sql, params), "time": "0"})
    with connection.wrap_database_errors:
        return _run(connection.connection, sql, values)


def _run(session: "psycopg.Connection[Any]", sql: str, values: list[bytes]) -> list[Row]:
    kept: OrderedDict[str, bytes] | None = getattr(session, _KEPT, None)
    if kept is None:
        kept = OrderedDict()
        setattr(session, _KEPT, kept)
    pgconn = session.pgconn
    name = kept.get(sql)
    if name is None:
        name = f"sightsync_{next(_number)}".encode()
        _checked(session, pgconn.prepare(name, _numbered(sql)))
        kept[sql] = name
        if len(kept) > _MOST:
            _forget(session, kept.popitem(last=False)[1])
    else:
        kept.move_to_end(sql)
    result = pgconn.exec_prepared(name, values)
    if result.status != pq.ExecStatus.TUPLES_OK:
        del kept[sql]  # planned anew next time: a migration may have changed what it reads
        _checked(session, result)
    value, columns = result.get_value, range(result.nfields)
    return [tuple([value(row, column) for column in columns]) for row in range(result.ntuples)]


def _forget(session: "psycopg.Connection[Any]", name: bytes) -> None:
    _checked(session, session.pgconn.exec_(b"DEALLOCATE " + name))


def _checked(session: "psycopg.Connection[Any]", result: Any) -> None:
    if result.status in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK):
        return
    if session.pgconn.status == pq.ConnStatus.BAD:
        raise psycopg.OperationalError("the connection is lost")
    raise psycopg.errors.error_from_result(result)


def _text(value: Any) -> bytes:
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("PostgreSQL has no text with a NUL character")
        return value.encode()
    if isinstance(value, (UUID, bool, int)):
        return str(value).encode()
    if isinstance(value, date):  # a datetime is one
        return value.isoformat().encode()
    raise TypeError(f"{type(value).__name__} cannot be a parameter here")


@lru_cache(maxsize=1024)
def _numbered(sql: str) -> bytes:
    """`$1, $2, ...` in place of each `%s`."""
    numbers = count(1)
    return _PLACEHOLDER.sub(
        lambda found: "%" if found[0] == "%%" else f"${next(numbers)}", sql
    ).encode()
