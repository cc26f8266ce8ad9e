"""Owns reading and writing many patients at once: what is stored of those whom a chunk may be
about, as rows, and COPY for what has become of them. Who and what is decided elsewhere.

A `Record` has the attributes of a Patient by which `assigning` goes, at a fiftieth of the cost of
one. Encrypted fields stay as the table holds them until somebody has to look.
"""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import Enum
from operator import itemgetter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from django.db import connection
from psycopg.types.datetime import TimestamptzLoader

from patients import matching
from patients.models import ImportRun, Patient
from practices.models import Practice
from sightsync.lib import copying, crypto

COLUMNS = tuple(str(field.column) for field in Patient._meta.concrete_fields)
_PLACE = {column: place for place, column in enumerate(COLUMNS)}
ENCRYPTED = ("nhs_number", "clinical_notes")
_HASHES = {"phone_hash", "email_hash", "nhs_number_hash"}
"""They follow from what they are of."""

# Lists of thousands are bound fastest as one text. No id, number or address has a line break.
_CANDIDATES = f"""
SELECT {", ".join(COLUMNS)} FROM patients_patient
WHERE practice_id = %(practice)s AND erased_at IS NULL AND (
    (external_id <> '' AND external_id = ANY(string_to_array(%(ids)s, E'\\n')))
    OR phone_number = ANY(string_to_array(%(numbers)s, E'\\n'))
    OR email = ANY(string_to_array(%(addresses)s, E'\\n'))
)
ORDER BY id
"""  # noqa: S608 - our own columns


class Record:
    """A patient's row: its columns are its attributes."""

    if TYPE_CHECKING:
        id: UUID
        phone_number: str
        email: str
        nhs_number_hash: bytes | None
        opted_out_at: datetime | None
        opted_out_source: str
        opted_out_channels: list[str]
        deceased_at: datetime | None
        updated_at: datetime

    def __init__(self, columns: dict[str, Any]) -> None:
        self.__dict__ = columns


class Known(Record):
    """One that was there before; `row` is how it was stored."""

    _state = SimpleNamespace(adding=False)
    row: tuple[Any, ...]

    def stored(self, column: str) -> Any:
        return self.row[_PLACE[column]]

    @property
    def person(self) -> matching.Person:
        """By what it is told apart from others: as it was stored."""
        return matching.Person(**{name: self.row[_PLACE[name]] for name in _TELLING})


class New(Record):
    """One that the chunk makes, of the values `given`. It is complete when what follows from them
    has been worked out.
    """

    _state = SimpleNamespace(adding=True)
    given: Mapping[str, Any]
    is_complete = False

    @property
    def person(self) -> matching.Person:
        return matching.Person(
            **{name: self.given[name] for name in _TELLING if name in self.given}
        )


_TELLING = (
    "first_name",
    "last_name",
    "external_id",
    "phone_number",
    "email",
    "date_of_birth",
)


def blank(practice: Practice, source: str, now: datetime) -> dict[str, Any]:
    """The columns of a new patient of whom nothing is known yet."""
    patient = Patient(practice=practice, source=source, created_at=now, updated_at=now)
    columns = {column: getattr(patient, column) for column in COLUMNS}
    return {name: v.value if isinstance(v, Enum) else v for name, v in columns.items()}


def candidates(
    practice_id: UUID, people: Sequence[Mapping[str, Any]], *, lock: bool
) -> list[Known]:
    """Every record of the practice with one of the people's ids, numbers or, for those who have
    none, addresses: beside a number an address decides nothing.
    """
    ids = {key for values in people if (key := values.get("external_id"))}
    numbers = {number for values in people if (number := values.get("phone_number"))}
    addresses = {
        address
        for values in people
        if not values.get("phone_number") and (address := values.get("email"))
    }
    with connection.cursor() as cursor:
        cursor.adapters.register_loader("timestamptz", TimestamptzLoader)  # Django's is slow
        cursor.execute(
            _CANDIDATES + ("FOR NO KEY UPDATE" if lock else ""),
            {
                "practice": practice_id,
                "ids": "\n".join(ids),
                "numbers": "\n".join(numbers),
                "addresses": "\n".join(addresses),
            },
        )
        rows = cursor.fetchall()
    found = []
    for row in rows:
        known = Known(dict(zip(COLUMNS, row, strict=True)))
        known.row = row
        found.append(known)
    return found


