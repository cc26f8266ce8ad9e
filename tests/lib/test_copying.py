"""What COPY puts into a table is what was given."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from sightsync.lib import copying

pytestmark = pytest.mark.django_db
KINDS = {
    "words": "text",
    "day": "date",
    "moment": "timestamptz",
    "key": "uuid",
    "number": "int",
    "is_so": "boolean",
    "hash": "bytea",
    "facts": "jsonb",
    "several": "text[]",
}
ROW = (
    "tab\there, line\nthere, back\\slash",
    date(2026, 11, 21),
    datetime(2026, 11, 21, 9, 30, 0, 5, tzinfo=UTC),
    UUID(int=7),
    -12,
    True,
    b"\\\x00\xff",
    {"a": ["\\", '"']},
    ["sms", "voice"],
)


def stored(rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    columns = ", ".join(f"{name} {kind}" for name, kind in KINDS.items())
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE copied (place serial, {columns}) ON COMMIT DROP")
        copying.into("copied", tuple(KINDS), rows)
        cursor.execute(f"SELECT {', '.join(KINDS)} FROM copied ORDER BY place")
        found = [dict(zip(KINDS, row, strict=True)) for row in cursor.fetchall()]
    for row in found:
        row["facts"] = row["facts"] and json.loads(row["facts"])
    return [tuple(row.values()) for row in found]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_every_kind_of_value_arrives(count: int) -> None:
    assert stored([ROW] * count) == [ROW] * count


def test_what_is_missing_is_null() -> None:
    nothing = (None,) * len(KINDS)
    rows = [ROW, nothing, ("plain", *ROW[1:]), ("", *nothing[1:])]
    assert stored(rows) == rows
