"""Owns reading an exported file into rows of text: CSV in whatever delimiter and encoding, or
XLSX. It knows nothing of patients and never guesses at damage: a file it cannot read whole is
refused. Rows are read as they are asked for, so that no file is ever whole in memory as text.
"""

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

MAX_BYTES = 25 * 1024 * 1024
MAX_ROWS = 250_000
MAX_COLUMNS = 200
MAX_WIDTH = 1000
"""Of a row with its empty cells: a million commas are refused before anybody looks at them."""
MAX_CELL = 8000
DELIMITERS = (",", ";", "\t", "|")
_HEAD_BYTES = 40_000
_BLOCK = 256 * 1024


class Unreadable(Exception):
    """The file cannot be read; the text says why and what to do. Nothing was imported."""


class Row(NamedTuple):
    """One row that is not blank: its number as a spreadsheet shows it, and its cells, stripped."""

    number: int
    cells: list[str]


class Reading(Protocol):
    """One way in which a file may be read: a delimiter, or a sheet of a book."""

    def rows(self) -> Iterator[Row]:
        """The rows from the first. Raises Unreadable where the file cannot be read further."""


def readings(content: bytes) -> list[Reading]:
    """The ways in which the file may be read, the likeliest first; whoever knows the columns picks
    the first that makes sense. Raises Unreadable.
    """
    if len(content) > MAX_BYTES:
        raise Unreadable(
            f"The file is over {MAX_BYTES // 1024 // 1024} MB. Split it and import the parts."
        )
    if not content[:4096].strip(b"\0 \t\r\n\xef\xbb\xbf") and not content.strip(
        b"\0 \t\r\n\xef\xbb\xbf"
    ):
        raise Unreadable("The file is empty. Export it again.")
    _refuse_other_kinds(content)
    if content.startswith(b"PK"):
        from patients.csv_import import workbook  # openpyxl only where a book is read

        return list(workbook.sheets(content))
    encoding = _encoding(content)
    return [Text(content, encoding, delimiter) for delimiter in _delimiters(content, encoding)]


def _refuse_other_kinds(content: bytes) -> None:
    for magic, kind in (
        (b"\xd0\xcf\x11\xe0", "an old Excel file (.xls)"),
        (b"%PDF", "a PDF"),
        (b"{\\rtf", "a text document"),
        (b"\x1f\x8b", "a compressed file"),
    ):
        if content.startswith(magic):
            raise Unreadable(f"This is {kind}. Save the list as CSV or XLSX and import that.")


# --- encodings ----------------------------------------------------------------------------------


def _encoding(content: bytes) -> str:
    """By byte order mark, else UTF-16 when every other byte is zero, else UTF-8, else
    Windows-1252. The whole file must be text in it.
    """
    if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return _checked(content, "utf-32")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _checked(content, "utf-16")
    if _looks_like_utf_16(content):
        return _checked(content, "utf-16-le" if content[1:2] == b"\0" else "utf-16-be")
    try:
        return _checked(content, "utf-8-sig")
    except UnicodeDecodeError:
        return _checked(content, "cp1252")


def _looks_like_utf_16(content: bytes) -> bool:
    head = content[:400]
    return len(head) >= 4 and (
        head[1::2].count(0) > len(head) * 0.4 or head[0::2].count(0) > len(head) * 0.4
    )


def _checked(content: bytes, encoding: str) -> str:
    """The encoding, if all of the file is text in it. Raises UnicodeDecodeError for UTF-8 alone,
    which has an alternative.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(content), _BLOCK):
            end = start + _BLOCK
            text = decoder.decode(content[start:end], final=end >= len(content))
            if "\0" in text:
                raise Unreadable(
                    "The file holds NUL bytes: it is damaged, or no text. Export it again."
                )
    except UnicodeDecodeError as error:
        if encoding == "utf-8-sig":
            raise
        raise Unreadable(
            "The file's characters are in no known encoding. Export it as CSV UTF-8."
        ) from error
    return encoding


# --- text ---------------------------------------------------------------------------------------


def _delimiters(content: bytes, encoding: str) -> list[str]:
    """Delimiters by how often the first lines use them; ``sep=;`` in Excel's first line says it."""
    decoder = codecs.getincrementaldecoder(encoding)()
    head = decoder.decode(content[:_HEAD_BYTES])
    if head[:4].lower() == "sep=" and head[4:5] in DELIMITERS:
        return [head[4]]
    used = [delimiter for delimiter in DELIMITERS if delimiter in head]
    return sorted(used, key=head.count, reverse=True) or [","]


@dataclass(frozen=True, slots=True)
class Text:
    """Delimited text."""

    content: bytes
    encoding: str
    delimiter: str

    def rows(self) -> Iterator[Row]:
        """The records of the text. A record may span lines; its number is its row in a
        spreadsheet.
        """
        text = io.TextIOWrapper(io.BytesIO(self.content), self.encoding, newline="")
        source = csv.reader(text, delimiter=self.delimiter, strict=True)
        number = line = 0
        try:
            for raw in source:
                number += 1
                cells = list(map(str.strip, raw))
                if cells and cells[-1] and len(cells) <= 50 and sum(map(len, cells)) < 1000:
                    if number > MAX_ROWS:
                        refuse_rows()
                    yield Row(number, cells)
                elif (row := sound_row(number, cells)) is not None:
                    yield row
                line = source.line_num
        except csv.Error as error:
            raise Unreadable(_csv_problem(str(error), number + 1, line + 1)) from error


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


def sound_row(number: int, cells: list[str]) -> Row | None:
    """The row without empty cells at its end, None when blank. Raises Unreadable over the
    limits.
    """
    if number > MAX_ROWS:
        refuse_rows()
    if len(cells) > MAX_WIDTH:
        _refuse_width(number)
    while cells and not cells[-1]:
        cells.pop()
    if not cells:
        return None
    if len(cells) > MAX_COLUMNS:
        _refuse_width(number)
    if any(len(cell) > MAX_CELL for cell in cells):
        raise Unreadable(
            f"Row {number} has a cell of more than {MAX_CELL} characters. "
            "A quotation mark may be missing there; correct it or export the file again."
        )
    return Row(number, cells)


def refuse_rows() -> None:
    raise Unreadable(f"The file has more than {MAX_ROWS} rows. Split it and import the parts.")


def _refuse_width(number: int) -> None:
    raise Unreadable(f"Row {number} has more than {MAX_COLUMNS} columns. Export fewer columns.")
