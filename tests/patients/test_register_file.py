"""The licensed register file: both layouts, and every way in which it arrives damaged."""

import gzip
import random
from pathlib import Path

import pytest

from patients import register_file

SPACED = b"01635 506160\r\n0191 5657153\r\n07860 338653\r\n0207 3787244\r\n01635  50616\r\n"
PLAIN = b"01635506160 \r\n01915657153 \r\n07860338653 \r\n02073787244 \r\n0163550616  \r\n"
NUMBERS = b"441635506160\n441915657153\n447860338653\n442073787244\n44163550616\n"


def read(tmp_path: Path, content: bytes) -> bytes:
    path = tmp_path / "register.txt"
    path.write_bytes(content)
    return b"".join(register_file.blocks(path))


@pytest.mark.parametrize(
    "content",
    [
        SPACED,
        PLAIN,
        SPACED.replace(b"\r\n", b"\n"),
        PLAIN.replace(b" ", b""),
        PLAIN.replace(b" ", b"").replace(b"\r", b""),
        gzip.compress(PLAIN, mtime=0),
        gzip.compress(SPACED, mtime=0),
    ],
    ids=["spaced", "plain", "spaced LF", "unpadded", "unpadded LF", "plain gz", "spaced gz"],
)
def test_a_sound_file_is_read_in_either_layout(tmp_path: Path, content: bytes) -> None:
    assert read(tmp_path, content) == NUMBERS


@pytest.mark.parametrize("last", [b"01635506160 ", b"01635506160", b"01635 506160"])
def test_a_whole_last_line_needs_no_newline(tmp_path: Path, last: bytes) -> None:
    assert read(tmp_path, PLAIN + last).endswith(b"\n441635506160\n")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (PLAIN + b"0163550616", "middle of line 6"),
        (PLAIN + b"01635 50", "middle of line 6"),
        (PLAIN + b"0163\r\n" + PLAIN, "Line 6"),
        (PLAIN + b"\r\n" + PLAIN, "Line 6"),
        (PLAIN + b"0163550616O \r\n", "Line 6"),
        (PLAIN + b"01635 5 6160\r\n", "Line 6"),
        (PLAIN + b"016355061601\r\n", "Line 6"),
        (PLAIN + b"\0\0\0\0\0\0\0\0\0\0\0\0\r\n", "Line 6"),
        (PLAIN + b"00447860338653\r\n", "Line 6"),
        (PLAIN + b"+447860338653\r\n", "Line 6"),
        (PLAIN + b"1635506160 \r\n", "Line 6"),
        (PLAIN + b"08001111    \r\n", "Line 6"),
        (b"phone_number\r\n" + PLAIN, "Line 1 is not"),
        (b"+33123456789\n" * 5, "Line 1 is not"),
        (b"first_name,phone\nJane,07700900001\n", "Line 1 is not"),
        (b"%PDF-1.7 " + b"x" * 5000, "Line 1 is not"),
        (gzip.compress(PLAIN * 100, mtime=0)[:-20], "cut off"),
        (gzip.compress(PLAIN, mtime=0)[:-8] + b"12345678", "cut off"),
        (b"\x1f\x8bnot really gzip", "cut off"),
    ],
)
def test_a_damaged_file_is_refused_with_its_line(
    tmp_path: Path, content: bytes, words: str
) -> None:
    with pytest.raises(register_file.Damaged, match=words):
        read(tmp_path, content)


def test_lines_are_whole_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for size in (13, 14, 29, 64):
        monkeypatch.setattr(register_file, "BLOCK", size)
        assert read(tmp_path, PLAIN + SPACED) == NUMBERS * 2
        with pytest.raises(register_file.Damaged, match="Line 8"):
            read(tmp_path, PLAIN + SPACED[:28] + b"bad\r\n" + SPACED)


def test_counting_shapes_agrees_with_reading_each_line(tmp_path: Path) -> None:
    """Thousands of small files, each with one accident: accepted exactly if every line is sound."""
    rng = random.Random(20261121)
    for _ in range(4000):
        text = bytearray(rng.choice([PLAIN, SPACED]))
        for _ in range(rng.randint(1, 2)):
            position = rng.randrange(len(text) - 2)
            if rng.random() < 0.6:
                text[position] = rng.choice(b" 0123456789x\n")
            else:
                del text[position]
        content = bytes(text)
        sound = all(
            register_file._LINE.fullmatch(line) for line in content.removesuffix(b"\n").split(b"\n")
        )
        try:
            read(tmp_path, content)
            accepted = True
        except register_file.Damaged:
            accepted = False
        assert accepted == sound, content
