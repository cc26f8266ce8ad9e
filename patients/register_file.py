"""Owns the licensed TPS/CTPS file: its two layouts, and what a damaged one looks like. Pure but
for reading.

Both layouts have one number a line, twelve characters and CR LF: "with spaces" is the dialling
code in five columns and the rest right-justified in seven ("01635 506160", "0191 5657153");
"without spaces" is the number padded to twelve ("01635506160 "). Trailing padding and CR are not
required.

Twenty million lines pass through here, so no line is looked at by itself: a block of some
thousands is checked by counting the line shapes it may hold. Only a block that does not add up is
searched for its first bad line.
"""

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

BLOCK = 64 * 1024
"""Small, so that the server takes in one block while the next is being checked: twice as fast as
blocks of 4 MB."""
GZIP = b"\x1f\x8b"
_DIGITS_TO_NINE = bytes(57 if 48 <= byte <= 57 else byte for byte in range(256))
# Every line shape: 10 or 11 digits in one, or split as the layout "with spaces" splits them.
_ELEVEN, _TEN = b"9" * 11 + b"\n", b"9" * 10 + b"\n"
_SPLIT = (
    b"99999 999999\n",
    b"9999 9999999\n",
    b"99999  99999\n",
    b"9999  999999\n",
)
_LINE = re.compile(
    rb"0[1-9](?:[0-9]{8,9}|[0-9]{3} [0-9]{6}|[0-9]{2} [0-9]{7}|[0-9]{3}  [0-9]{5}"
    rb"|[0-9]{2}  [0-9]{6}) *\r?"
)


class Damaged(Exception):
    """The file is not a whole, sound register; the text says where and what to do."""


def blocks(path: Path) -> Iterator[bytes]:
    """The file's numbers as international digits, ``441635506160`` and a newline each, block by
    block.

    Reads gzip too. Raises Damaged on an empty, truncated, foreign or damaged file, with the line.
    """
    line = 1
    rest = b""
    try:
        with _open(path) as source:
            while block := source.read(BLOCK):
                block = rest + block
                cut = block.rfind(b"\n") + 1
                rest = block[cut:]
                if len(rest) > 1024:
                    raise Damaged(_foreign(line))
                if cut:
                    yield _numbers(block[:cut], line)
                    line += block.count(b"\n", 0, cut)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise Damaged("The compressed file is cut off or damaged. Download it again.") from error
    if rest:
        yield _numbers(_last_line(rest, line), line)
    elif line == 1:
        raise Damaged("The file is empty. Download the register again.")


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as source:
        magic = source.read(2)
    return cast(BinaryIO, gzip.open(path, "rb")) if magic == GZIP else path.open("rb")


def _last_line(rest: bytes, line: int) -> bytes:
    """A last line without its newline is whole only if nothing could follow: all twelve columns,
    or eleven digits. Anything shorter may be a number that lost its end.
    """
    if len(rest.rstrip(b"\r")) >= 11 and _LINE.fullmatch(rest):
        return rest.rstrip(b"\r") + b"\n"
    raise Damaged(
        f"The file ends in the middle of line {line}: it was cut off. Download the register again."
    )


def _numbers(block: bytes, line: int) -> bytes:
    """The block's lines as international digits, or Damaged with the first bad line."""
    tidy = block.replace(b"\r\n", b"\n").replace(b"  \n", b"\n").replace(b" \n", b"\n")
    shapes = tidy.translate(_DIGITS_TO_NINE)
    eleven = shapes.count(_ELEVEN)
    ten = shapes.count(_TEN) - eleven
    size, lines = eleven * len(_ELEVEN) + ten * len(_TEN), eleven + ten
    if size != len(tidy):
        for shape in _SPLIT:
            count = shapes.count(shape)
            size, lines = size + count * len(shape), lines + count
    numbers = (b"\n" + tidy).replace(b" ", b"")
    international = numbers.replace(b"\n0", b"\n44")
    grown = len(international) - len(numbers)
    if size != len(tidy) or grown != lines or b"\n440" in international:
        raise Damaged(_describe(block, line))
    return international[1:]


def _describe(block: bytes, first: int) -> str:
    for number, text in enumerate(block.split(b"\n")[:-1], start=first):
        if not _LINE.fullmatch(text):
            if number == 1:
                return _foreign(number)
            return (
                f"Line {number} holds no telephone number in either layout of the register. "
                "The file is damaged or not the register: download it again."
            )
    return "The file is damaged. Download the register again."


def _foreign(line: int) -> str:
    return (
        f"Line {line} is not a line of the TPS or CTPS register (one UK number of 10 or 11 digits "
        "a line). Give the file as it was downloaded, without a header."
    )
