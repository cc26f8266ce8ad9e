"""COPY of many rows into a table, in the caller's transaction: an import would take five times as
long with INSERT. The text is made column by column, since what stands in a column is of one kind,
and sent block by block, so that the server stores one block while the next is being made.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import islice, repeat
from operator import attrgetter
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

BLOCK = 250
_NULL = "\\N"


def into(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Add the rows to the table, whose other columns get their defaults. Texts, numbers, dates,
    uuids, bytes, dicts (JSON) and lists of plain words are understood.
    """
    rows = iter(rows)
    block = list(islice(rows, BLOCK))
    if not block:
        return
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy,
    ):
        while block:
            by_column = [_as_text(values) for values in zip(*block, strict=True)]
            copy.write("\n".join([*map("\t".join, zip(*by_column, strict=True)), ""]).encode())
            block = list(islice(rows, BLOCK))


def _as_text(values: tuple[Any, ...]) -> Iterable[str]:
    """The column in COPY's text format."""
    first = values[0]
    if values[-1] is first and values.count(first) == len(values):
        return repeat(_text(first), len(values))
    kinds = {*map(type, values)}
    if kinds == {str}:
        whole = "".join(values)
        return values if whole.isprintable() and "\\" not in whole else map(_escaped, values)
    return map(_TEXT[kinds.pop()], values) if len(kinds) == 1 else map(_text, values)


def _text(value: Any) -> str:
    return _NULL if value is None else _TEXT[type(value)](value)


def _escaped(text: str) -> str:
    return text if text.isprintable() and "\\" not in text else text.translate(_ESCAPES)


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_TEXT: Mapping[type, Callable[[Any], str]] = {
    str: _escaped,
    bytes: lambda value: "\\\\x" + value.hex(),
    memoryview: lambda value: "\\\\x" + value.hex(),
    bool: lambda value: "t" if value else "f",
    int: str,
    date: date.isoformat,
    datetime: datetime.isoformat,
    UUID: attrgetter("hex"),
    list: lambda value: "{" + ",".join(value) + "}",
    dict: lambda value: _escaped(orjson.dumps(value).decode()),
}
