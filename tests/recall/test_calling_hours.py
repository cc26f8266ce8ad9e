"""Opening instants, bank holidays of each nation, clock changes, and windows that fail closed."""

import csv
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recall import calling_hours
from recall.calling_hours import CALLS, LONDON, RECALL_MESSAGES, REMINDERS, Window

TABLE = Path(__file__).parent.parent / "data" / "calling_hours.csv"


def cases():
    with TABLE.open(newline="") as file:
        return [pytest.param(row, id=row["case"]) for row in csv.DictReader(file)]


def london(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@pytest.mark.parametrize("row", cases())
def test_calls_keep_to_the_hours_of_the_table(row):
    now = london(row["london"])
    assert calling_hours.is_open(now, CALLS, row["nation"]) is (row["open"] == "yes")
    assert calling_hours.next_open(now, CALLS, row["nation"]) == utc(row["next_open_utc"])


@given(
    now=st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)).map(
        lambda naive: naive.replace(tzinfo=UTC)
    ),
    nation=st.sampled_from(sorted(calling_hours.NATIONS)),
)
def test_the_next_opening_is_open_and_nothing_before_it_is(now, nation):
    opening = calling_hours.next_open(now, CALLS, nation)
    assert opening is not None
    assert opening >= now
    assert calling_hours.is_open(opening, CALLS, nation)
    if opening > now:
        assert not calling_hours.is_open(opening - timedelta(microseconds=1), CALLS, nation)
        assert not calling_hours.is_open(now + (opening - now) / 2, CALLS, nation)


def test_a_practice_may_narrow_the_window():
    mornings = Window(time(10), time(12, 30), frozenset({1, 3}))
    tuesday = london("2026-11-17T10:00:00")
    assert calling_hours.is_open(tuesday, mornings, "ENG")
    assert not calling_hours.is_open(tuesday - timedelta(seconds=1), mornings, "ENG")
    assert calling_hours.next_open(london("2026-11-17T12:30:00"), mornings, "ENG") == utc(
        "2026-11-19T10:00:00Z"
    )


@pytest.mark.parametrize(
    "moment", ["2026-11-18T08:30:00", "2026-11-18T18:30:00", "2026-11-21T12:00:00"]
)
def test_a_practice_cannot_widen_the_window(moment):
    always = Window(time(0), time(23, 59), frozenset(range(7)))
    assert not calling_hours.is_open(london(moment), always, "ENG")
    opening = calling_hours.next_open(london(moment), always, "ENG")
    assert opening is not None
    assert calling_hours.is_open(opening, CALLS, "ENG")


@pytest.mark.parametrize(
    "window",
    [
        Window(time(18), time(9), frozenset(range(5))),
        Window(time(9), time(9), frozenset(range(5))),
        Window(time(9), time(18), frozenset()),
        Window(time(9), time(18), frozenset({0, 7})),
        Window(time(9, tzinfo=UTC), time(18, tzinfo=UTC), frozenset(range(5))),
        Window(time(18, 30), time(20), frozenset(range(5))),
        Window(time(9), time(18), frozenset({5, 6})),
    ],
    ids=["backwards", "empty", "no days", "eighth day", "zoned", "after the limit", "weekend only"],
)
def test_a_window_that_makes_no_sense_is_closed(window):
    noon = london("2026-11-18T12:00:00")
    assert not calling_hours.is_open(noon, window, "ENG")
    assert calling_hours.next_open(noon, window, "ENG") is None


def test_an_unknown_nation_is_closed():
    noon = london("2026-11-18T12:00:00")
    assert not calling_hours.is_open(noon, CALLS, "FRA")
    assert calling_hours.next_open(noon, CALLS, "FRA") is None
    with pytest.raises(ValueError, match="nation"):
        calling_hours.is_bank_holiday(date(2026, 11, 18), "FRA")


def test_closures_of_the_practice_are_closed():
    closures = {date(2026, 11, 18), date(2026, 11, 19)}
    noon = london("2026-11-18T12:00:00")
    assert not calling_hours.is_open(noon, CALLS, "ENG", closures)
    assert calling_hours.next_open(noon, CALLS, "ENG", closures) == utc("2026-11-20T09:00:00Z")


def test_bank_holidays_can_be_switched_off_by_the_practice():
    boxing_day_substitute = london("2026-12-28T10:00:00")
    assert not calling_hours.is_open(boxing_day_substitute, CALLS, "ENG")
    assert calling_hours.is_open(boxing_day_substitute, CALLS, "ENG", bank_holidays=False)


def test_recall_messages_keep_out_of_the_night_sundays_and_bank_holidays():
    def opening(text: str):
        return calling_hours.next_open(london(text), RECALL_MESSAGES, "ENG", limit=RECALL_MESSAGES)

    assert opening("2026-11-21T19:59:59") == utc("2026-11-21T19:59:59Z")
    assert opening("2026-11-21T20:00:00") == utc("2026-11-23T08:00:00Z")
    assert opening("2026-12-25T12:00:00") == utc("2026-12-29T08:00:00Z")


def test_reminders_may_go_on_a_sunday_but_not_at_night():
    def opening(text: str):
        return calling_hours.next_open(
            london(text), REMINDERS, "ENG", limit=REMINDERS, bank_holidays=False
        )

    assert opening("2026-11-22T12:00:00") == utc("2026-11-22T12:00:00Z")
    assert opening("2026-11-22T20:00:00") == utc("2026-11-23T08:00:00Z")
