"""Owns the rows of an uploaded file between the upload and the end of the import: in frames of as
many rows as are written at a time, packed and encrypted, so that no more than one is ever unpacked.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import orjson

from patients.csv_import.reader import Row
from patients.models import ImportFile, ImportRun
from sightsync.lib import crypto

FRAME_ROWS = 2000
_LENGTH = 4


def pack(
    rows: Iterable[Row], *, looking: Callable[[Sequence[Row]], None]
) -> tuple[list[bytes], int]:
    """The rows in frames, and how many they are; ``looking`` sees each frame's rows on the way."""
    frames: list[bytes] = []
    total = 0
    rows = iter(rows)
    while batch := list(islice(rows, FRAME_ROWS)):
        looking(batch)
        total += len(batch)
        frames.append(zlib.compress(orjson.dumps([[row.number, row.cells] for row in batch]), 1))
    return frames, total


def unpack(frame: bytes) -> list[Row]:
    return [Row(number, cells) for number, cells in orjson.loads(zlib.decompress(frame))]


def store(run: ImportRun, frames: Sequence[bytes]) -> None:
    """Keep the rows, in the caller's transaction."""
    packed = b"".join(len(frame).to_bytes(_LENGTH, "big") + frame for frame in frames)
    ImportFile(run=run, practice_id=run.practice_id, content=crypto.encrypt_bytes(packed)).save(
        force_insert=True
    )


def frames(run: ImportRun) -> list[bytes]:
    """The frames as they were stored. Raises ImportFile.DoesNotExist once they are forgotten."""
    stored = ImportFile.objects.only("content").get(run=run)
    packed = crypto.decrypt_bytes(bytes(stored.content))
    found, at = [], 0
    while at < len(packed):
        size = int.from_bytes(packed[at : at + _LENGTH], "big")
        at += _LENGTH
        found.append(packed[at : at + size])
        at += size
    return found


def rows(frames: Iterable[bytes]) -> Iterator[Row]:
    """All rows, one frame in memory at a time."""
    for frame in frames:
        yield from unpack(frame)


def forget(run: ImportRun) -> None:
    """The import has ended or was discarded: the rows go."""
    ImportFile.objects.filter(run=run).delete()