@contextmanager
def undisturbed() -> Iterator[None]:
    """Without the collector of cycles, which would look for them among the ten thousands of rows in
    hand again and again, and took a fifth of the time of an import. Rows have none.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


# --- writing ------------------------------------------------------------------------------------


def insert(records: Sequence[New], complete: Callable[[New], None]) -> None:
    """Add new patients, in the caller's transaction. Each is made complete as its turn comes, while
    the server stores those before it.
    """
    copying.into("patients_patient", COLUMNS, _rows(records, complete))


def _rows(records: Sequence[New], complete: Callable[[New], None]) -> Iterator[tuple[Any, ...]]:
    pick = itemgetter(*COLUMNS)
    for start in range(0, len(records), copying.BLOCK):
        block = records[start : start + copying.BLOCK]
        for record in block:
            complete(record)
        _encrypt(block)
        yield from map(pick, map(vars, block))


def update(changes: Mapping[UUID, tuple[Known, set[str]]], run: ImportRun | None) -> None:
    """Write what has changed of existing patients, in the caller's transaction, and for ``run`` the
    images from before and after.
    """
    if not changes:
        return
    _encrypt_changed(changes.values())
    written = sorted({"updated_at"}.union(*(changed for _, changed in changes.values())))
    pick = itemgetter("id", *written)
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE changed_patient ON COMMIT DROP AS "  # noqa: S608 - ours
            f"SELECT id, {', '.join(written)}, NULL::jsonb AS before, NULL::jsonb AS after "
            "FROM patients_patient WITH NO DATA"
        )
        copying.into(
            "changed_patient",
            ("id", *written, "before", "after"),
            (
                (*pick(vars(known)), *(_images(known, changed) if run else (None, None)))
                for known, changed in changes.values()
            ),
        )
        # By their keys: the planner, who knows nothing of the new table, would rather read all
        # patients.
        cursor.execute("SET LOCAL enable_hashjoin TO off; SET LOCAL enable_mergejoin TO off")
        assignments = ", ".join(f"{column} = changed_patient.{column}" for column in written)
        cursor.execute(
            f"UPDATE patients_patient SET {assignments} FROM changed_patient "  # noqa: S608 - ours
            "WHERE patients_patient.id = changed_patient.id"
        )
        if run is not None:
            cursor.execute(_KEEP_IMAGES, [run.practice_id, run.pk])
        cursor.execute("DROP TABLE changed_patient")


def _encrypt_changed(changes: Iterable[tuple[Known, set[str]]]) -> None:
    for name in ENCRYPTED:
        clear = [known for known, changed in changes if name in changed and vars(known)[name]]
        tokens = crypto.encrypt_short([vars(known)[name] for known in clear])
        for known, token in zip(clear, tokens, strict=True):
            setattr(known, name, token)


# A patient changed by an earlier chunk of the same import keeps the older image from before.
_KEEP_IMAGES = """
INSERT INTO patients_importchange AS c (practice_id, run_id, patient_id, before, after)
SELECT %s, %s, id, before, after FROM changed_patient
ON CONFLICT (run_id, patient_id) DO UPDATE SET
    before = EXCLUDED.before || COALESCE(c.before, '{}'), after = c.after || EXCLUDED.after
"""


def _encrypt(records: Iterable[Record]) -> None:
    """Encrypt NHS numbers and notes that stand in clear."""
    for name in ENCRYPTED:
        clear = [record for record in records if vars(record)[name]]
        tokens = crypto.encrypt_short([vars(record)[name] for record in clear])
        for record, token in zip(clear, tokens, strict=True):
            setattr(record, name, token)


def _images(known: Known, changed: set[str]) -> tuple[str, str]:
    columns, names = vars(known), changed - _HASHES
    return (
        orjson.dumps({name: known.stored(name) for name in names}).decode(),
        orjson.dumps({name: columns[name] for name in names}).decode(),
    )
