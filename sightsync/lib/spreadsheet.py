"""The one writer of CSV files: made for Excel, and harmless in it."""

import csv
import io
from collections.abc import Iterable, Sequence

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")


def to_csv(rows: Iterable[Sequence[object]]) -> bytes:
    """UTF-8 with the byte order mark by which Excel knows it; no cell starts a formula."""
    target = io.StringIO(newline="")
    csv.writer(target).writerows([_cell(value) for value in row] for row in rows)
    return target.getvalue().encode("utf-8-sig")


def line(row: Sequence[object]) -> str:
    """One line of such a file, for a long one that is sent as it is made; the first begins with
    the byte order mark.
    """
    target = io.StringIO(newline="")
    csv.writer(target).writerow([_cell(value) for value in row])
    return target.getvalue()


def defuse(text: str) -> str:
    """The text with an apostrophe before what a spreadsheet would run (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _cell(value: object) -> object:
    return defuse(value) if isinstance(value, str) else value
