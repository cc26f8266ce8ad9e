"""Reading exports: encodings, delimiters, spreadsheets, and damage that must be refused."""

import io
import zipfile
from datetime import datetime
from typing import Any

import openpyxl
import pytest

from patients.csv_import import columns, reader

TEXT = "first_name;last_name;phone_number\nZoë;O’Connor;07700900001\n"


def rows(content: bytes) -> list[list[str]]:
    found = columns.find(reader.readings(content))
    return [found.header.cells, *(row.cells for row in found.below())]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_common_encoding_and_delimiter_is_read(
    encoding: str, delimiter: str, newline: str
) -> None:
    content = TEXT.replace(";", delimiter).replace("\n", newline).encode(encoding)
    assert rows(content)[1] == ["Zoë", "O’Connor", "07700900001"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_recognised(encoding: str) -> None:
    assert rows(TEXT.encode(encoding))[1][0] == "Zoë"


def test_excels_own_line_about_the_delimiter_is_heeded() -> None:
    text = "sep=;\nfirst_name;phone_number\nA, B, C, D;07700900001\n"
    assert rows(text.encode())[1] == ["A, B, C, D", "07700900001"]


def test_rows_are_numbered_as_a_spreadsheet_numbers_them() -> None:
    text = (
        'Title\n\nfirst_name,phone,notes\nA,1,"two\nlines"\n\nB,2,x\n'
        "First_Name,Phone,Notes\nC,3,y\n"
    )
    found = columns.find(reader.readings(text.encode()))
    assert found.header.number == 3
    assert [(row.number, row.cells[0]) for row in found.below()] == [(4, "A"), (6, "B"), (8, "C")]


def workbook(*sheets: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for values in sheets:
        sheet = book.create_sheet()
        for line in values:
            sheet.append(line)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def test_a_spreadsheet_is_read_with_its_numbers_and_dates() -> None:
    content = workbook(
        [["Notes"], ["nothing here"]],
        [
            ["Practice list"],
            [],
            ["First name", "Mobile", "Last exam", "Deceased"],
            ["Zoë", 7700900001.0, datetime(2024, 1, 15), True],
            ["Tom", "07700900002", 45306, None],
        ],
    )
    assert rows(content)[1:] == [
        ["Zoë", "7700900001", "2024-01-15", "yes"],
        ["Tom", "07700900002", "45306"],
    ]


def bomb() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(5):
            archive.writestr(f"xl/{number}.xml", b"0" * (90 * 1024 * 1024))
    return target.getvalue()


def entities() -> bytes:
    source = zipfile.ZipFile(io.BytesIO(workbook([["first_name", "phone"], ["A", "1"]])))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename == "xl/workbook.xml":
                content = (
                    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
                    + content.removeprefix(b'<?xml version="1.0"?>')
                )
            archive.writestr(entry, content)
    return target.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\r\n\r\n", "empty"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 100, r"old Excel file \(\.xls\)"),
        (b"%PDF-1.7", "PDF"),
        (b"\x1f\x8b\x08", "compressed"),
        (b"PK\x03\x04 not a workbook", "XLSX"),
        (b"first_name,phone\nA\0B,07700900001\n", "NUL"),
        (b'first_name,phone\nA,1\n"B,2\nC,3\n', "opened in row 3 .* never closed"),
        (b'first_name,phone\nA,"1"2\nC,3\n', "Row 2 .* wrong place"),
        (b"first_name,phone\nA," + b"x" * 9000 + b"\n", "more than 8000 characters"),
        (b'first_name,phone\nA,"' + b"x,y\n" * 60_000 + b'"\n', "stray quote"),
        (b"first_name,phone\n" + b"," * 300 + b"x\n", "more than 200 columns"),
        (b"A,07700900001\nB,07700900002\n", "No header row"),
        (b"surname;colour\nA;red\n", "No header row"),
        (b"\x81\x8d first_name,phone\n", "encoding"),
    ],
)
def test_what_cannot_be_read_whole_is_refused_with_advice(content: bytes, words: str) -> None:
    with pytest.raises(reader.Unreadable, match=words) as refusal:
        rows(content)
    assert str(refusal.value).endswith(".")


def test_dangerous_spreadsheets_are_refused() -> None:
    for content in (bomb(), entities()):
        with pytest.raises(reader.Unreadable):
            rows(content)


def test_too_many_rows_and_bytes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_ROWS", 3)
    with pytest.raises(reader.Unreadable, match="more than 3 rows"):
        rows(b"first_name,phone\nA,1\nB,2\nC,3\n")
    monkeypatch.setattr(reader, "MAX_BYTES", 10)
    with pytest.raises(reader.Unreadable, match="is over"):
        rows(b"first_name,phone\n")
