"""The words of the pages' tags: dates, ages, numbers, as people in the UK say them."""

from datetime import UTC, date, datetime, time

import pytest

from practices.templatetags import ui


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (utc(2026, 11, 24, 14, 30), "Tuesday 24 November at 2:30pm"),
        (utc(2026, 7, 1, 8, 0), "Wednesday 1 July at 9:00am"),
        (utc(2027, 1, 4, 0, 5), "Monday 4 January 2027 at 12:05am"),
        (utc(2026, 12, 1, 12, 0), "Tuesday 1 December at 12:00pm"),
    ],
)
def test_a_moment_is_said_on_a_london_clock(value: datetime, words: str) -> None:
    assert ui.day_time(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (utc(2026, 11, 18, 9, 2), "today at 9:02am"),
        (utc(2026, 11, 19, 16, 0), "tomorrow at 4:00pm"),
        (utc(2026, 11, 17, 23, 59), "yesterday at 11:59pm"),
        (utc(2026, 11, 23, 9, 0), "Monday at 9:00am"),
        (utc(2026, 11, 12, 9, 0), "12 Nov at 9:00am"),
        (utc(2025, 11, 12, 9, 0), "12 Nov 2025 at 9:00am"),
    ],
)
def test_a_near_moment_is_said_shortly(value: datetime, words: str) -> None:
    assert ui.near(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (utc(2026, 11, 18, 10, 3, 30), "now"),
        (utc(2026, 11, 18, 9, 41), "23 min"),
        (utc(2026, 11, 18, 4, 4), "6 h"),
        (utc(2026, 11, 15, 10, 4), "3 days"),
    ],
)
def test_an_age_has_one_unit(value: datetime, words: str) -> None:
    assert ui.age(value) == words


@pytest.mark.parametrize(
    ("due", "words"),
    [
        (date(2026, 11, 18), "due today"),
        (date(2026, 11, 17), "1 day overdue"),
        (date(2025, 9, 4), "14 months overdue"),
        (date(2026, 11, 27), "due in 9 days"),
    ],
)
def test_how_overdue(due: date, words: str) -> None:
    assert ui.overdue(due) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [("+447700900110", "07700 900110"), ("+442079460000", "020 7946 0000"), ("", ""), ("x", "x")],
)
def test_a_number_is_written_as_in_the_uk(number: str, words: str) -> None:
    assert ui.national(number) == words


def test_small_words() -> None:
    assert ui.duration(125) == "2 minutes 5 seconds"
    assert ui.count_of(1, "person,people") == "1 person"
    assert ui.count_of(1204, "patient") == "1,204 patients"
    assert ui.wall(time(9)) == "9am"
    assert ui.minutes(30) == "30 minutes"
    assert ui.minutes(24 * 60) == "24 hours"
    assert ui.minutes(72 * 60) == "3 days"
    assert (
        ui.browser_name("Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537")
        == "Chrome on Windows"
    )


def test_a_tone_that_does_not_exist_is_a_bug() -> None:
    with pytest.raises(ValueError, match="purple"):
        ui.pill("Booked", "purple")
