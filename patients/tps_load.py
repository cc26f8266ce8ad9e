"""Owns replacing a register by a newly downloaded file: into a table of its own first, then
checked, then swapped in by renaming. Whatever goes wrong before the swap leaves the register in
force as it was.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from django.db import (
    IntegrityError,
    OperationalError,
    ProgrammingError,
    connection,
    transaction,
)

from patients import register_file, tps
from patients.models import RegisterList, TpsRegister
from practices.journal import Actor
from sightsync.lib import clock

MOST_REPEATS = 0.01
"""Share of repeated lines from which a file is not believed to be a register."""
LEAST_OF_LAST = 0.9
"""A register changes by well under one in a hundred a day; one this much smaller has lost its
end.
"""
COMPARED_FROM = 100_000
"""Registers smaller than this (trials, demonstrations) are not compared with the next."""
LOCK_TIMEOUT = "5ms"
SWAP_TRIES, SWAP_PAUSE = 600, 0.05
_LOCK = 0x7095


class NotLoaded(Exception):
    """The file was refused or could not be loaded; the register in force is unchanged. The text
    says what is wrong and what to do.
    """


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did: the register now in force, repeated lines left out, patients whose flag
    changed.
    """

    register: TpsRegister
    repeats: int
    patients_changed: int


def load(
    *,
    path: Path,
    listing: RegisterList,
    register_date: date,
    actor: Actor,
    accept_smaller: bool = False,
) -> Loaded:
    """Put the file's numbers in place of the list's last register. Must not run in a transaction.

    A combined file replaces both lists. Readers notice nothing but a pause of milliseconds. Raises
    NotLoaded.
    """
    if register_date > clock.today():
        raise NotLoaded("The register's date is in the future. Give the day it was downloaded.")
    with _alone():
        table = "ctps_number" if listing is RegisterList.CTPS else "tps_number"
        try:
            numbers = _copy(path, f"{table}_new")
            unique = _index(f"{table}_new", numbers)
            _check(f"{table}_new", unique, listing, accept_smaller)
            register = TpsRegister(
                listing=listing,
                register_date=register_date,
                loaded_at=clock.now(),
                numbers=unique,
                file_sha256=_sha256(path),
                current=True,
            )
            _swap(table, register)
        finally:
            _drop(f"{table}_new", f"{table}_old")
    changed = tps.refresh_patients(actor=actor)
    register.refresh_from_db()
    return Loaded(register, numbers - unique, changed)


@contextmanager
def _alone() -> Iterator[None]:
    """One load at a time in the whole installation; the lock ends with the connection, even by
    kill -9.
    """
    if not _try_lock():
        raise NotLoaded("Another load of the register is running. Wait until it has finished.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _try_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _copy(path: Path, table: str) -> int:
    """The file's numbers into a new table; how many. FREEZE spares the first vacuum."""
    _drop(table)
    try:
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLE {table} (n bigint NOT NULL)")
            with cursor.copy(f"COPY {table} (n) FROM STDIN WITH (FREEZE)") as copy:
                for block in register_file.blocks(path):
                    copy.write(block)
            return int(cursor.rowcount)
    except register_file.Damaged as damaged:
        raise NotLoaded(str(damaged)) from damaged
    except OSError as error:
        raise NotLoaded(f"The file cannot be read ({error.strerror}). Check its path.") from error


def _index(table: str, numbers: int) -> int:
    """Make the number the key and analyse; how many numbers there are once repeats are left out."""
    try:
        _add_key(table)
    except IntegrityError:
        unique = _without_repeats(table)
        if numbers - unique > numbers * MOST_REPEATS:
            raise NotLoaded(
                f"{numbers - unique} of the file's {numbers} lines repeat a number. "
                "It is not one whole register: download it again."
            ) from None
        _add_key(table)
        numbers = unique
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {table}")
    return numbers


def _add_key(table: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        _without_wal_compression(cursor)
        cursor.execute(f"ALTER TABLE {table} ADD PRIMARY KEY (n)")


def _without_wal_compression(cursor: Any) -> None:
    """Compressing the page images of a new index takes longer than building it (4.0 s against 1.2
    s for five million numbers). Only a superuser may switch it off; elsewhere it stays as it
    is.
    """
    with suppress(ProgrammingError), transaction.atomic():
        cursor.execute("SET LOCAL wal_compression = off")


def _without_repeats(table: str) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {table}_unique AS SELECT DISTINCT n FROM {table}")  # noqa: S608
        unique = int(cursor.rowcount)
        cursor.execute(f"DROP TABLE {table}")
        cursor.execute(f"ALTER TABLE {table}_unique RENAME TO {table}")
        cursor.execute(f"ALTER TABLE {table} ALTER COLUMN n SET NOT NULL")
    return unique


def _check(table: str, numbers: int, listing: RegisterList, accept_smaller: bool) -> None:
    """Refuse a file that was cut off exactly at the end of a line."""
    replaced = [RegisterList.CTPS] if listing is RegisterList.CTPS else ["tps", "both"]
    last = TpsRegister.objects.filter(current=True, listing__in=replaced).first()
    if last is None or last.numbers < COMPARED_FROM or accept_smaller:
        return
    if numbers < last.numbers * LEAST_OF_LAST:
        raise NotLoaded(
            f"The file has {numbers} numbers, the register in force {last.numbers}. It seems cut "
            "off: download it again, or give --accept-smaller if the register really shrank."
        )


def _swap(table: str, register: TpsRegister) -> None:
    """Rename the new table into place and make its register the current one, in one transaction.

    A rename waits for readers, and while it waits new readers wait behind it; so it gives up after
    a few milliseconds and tries again.
    """
    for attempt in range(SWAP_TRIES):
        if attempt:
            time.sleep(SWAP_PAUSE)
        try:
            with transaction.atomic(durable=True):
                _rename(table)
                _make_current(register)
            return
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") != "55P03":  # lock_not_available
                raise
    raise NotLoaded("Something keeps reading the old register. Load the file again in a minute.")


def _rename(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        cursor.execute(f"ALTER TABLE IF EXISTS {table} RENAME TO {table}_old")
        cursor.execute(f"ALTER TABLE {table}_new RENAME TO {table}")
        cursor.execute("SET LOCAL lock_timeout = 0")


def _make_current(register: TpsRegister) -> None:
    ends = {
        RegisterList.TPS: [RegisterList.TPS, RegisterList.BOTH],
        RegisterList.CTPS: [RegisterList.CTPS],
        RegisterList.BOTH: list(RegisterList),
    }[RegisterList(register.listing)]
    TpsRegister.objects.filter(current=True, listing__in=ends).update(current=False)
    register.pk = None
    register.save(force_insert=True)


def _drop(*tables: str) -> None:
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"DROP TABLE IF EXISTS {table}")


def _sha256(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
