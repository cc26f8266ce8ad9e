"""Owns reading an exported file into rows of text: CSV in whatever delimiter and encoding, or
XLSX. It knows nothing of patients and never guesses at damage: a file it cannot read whole is
refused.
"""

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

MAX_BYTES = 25 * 1024 * 1024
MAX_UNPACKED_BYTES = 400 * 1024 * 1024
MAX_ROWS = 250_000
MAX_COLUMNS = 200
MAX_CELL = 8000
DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_ROWS = 25

if not openpyxl.DEFUSEDXML:  # pragma: no cover - defusedxml is a dependency
    raise ImportError("openpyxl does not use defusedxml: install it before reading spreadsheets.")


class Unreadable(Exception):
    """The file cannot be read; the text says why and what to do. Nothing was imported."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row that is not blank: its number as a spreadsheet shows it, and its cells, stripped."""

    number: int
    cells: list[str]


def read(content: bytes) -> list[list[Row]]:
    """The rows of the file, once for each way in which they may be read (delimiters, sheets), best
    first; whoever knows the columns picks the first that makes sense. Raises Unreadable."""
    if len(content) > MAX_BYTES:
        raise Unreadable(
            f"The file is over {MAX_BYTES // 1024 // 1024} MB. Split it and import the parts."
        )
    if not content.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise Unreadable("The file is empty. Export it again.")
    _refuse_other_kinds(content)
    if content.startswith(b"PK"):
        return list(_sheets(content))
    text = _decode(content)
    readings = [list(_records(text, delimiter)) for delimiter in _likely_delimiters(text)]
    return readings


def _refuse_other_kinds(content: bytes) -> None:
    for magic, kind in (
        (b"\xd0\xcf\x11\xe0", "an old Excel file (.xls)"),
        (b"%PDF", "a PDF"),
        (b"{\\rtf", "a text document"),
        (b"\x1f\x8b", "a compressed file"),
    ):
        if content.startswith(magic):
            raise Unreadable(f"This is {kind}. Save the list as CSV or XLSX and import that.")


# --- text
# ------------------------------------------------------------------------------------------


def _decode(content: bytes) -> str:
    """By byte order mark, else UTF-16 when every other byte is zero, else UTF-8, else
    Windows-1252.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = _decode_as(content, "utf-16")
    elif _looks_like_utf_16(content):
        text = _decode_as(content, "utf-16-le" if content[1:2] == b"\0" else "utf-16-be")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = _decode_as(content, "cp1252")
    if "\0" in text:
        raise Unreadable("The file holds NUL bytes: it is damaged, or no text. Export it again.")
    return text


def _looks_like_utf_16(content: bytes) -> bool:
    head = content[:400]
    return len(head) >= 4 and (
        head[1::2].count(0) > len(head) * 0.4 or head[0::2].count(0) > len(head) * 0.4
    )


def _decode_as(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable(
            "The file's characters are in no known encoding. Export it as CSV UTF-8."
        ) from error


def _likely_delimiters(text: str) -> list[str]:
    """Delimiters by how often the first lines use them; ``sep=;`` in Excel's first line says it."""
    if text[:4].lower() == "sep=" and text[4:5] in DELIMITERS:
        return [text[4]]
    head = text[:20_000]
    used = [delimiter for delimiter in DELIMITERS if delimiter in head]
    return sorted(used, key=head.count, reverse=True) or [","]


def _records(text: str, delimiter: str) -> Iterator[Row]:
    """The records of the text. A record may span lines; its number is its row in a spreadsheet."""
    source = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = line = 0
    while True:
        try:
            cells = next(source)
        except StopIteration:
            return
        except csv.Error as error:
            raise Unreadable(_csv_problem(str(error), number + 1, line + 1)) from error
        number, line = number + 1, source.line_num
        row = _row(number, cells)
        if row is not None:
            yield row


def _csv_problem(error: str, number: int, line: int) -> str:
    if "unexpected end" in error:
        return (
            f"A quotation mark opened in row {number} (line {line}) is never closed. "
            "Close or remove it, or export the file again."
        )
    if "field larger" in error:
        return f"Row {number} (line {line}) has a cell without end. Look for a stray quote there."
    return (
        f"Row {number} (line {line}) has a quotation mark in the wrong place. "
        "Correct it, or export the file again."
    )


def _row(number: int, cells: list[str]) -> Row | None:
    """The row with stripped cells, None when blank. Raises Unreadable over the limits."""
    cells = [cell.strip() for cell in cells]
    while cells and not cells[-1]:
        cells.pop()
    if not cells:
        return None
    if number > MAX_ROWS:
        raise Unreadable(f"The file has more than {MAX_ROWS} rows. Split it and import the parts.")
    if len(cells) > MAX_COLUMNS:
        raise Unreadable(f"Row {number} has more than {MAX_COLUMNS} columns. Export fewer columns.")
    if any(len(cell) > MAX_CELL for cell in cells):
        raise Unreadable(
            f"Row {number} has a cell of more than {MAX_CELL} characters. "
            "A quotation mark may be missing there; correct it or export the file again."
        )
    return Row(number, cells)


# --- spreadsheets
# ----------------------------------------------------------------------------------


def _sheets(content: bytes) -> Iterator[list[Row]]:
    """The rows of each sheet. Raises Unreadable for anything that is no sound XLSX."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED_BYTES:
                raise Unreadable("The spreadsheet unpacks to too much. Save the list as CSV.")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except Unreadable:
        raise
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise Unreadable(
            "This is not a sound XLSX file. Open it in Excel and save the list as CSV."
        ) from error
    try:
        for sheet in book.worksheets:
            sheet.reset_dimensions()
            rows = enumerate(sheet.iter_rows(values_only=True), start=1)
            yield [
                row
                for number, cells in rows
                if (row := _row(number, [_cell(value) for value in cells])) is not None
            ]
    finally:
        book.close()


def _cell(value: Any) -> str:
    """A spreadsheet's value as text: whole numbers without .0, dates as ISO, errors as nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return ""
    text = str(value)
    return "" if text.startswith("#") and text.endswith(("!", "?", "A")) else text.replace("\0", "")
