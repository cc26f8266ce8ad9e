"""Pages of a list: `limit` and `offset`, or `size` and `start` counted from 1.

The second pair answers `{"data", "pagination"}`. A number over the maximum is refused, not cut
down: a caller who asks for 1000 and gets 500 believes there are no more.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet
from django.http import QueryDict

from sightsync.lib.api.errors import InvalidFields

_LARGEST_OFFSET = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Window:
    """What of the list was asked for; `offset` counts from 0 in both manners of asking."""

    limit: int
    offset: int
    by_size: bool

    def answer(self, name: str, rows: Sequence[object], total: int) -> dict[str, object]:
        """The envelope: `{name: rows, total, limit, offset}`, or `{"data", "pagination"}`."""
        if not self.by_size:
            return {name: rows, "total": total, "limit": self.limit, "offset": self.offset}
        return {
            "data": rows,
            "pagination": {
                "start": self.offset + 1,
                "requested_size": self.limit,
                "returned_count": len(rows),
                "total": total,
                "hasMore": self.offset + len(rows) < total,
            },
        }


def window(query: QueryDict, *, default: int, maximum: int) -> Window:
    """Raises InvalidFields."""
    by_size = "size" in query or "start" in query
    if by_size and ("limit" in query or "offset" in query):
        raise InvalidFields({"size": ["Use either limit and offset, or size and start."]})
    if by_size:
        limit = _number(query, "size", default, 1, maximum)
        offset = _number(query, "start", 1, 1, _LARGEST_OFFSET) - 1
    else:
        limit = _number(query, "limit", default, 1, maximum)
        offset = _number(query, "offset", 0, 0, _LARGEST_OFFSET)
    return Window(limit, offset, by_size)


def _number(query: QueryDict, name: str, default: int, lowest: int, highest: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 12:
        raise InvalidFields({name: ["This is not a whole number."]})
    if not lowest <= int(text) <= highest:
        raise InvalidFields({name: [f"This must be from {lowest} to {highest}."]})
    return int(text)


Row = Mapping[str, Any]


def page(
    rows: "QuerySet[Any, Any]", window: Window, *, columns: Iterable[str]
) -> list[dict[str, Any]]:
    """The window's rows of an ordered queryset, as dicts of `columns` (joined ones by `a__b`).

    The keys are chosen first, on an index alone; only the rows of the page are then read.
    """
    keys = rows.values("pk")[window.offset : window.offset + window.limit]
    model: type[Model] = rows.model
    chosen = model._default_manager.filter(pk__in=keys).order_by(*_order(rows))
    return list(chosen.values(*columns))


def _order(rows: "QuerySet[Any, Any]") -> tuple[Any, ...]:
    return tuple(rows.query.order_by) or tuple(rows.model._meta.ordering or ("pk",))


def listed(
    rows: "QuerySet[Any, Any]",
    query: QueryDict,
    *,
    name: str,
    shape: Callable[[dict[str, Any]], object],
    columns: Iterable[str],
    default: int,
    maximum: int,
) -> dict[str, object]:
    """The whole answer of a list endpoint whose total is counted. Raises InvalidFields."""
    asked = window(query, default=default, maximum=maximum)
    found = [shape(row) for row in page(rows, asked, columns=columns)]
    return asked.answer(name, found, rows.order_by().count())
