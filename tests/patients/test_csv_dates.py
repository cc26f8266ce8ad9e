"""Exported dates: every common spelling, day first always, and columns that are the other way
round.
"""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from patients.csv_import import dates

CASES: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "data" / "csv_dates.json").read_text()
)
TODAY = date(2026, 11, 18)


@pytest.mark.parametrize(("text", "meaning", "iso"), CASES["read"])
def test_a_date_is_read(text: str, meaning: str, iso: str | None) -> None:
    found = dates.parse(text, dates.Meaning(meaning), today=TODAY)
    assert found == (date.fromisoformat(iso) if iso else None)


@pytest.mark.parametrize("text", CASES["refused"])
def test_what_is_no_date_is_refused_with_advice(text: str) -> None:
    with pytest.raises(dates.BadDate, match=r"\.$"):
        dates.parse(text, dates.Meaning.PAST, today=TODAY)


def test_a_column_with_more_month_first_dates_is_month_first() -> None:
    assert dates.is_month_first(["12/25/2020", "01/31/2021", "03/04/2020", "25/12/2020"])
    assert not dates.is_month_first(["25/12/2020", "12/25/2020", "03/04/2020"])
    assert not dates.is_month_first(["03/04/2020", "", "n/a", "2020-12-25"])


def test_in_a_month_first_column_nothing_is_guessed() -> None:
    def read(text: str) -> date | None:
        return dates.parse(text, dates.Meaning.PAST, today=TODAY, month_first_column=True)

    assert read("2020-12-25") == date(2020, 12, 25)
    assert read("4/4/2020") == date(2020, 4, 4)
    assert read("25/12/2020") == date(2020, 12, 25)
    for text in ("03/04/2020", "12/25/2020"):
        with pytest.raises(dates.BadDate, match="month first"):
            read(text)
