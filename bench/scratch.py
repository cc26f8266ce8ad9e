"""A scratch database for a benchmark: made, filled by `generate_series`, dropped. It refuses to
touch a database whose name does not begin with `bench_`.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sightsync.settings")
django.setup()

from django.db import connection, models  # noqa: E402


@contextmanager
def database(name: str) -> Iterator[None]:
    """A fresh migrated database `bench_<name>` on the same server, while the block runs."""
    usual = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = f"bench_{name}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        check_scratch()
        yield
    finally:
        connection.creation.destroy_test_db(usual, verbosity=0)


def check_scratch() -> None:
    """Raises when connected to anything but a benchmark's own database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        name = cursor.fetchone()[0]
    if not name.startswith("bench_"):
        raise RuntimeError(f"connected to {name}: benchmarks write to bench_ databases only")


def fill(model: type[models.Model], source: str, /, **columns: str) -> int:
    """Insert one row per row of `source` (the text after FROM); how many.

    `columns` are SQL expressions; the rest gets the field's own default or an empty value.
    """
    check_scratch()
    values = {
        field.column: columns.get(field.column) or _empty(field)
        for field in model._meta.concrete_fields
        if not (isinstance(field, models.AutoField) and field.column not in columns)
    }
    names = ", ".join(values)
    expressions = ", ".join(values.values())
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({names}) SELECT {expressions} FROM {source}"
        )
        return cursor.rowcount


_EMPTY: Mapping[str, str] = {
    "UUIDField": "gen_random_uuid()",
    "JSONField": "'{}'::jsonb",
    "ArrayField": "'{}'",
    "DateTimeField": "now()",
    "DateField": "current_date",
    "BooleanField": "false",
}


def _empty(field: "models.Field[object, object]") -> str:
    if field.null:
        return "NULL"
    if field.has_default() and not callable(field.default):
        return _literal(field.default)
    if field.get_internal_type().endswith("IntegerField"):
        return "0"
    return _EMPTY.get(type(field).__name__, "''")


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else f"'{value}'"


def analyze() -> None:
    """Give the planner its statistics, as autovacuum would by itself in time."""
    check_scratch()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
