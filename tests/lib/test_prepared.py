"""Statements prepared once per connection."""

import pytest
from django.db import ProgrammingError, connection

from sightsync.lib import prepared

pytestmark = pytest.mark.django_db


def test_values_come_back_as_their_text() -> None:
    asked = "SELECT %s::text, %s::int, %s::date, NULL, '100%%'"
    for _ in range(2):
        assert prepared.fetch(asked, ["a'b", 7, "2026-11-21"]) == [
            (b"a'b", b"7", b"2026-11-21", None, b"100%")
        ]


def test_only_so_many_are_kept() -> None:
    for number in range(prepared._MOST + 5):
        prepared.fetch(f"SELECT {number}", [])
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'sightsync%%'")
        assert cursor.fetchone() == (prepared._MOST,)
    assert prepared.fetch("SELECT 0", []) == [(b"0",)]


def test_a_wrong_statement_is_an_error_of_the_database() -> None:
    with pytest.raises(ProgrammingError):
        prepared.fetch("SELECT nothing_of_that_name", [])


def test_text_with_a_nul_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        prepared.fetch("SELECT %s::text", ["a\0b"])
