"""Files that are meant to hurt are refused with words, quickly, in bounded memory; and every usual
encoding gives the names that were written.
"""

import io
import json
import subprocess
import sys
import unicodedata
import zipfile
from pathlib import Path

import openpyxl
import pytest
from django.conf import settings

from patients.csv_import import columns, files, reader

MEMORY = 500 * 1024 * 1024
SLOW = 2.0
"""Seconds; the promise is two on a machine that is not busy with tests."""

# Run without Django, so that the limit is the importer's own.
READER = """
import json, resource, sys, time
from pathlib import Path
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
from patients.csv_import import columns, reader
import openpyxl
answers = {}
for path in sorted(Path(sys.argv[1]).iterdir()):
    content, begun = path.read_bytes(), time.process_time()
    try:
        rows = sum(1 for _ in columns.locate(reader.readings(content)).below())
        said = f"accepted: {rows} rows"
    except reader.Unreadable as refusal:
        said = str(refusal)
    except MemoryError:
        said = "MemoryError"
    answers[path.name] = [said, time.process_time() - begun]
print(json.dumps(answers))
"""


def book(sheet: str = "", *, strings: bytes = b"", workbook: bytes = b"") -> bytes:
    """A real book with some of its parts replaced."""
    plain = openpyxl.Workbook()
    plain.active.append(["first_name", "phone"])  # type: ignore[union-attr]
    plain.active.append(["Jane", "07700900001"])  # type: ignore[union-attr]
    source, target = io.BytesIO(), io.BytesIO()
    plain.save(source)
    parts = {"xl/sharedStrings.xml": strings, "xl/workbook.xml": workbook}
    with (
        zipfile.ZipFile(source) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            content = parts.get(entry.filename) or old.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml" and sheet:
                content = sheet.encode()
            new.writestr(entry.filename, content)
    return target.getvalue()


_SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    "{rows}</sheetData></worksheet>"
)
_ROW = (
    '<row r="{n}"><c r="A{n}" t="inlineStr"><is><t>first_name</t></is></c>'
    '<c r="B{n}" t="inlineStr"><is><t>phone</t></is></c></row>'
)


def sheet(rows: str) -> bytes:
    return book(_SHEET.format(rows=rows))


def laughs() -> bytes:
    entities = "".join(
        f'<!ENTITY l{n} "{"".join(f"&l{n - 1};" for _ in range(10))}">' for n in range(1, 10)
    )
    head = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{entities}]>'
    body = _SHEET.format(rows='<row r="1"><c r="A1" t="inlineStr"><is><t>&l9;</t></is></c></row>')
    return book(head + body)


def claims_a_gigabyte() -> bytes:
    content = bytearray(book())
    for mark, at in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        place = 0
        while (place := content.find(mark, place)) >= 0:
            content[place + at : place + at + 4] = (2**30).to_bytes(4, "little")
            place += 4
    return bytes(content)


def bomb() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (90 * 1024 * 1024))
    return target.getvalue()


HEAD = b"first_name,phone\n"
HOSTILE = {
    "a million commas": (HEAD + b"," * 1_000_000 + b"\n", "columns"),
    "a million commas in the first line": (b"," * 1_000_000, "columns"),
    "twenty thousand columns": (b",".join(b"c%d" % n for n in range(20_000)), "columns"),
    "ten megabytes in one line": (HEAD + b"A" * 10_000_000, "cell without end"),
    "an unclosed quote": (HEAD + b'A,"' + b"x,y\n" * 2_000_000, "stray quote"),
    "an unclosed quote at the end": (HEAD + b'A,"1', "never closed"),
    "NULs": (HEAD + b"A,\x0007700900001\n" * 1000, "NUL"),
    "only NULs": (b"\0" * 5_000_000, "empty"),
    "too many bytes": (b"x" * (25 * 1024 * 1024 + 1), "over 25 MB"),
    "too many rows": (HEAD + b"A,1\n" * 250_001, "more than 250000 rows"),
    "a zip bomb": (bomb(), "unpacks to too much"),
    "a claimed gigabyte": (claims_a_gigabyte(), "unpacks to too much"),
    "billion laughs": (laughs(), "sound XLSX"),
    "a cell in the last column": (
        sheet(_ROW.format(n=1) + '<row r="2"><c r="XFD2"><v>1</v></c></row>'),
        "columns",
    ),
    "rows to the last": (
        sheet(_ROW.format(n=1) + '<row r="1048576"><c r="A1048576"><v>1</v></c></row>'),
        "rows",
    ),
    "cut off": (book()[:-300], "sound XLSX"),
    "a zip of something else": (b"PK\x03\x04" + b"x" * 1000, "sound XLSX"),
    "broken XML": (book("<worksheet><sheetData><row"), "sound XLSX"),
    "binary": (bytes(range(256)) * 4000, "encoding"),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, float]]:
    folder: Path = tmp_path_factory.mktemp("corpus")
    for name, (content, _) in HOSTILE.items():
        (folder / name).write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-c", READER, str(folder), str(MEMORY)],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, tuple[str, float]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_refused_with_words(name: str, answers: dict[str, tuple[str, float]]) -> None:
    said, seconds = answers[name]
    assert HOSTILE[name][1] in said
    assert said.endswith(".")
    assert seconds < SLOW


NAMES = ["Siân", "O’Neill", "Zoë – Ann", "Ægir", "José"]
MARKED = ["Jos\u0065\u0301", "\u200fDavid\u200e"]


def sent(names: list[str], delimiter: str, newline: str) -> str:
    lines = [
        delimiter.join(("first_name", "phone")),
        *(delimiter.join((name, "07700900001")) for name in names),
    ]
    return newline.join(lines) + newline


def read(content: bytes) -> list[str]:
    return [row.cells[0] for row in columns.find(reader.readings(content)).below()]


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_names_come_through_every_encoding(encoding: str, delimiter: str) -> None:
    content = sent(NAMES, delimiter, "\r\n").encode(encoding)
    assert read(content) == NAMES


def test_mixed_line_ends_composed_and_marked_letters_are_read_as_written() -> None:
    text = "first_name,phone\rA,1\nB,2\r\n" + sent(MARKED, ",", "\n").split("\n", 1)[1]
    assert read(text.encode()) == ["A", "B", *MARKED]
    assert unicodedata.normalize("NFC", MARKED[0]) == "José"


def test_utf_16_with_the_other_byte_order_mark_is_read() -> None:
    content = b"\xfe\xff" + sent(NAMES, ",", "\n").encode("utf-16-be")
    assert read(content) == NAMES


def test_what_is_in_no_known_encoding_is_refused() -> None:
    with pytest.raises(reader.Unreadable, match="encoding"):
        read(b"first_name,phone\n\x81\x8d\x8f,1\n")


def test_rows_keep_their_cells_through_packing() -> None:
    rows = [reader.Row(3, ["Siân", "O’Neill", '=1+1\t"\n', "🙂"])]
    frames, total = files.pack(iter(rows), looking=lambda _: None)
    assert total == 1
    assert files.unpack(frames[0]) == rows
