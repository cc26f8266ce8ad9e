"""Owns writing many patients at once through COPY: new rows straight in, changed ones through a
temporary table. It writes what it is given; who and what is decided elsewhere.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from django.db import connection, models

from patients.models import Patient
from sightsync.lib.crypto import EncryptedTextField

_TABLE = Patient._meta.db_table


def _fields(names: Collection[str] | None = None) -> "list[models.Field[Any, Any]]":
    fields = Patient._meta.concrete_fields
    return [f for f in fields if names is None or f.attname in names or f.name in names]


def _quoted(field: "models.Field[Any, Any]") -> str:
    return connection.ops.quote_name(str(field.column))


def insert(patients: Sequence[Patient]) -> None:
    """Add new patients, in the caller's transaction."""
    if patients:
        _copy(_TABLE, _fields(), patients)
        for patient in patients:
            patient._state.adding = False


def update(patients: Sequence[Patient], changed: Collection[str]) -> None:
    """Write the named fields of existing patients, in the caller's transaction, in one
    statement.
    """
    if not patients:
        return
    written = _fields(changed)
    columns = [_quoted(field) for field in written]
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE changed_patient ON COMMIT DROP AS "  # noqa: S608 - our columns
            f"SELECT id, {', '.join(columns)} FROM {_TABLE} WITH NO DATA"
        )
        _copy("changed_patient", [_fields(["id"])[0], *written], patients)
        assignments = ", ".join(f"{column} = changed_patient.{column}" for column in columns)
        cursor.execute(
            f"UPDATE {_TABLE} SET {assignments} FROM changed_patient "  # noqa: S608 - our columns
            f"WHERE {_TABLE}.id = changed_patient.id"
        )
        cursor.execute("DROP TABLE changed_patient")


def _copy(
    table: str, fields: "Sequence[models.Field[Any, Any]]", patients: Sequence[Patient]
) -> None:
    columns = ", ".join(_quoted(field) for field in fields)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy,
    ):
        prepare = [(field.attname, _preparation(field)) for field in fields]
        for patient in patients:
            values = vars(patient)
            copy.write_row([step(values[name]) if step else values[name] for name, step in prepare])


def _preparation(field: "models.Field[Any, Any]") -> Callable[[Any], Any] | None:
    """How a field's value is made ready, or None where psycopg takes it as it is."""
    if isinstance(field, models.JSONField | EncryptedTextField):
        return lambda value: field.get_db_prep_save(value, connection)
    return None
