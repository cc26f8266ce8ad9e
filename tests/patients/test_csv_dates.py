"""Exported dates: every common spelling, day first always, and columns that are the other way
round.
"""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from patients.csv_import import dates
from patients.csv_import.dates import Order

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


def weigh(*cells: str) -> dates.Weight:
    evidence = dates.Evidence()
    for cell in cells:
        evidence.add(cell)
    return evidence.weigh()


def test_a_column_is_judged_as_a_whole_and_never_taken_for_month_first() -> None:
    assert weigh("12/25/2020", "01/31/2021", "03/04/2020", "25/12/2020").presumed == Order.UNSAID
    assert weigh("25/12/2020", "12/25/2020", "03/04/2020").presumed == Order.UNSAID
    assert weigh("03/04/2020", "", "n/a", "2020-12-25").presumed == Order.DAY_FIRST
    certain = weigh("25/12/2020", "26/12/2020", "12/25/2020", "03/04/2020")
    assert certain.presumed == Order.DAY_FIRST


@pytest.mark.parametrize(
    ("cells", "asked"),
    [
        (["03/04/2020", "05/06/2020"], True),
        (["12/25/2020"], True),
        (["03/04/2020", "25/12/2020"], False),
        (["2020-04-03", "4 March 2020", "04/04/2020"], False),
        ([], False),
    ],
)
def test_a_person_is_asked_where_the_column_does_not_say(cells: list[str], asked: bool) -> None:
    assert weigh(*cells).in_question is asked


def test_two_digit_years_are_counted() -> None:
    weight = weigh("23/04/65", "23/04/1965")
    assert (weight.two_digit_years, weight.sample) == (1, "23/04/65")


def read(text: str, order: Order) -> date | None:
    return dates.parse(text, dates.Meaning.PAST, today=TODAY, order=order)


def test_where_nobody_has_said_the_order_nothing_is_guessed() -> None:
    assert read("2020-12-25", Order.UNSAID) == date(2020, 12, 25)
    assert read("4/4/2020", Order.UNSAID) == date(2020, 4, 4)
    assert read("25/12/2020", Order.UNSAID) == date(2020, 12, 25)
    for text in ("03/04/2020", "12/25/2020"):
        with pytest.raises(dates.BadDate, match="month first"):
            read(text, Order.UNSAID)


def test_a_column_that_a_person_has_called_month_first_is_read_so() -> None:
    assert read("03/04/2020", Order.MONTH_FIRST) == date(2020, 3, 4)
    assert read("12/25/2020 10:30", Order.MONTH_FIRST) == date(2020, 12, 25)
    assert read("2020-12-25", Order.MONTH_FIRST) == date(2020, 12, 25)
    with pytest.raises(dates.BadDate, match="day first"):
        read("25/12/2020", Order.MONTH_FIRST)
