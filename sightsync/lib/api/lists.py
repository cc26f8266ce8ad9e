"""Long lists, quickly: one round trip for a page, an exact total, and a last page as cheap as the
first.

A `Table` is one kind of list, made once per process. The total, and for deep pages the keys of
every 200th row, come from a cache that holds for one *version* of the data: a number that grows
with every committed change to what is listed. The page's own statement reads the version again, so
that what is answered from the cache is exact: it belongs to the very snapshot the rows come from.

Systems that keep a copy in step ask for the same rows again and again, most of them unchanged. A
page that was asked for before is therefore asked for its rows' versions first (PostgreSQL names
one by `xmin` and `ctid`): what has been written as JSON once is written again only when it changed.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any

import orjson
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Expression, F, Model, QuerySet

from sightsync.lib import ids, prepared
from sightsync.lib.api.paging import Window

MARK_EVERY = 200
_CACHED_LISTS = 512
_NAMES = 3
_KEPT_ROWS = 10_000
"""Some 8 MB of a process. In its memory only: they are what staff and systems may read anyway."""
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Column:
    """A key of the answer: where it comes from, and, when that is not what is answered, the JSON
    that is made of PostgreSQL's text for it (of a null nothing is made).
    """

    source: str | Expression
    convert: Callable[[bytes], bytes] | None = None


def public_id(prefix: str, source: str = "id") -> Column:
    return Column(
        source,
        lambda key: f'"{ids.encode_number(prefix, int(key.replace(b"-", b""), 16))}"'.encode(),
    )


def instant(source: str) -> Column:
    """Cut from PostgreSQL's text, `2026-03-11 09:00:00.5+00` (Django's sessions are in UTC): its
    `to_char` takes five times as long, and making a datetime longer still.
    """
    return Column(source, lambda text: b'"%bT%bZ"' % (text[:10], text[11:19]))


def json(source: str) -> Column:
    """Passed through as the database has it."""
    return Column(source)


@dataclass(frozen=True, slots=True)
class Version:
    """An SQL expression for a bigint, with its parameters."""

    sql: str
    params: tuple[Any, ...]


Chosen = tuple[str, tuple[Any, ...]] | None
"""The rows of a list as a statement of their keys, with its parameters; None when there are none.
"""


@dataclass(slots=True)
class _Known:
    version: int
    total: int
    marks: list[tuple[Any, ...]] | None = None


@dataclass
class Table:
    """Rows of `model` in ascending `order`: fields of its own without nulls, the last one its key;
    an index (practice, *order) makes it quick.
    """

    model: type[Model]
    columns: dict[str, Column]
    order: tuple[str, ...]
    _cache: "OrderedDict[Any, _Known]" = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)
    _rows: dict[prepared.Row, orjson.Fragment] = field(default_factory=dict)
    _pages: set[tuple[Any, ...]] = field(default_factory=set)

    def __post_init__(self) -> None:
        _TABLES.append(self)

    def page(
        self, rows: "QuerySet[Any, Any] | Chosen", window: Window, version: Version
    ) -> tuple[list[orjson.Fragment], int]:
        """The window's rows of `rows` (filtered, in any order) as finished JSON, and the total."""
        name = self.chosen(rows) if isinstance(rows, QuerySet) else rows
        if name is None:
            return [], 0
        inner, params = name
        for _ in range(_TRIES):
            known = self._cache.get(name)
            deep = window.offset >= 2 * MARK_EVERY
            if known is None or (deep and known.marks is None):
                known = self._count(inner, params, version, with_marks=deep)
                self._keep(name, known)
            found, seen = self._fetch(inner, params, window, version, known)
            if seen == known.version:
                return found, known.total
            self._cache.pop(name, None)
        # Written to all the time: the plain way is exact too.
        found, _seen = self._fetch(inner, params, window, version, _Known(0, 0))
        return found, self._count(inner, params, version, with_marks=False).total

    def one(self, **exact: Any) -> orjson.Fragment | None:
        """The row whose fields have exactly these values, as finished JSON. None matches a null."""
        quote, options = connection.ops.quote_name, self.model._meta
        terms = [
            f"{quote(str(options.get_field(name).column))} {'IS NULL' if value is None else '= %s'}"  # type: ignore[union-attr]
            for name, value in exact.items()
        ]
        values = [value for value in exact.values() if value is not None]
        select, selected = self._select
        rows = prepared.fetch(
            f"SELECT {select}{self._from} WHERE {' AND '.join(terms)} LIMIT 1",
            [*selected, *values],
        )
        return self._written(rows[0]) if rows else None

    def chosen(self, rows: "QuerySet[Any, Any]") -> Chosen:
        """`rows` compiled, to be kept for the next request that asks the same."""
        try:
            sql, params = rows.order_by().values_list(*self.order).query.sql_with_params()
        except EmptyResultSet:
            return None
        return sql, tuple(params)

    def forget(self) -> None:
        self._cache.clear()
        self._rows.clear()
        self._pages.clear()

    def _keep(self, name: Any, known: _Known) -> None:
        with self._lock:
            self._cache[name] = known
            while len(self._cache) > _CACHED_LISTS:
                self._cache.popitem(last=False)

    def _count(
        self, inner: str, params: Sequence[Any], version: Version, *, with_marks: bool
    ) -> _Known:
        keys = ", ".join(self._names)
        with connection.cursor() as cursor:
            if not with_marks:
                cursor.execute(
                    f"SELECT {version.sql}, count(*) FROM ({inner}) l",  # noqa: S608
                    [*version.params, *params],
                )
                seen, total = cursor.fetchone() or (0, 0)
                return _Known(seen, total)
            cursor.execute(
                f"SELECT {version.sql}, total, {keys} FROM (SELECT {keys},"  # noqa: S608
                f" row_number() OVER (ORDER BY {keys}) - 1 AS at, count(*) OVER () AS total"
                f" FROM ({inner}) l) m WHERE at %% {MARK_EVERY} = 0 ORDER BY {keys}",
                [*version.params, *params],
            )
            marks = cursor.fetchall()
        if not marks:
            return _Known(self._version(version), 0, [])
        return _Known(marks[0][0], marks[0][1], [tuple(mark[2:]) for mark in marks])

    def _version(self, version: Version) -> int:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {version.sql}", version.params)
            return int((cursor.fetchone() or (0,))[0])

    def _fetch(
        self,
        inner: str,
        params: Sequence[Any],
        window: Window,
        version: Version,
        known: _Known,
    ) -> tuple[list[orjson.Fragment], int]:
        after, mark, offset = "TRUE", (), window.offset
        if known.marks and offset < known.total:
            mark = known.marks[offset // MARK_EVERY]
            after = f"({', '.join(self._names)}) >= ({', '.join(['%s'] * len(mark))})"
            offset %= MARK_EVERY
        cut = self._cut(inner, after, f"LIMIT {window.limit} OFFSET {offset}")
        params = [*params, *mark]
        known_page = (cut, *params) in self._pages
        found = self._fetch_kept(cut, version, params) if known_page else None
        return found or self._fetch_written(cut, version, params)

    def _cut(self, inner: str, after: str, limit: str) -> str:
        """` FROM table ...` for the page's rows of `inner`, in order."""
        keys, key = ", ".join(self._names), self._names[-1]
        head, _, where = inner.partition(" WHERE ")
        cut = f"ORDER BY {keys} {limit}"
        if head == self._own and where:
            return f"{self._from} WHERE {where} AND {after} {cut}"
        # Filtered by another table: the keys are chosen first.
        chosen = f"SELECT {key} FROM ({inner}) l WHERE {after} {cut}"  # noqa: S608
        return f"{self._from} WHERE {key} IN ({chosen}) ORDER BY {keys}"

    def _fetch_kept(
        self, cut: str, version: Version, params: Sequence[Any]
    ) -> tuple[list[orjson.Fragment], int] | None:
        """The rows of a page that was asked for before; None unless each is as it was."""
        rows = prepared.fetch(
            f"SELECT {self._row_version}, {version.sql}{cut}", [*version.params, *params]
        )
        kept = self._rows
        try:
            return [kept[row[:_NAMES]] for row in rows], int(rows[0][_NAMES] or 0)
        except LookupError:
            return None

    def _fetch_written(
        self, cut: str, version: Version, params: Sequence[Any]
    ) -> tuple[list[orjson.Fragment], int]:
        """The rows of the page as JSON, kept for whoever asks for them next."""
        select, selected = self._select
        rows = prepared.fetch(
            f"SELECT {self._row_version}, {version.sql}, {select}{cut}",
            [*version.params, *selected, *params],
        )
        if not rows:
            return [], self._version(version)
        written = {row[:_NAMES]: self._written(row[_NAMES + 1 :]) for row in rows}
        with self._lock:
            if len(self._rows) + len(written) > _KEPT_ROWS:
                self._rows.clear()
                self._pages.clear()
            self._rows.update(written)
            self._pages.add((cut, *params))
        return list(written.values()), int(rows[0][_NAMES] or 0)

    def _written(self, row: prepared.Row) -> orjson.Fragment:
        """The row as JSON: what PostgreSQL has written already, and what Python must convert."""
        template, first, converters = self._template
        values = [
            b"null" if value is None else convert(value)
            for convert, value in zip(converters, row[1:], strict=True)
        ]
        values.insert(first, (row[0] or b"")[1:-1])
        return orjson.Fragment(template % tuple(values))

    @cached_property
    def _names(self) -> list[str]:
        options = self.model._meta
        columns = [str(options.get_field(name).column) for name in self.order]  # type: ignore[union-attr]
        return [connection.ops.quote_name(column) for column in columns]

    @cached_property
    def _row_version(self) -> str:
        """What names a version of a row: `_NAMES` columns."""
        return f"{self._names[-1]}, xmin, ctid"

    @cached_property
    def _from(self) -> str:
        return f" FROM {connection.ops.quote_name(self.model._meta.db_table)}"

    @cached_property
    def _own(self) -> str:
        """How a list of keys of this table begins."""
        return self._every.values_list(*self.order).query.sql_with_params()[0]

    @cached_property
    def _select(self) -> tuple[str, Sequence[Any]]:
        """`columns`: all that is passed on as one JSON object, then those to convert."""
        written = {name: column for name, column in self.columns.items() if not column.convert}
        converted = {name: column for name, column in self.columns.items() if column.convert}
        inside, params = self._expressions(written)
        beside, more = self._expressions(converted)
        columns = f"row_to_json((SELECT r FROM (SELECT {inside}) r))::text"  # noqa: S608
        return columns + (f", {beside}" if beside else ""), [*params, *more]

    @property
    def _every(self) -> "QuerySet[Any, Any]":
        return self.model._default_manager.order_by()

    def _expressions(self, columns: dict[str, Column]) -> tuple[str, Sequence[Any]]:
        """`expression AS "key", ...` and its parameters."""
        named = {
            f"column_{number}": F(column.source)
            if isinstance(column.source, str)
            else column.source
            for number, column in enumerate(columns.values())
        }
        if not named:
            return "", ()
        sql, params = self._every.annotate(**named).values_list(*named).query.sql_with_params()
        text = sql.removeprefix("SELECT ").removesuffix(self._from)
        for number, name in enumerate(columns):
            text = text.replace(f'AS "column_{number}"', f"AS {connection.ops.quote_name(name)}")
        return text, params

    @cached_property
    def _template(self) -> tuple[bytes, int, list[Callable[[bytes], bytes]]]:
        """An object with a gap for each converted column and one for all the others together, in
        the place of the first of them; the number of that gap; and the converters.
        """
        gaps: list[bytes] = []
        converters, first = [], None
        for name, column in self.columns.items():
            if column.convert:
                converters.append(column.convert)
                gaps.append(b'"%b":%%b' % name.encode())
            elif first is None:
                first = len(gaps)
                gaps.append(b"%b")
        assert first is not None, "a list of nothing but converted columns"
        return b"{" + b",".join(gaps) + b"}", first, converters


_TABLES: list[Table] = []


def forget_all() -> None:
    """Empty every cache: for tests, which write rows without a journal entry."""
    for table in _TABLES:
        table.forget()


def texts(names: Iterable[str]) -> dict[str, Column]:
    """Columns that are answered as they are stored, under their own names."""
    return {name: Column(name) for name in names}
