"""Owns reading XLSX: a zip of XML, so that what it unpacks to is bounded before any of it is."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import openpyxl

from patients.csv_import.reader import Reading, Row, Unreadable, sound_row

MAX_UNPACKED_BYTES = 160 * 1024 * 1024
MAX_STRINGS_BYTES = 48 * 1024 * 1024
"""openpyxl keeps all shared strings in memory."""
MAX_RATIO = 40
"""Lists unpack to eight to twenty times their size, bombs to a hundred and more."""
_SMALL = 4 * 1024 * 1024
_MAX_SHEETS = 20

if not openpyxl.DEFUSEDXML:  # pragma: no cover - defusedxml is a dependency
    raise ImportError("openpyxl does not use defusedxml: install it before reading spreadsheets.")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a book."""

    content: bytes
    place: int

    def rows(self) -> Iterator[Row]:
        """Its rows, numbered as the sheet numbers them."""
        with _sound():
            book = openpyxl.load_workbook(io.BytesIO(self.content), read_only=True, data_only=True)
            try:
                sheet = book.worksheets[self.place]
                sheet.reset_dimensions()
                for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
                    row = sound_row(number, [_cell(value) for value in values])
                    if row is not None:
                        yield row
            finally:
                book.close()


def sheets(content: bytes) -> Iterator[Reading]:
    """The sheets of a book. Raises Unreadable for anything that is no sound XLSX."""
    with _sound():
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _refuse_bombs(archive.infolist())
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        count = len(book.worksheets)
        book.close()
    for place in range(min(count, _MAX_SHEETS)):
        yield Sheet(content, place)


def _refuse_bombs(entries: list[zipfile.ZipInfo]) -> None:
    """By what the archive says of itself: zipfile reads no more of an entry than it claims."""
    too_much = (
        sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES
        or len(entries) > 2000
        or any(
            entry.file_size > _SMALL and entry.file_size > MAX_RATIO * max(entry.compress_size, 1)
            for entry in entries
        )
        or any(
            entry.file_size > MAX_STRINGS_BYTES
            for entry in entries
            if not entry.filename.startswith("xl/worksheets/")
        )
    )
    if too_much:
        raise Unreadable("The spreadsheet unpacks to too much. Save the list as CSV.")


@contextmanager
def _sound() -> Iterator[None]:
    """Whatever the parsers of zip and XML make of a damaged or hostile book is one refusal."""
    try:
        yield
    except (Unreadable, GeneratorExit, MemoryError):
        raise
    except Exception as error:
        raise Unreadable(
            "This is not a sound XLSX file. Open it in Excel and save the list as CSV."
        ) from error


def _cell(value: Any) -> str:
    """A spreadsheet's value as text: whole numbers without .0, dates as ISO, errors as nothing."""
    if value is None:
        return ""
    if isinstance(value, str):
        text = value.strip()
        return "" if text.startswith("#") and text.endswith(("!", "?", "A")) else _kept(text)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return "" if isinstance(value, time) else str(value)


def _kept(text: str) -> str:
    return text.replace("\0", "")
