"""Days and times as people say them, on the Monday of the table and around the clock changes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from recall.voice import when
from recall.voice.calling_window import within
from recall.voice.conversation import LONDON, Wish
from recall.voice.words import bare, plain
from tests.recall.voice.test_dialogue import FACTS

MONDAY = datetime(2026, 11, 23, 10, 4, tzinfo=UTC)

# What is said, and from when until when that is ("-" is not said).
WINDOWS = [
    ("tomorrow afternoon", "Tue 24 Nov 12:00", "Tue 24 Nov 17:59"),
    ("after four", "Mon 23 Nov 16:00", "Mon 23 Nov 23:59"),
    ("next week", "Mon 30 Nov 00:00", "Sun 06 Dec 23:59"),
    ("Friday at half past two", "Fri 27 Nov 14:30", "Fri 27 Nov 15:30"),
    ("before ten", "Tue 24 Nov 00:00", "Tue 24 Nov 10:00"),
    ("in an hour", "Mon 23 Nov 11:04", "Mon 23 Nov 13:04"),
    ("in a fortnight", "Mon 07 Dec 00:00", "Sun 13 Dec 23:59"),
    ("the 1st of December", "Tue 01 Dec 00:00", "Tue 01 Dec 23:59"),
    ("between two and four tomorrow", "Tue 24 Nov 14:00", "Tue 24 Nov 16:00"),
    ("quarter to three", "Mon 23 Nov 14:45", "Mon 23 Nov 15:45"),
    ("10 a.m. on Thursday", "Thu 26 Nov 10:00", "Thu 26 Nov 11:00"),
    ("not Monday", "Tue 24 Nov 00:00", "Tue 24 Nov 23:59"),
    ("next Tuesday", "Tue 01 Dec 00:00", "Tue 01 Dec 23:59"),
    ("the 31st", "Thu 31 Dec 00:00", "Thu 31 Dec 23:59"),
    ("the second one", "-", "-"),
    ("I don't know", "-", "-"),
]


@pytest.mark.parametrize(("says", "start", "until"), WINDOWS)
def test_it_means_from_until(says: str, start: str, until: str) -> None:
    window = when.window(when.parse(bare(plain(says)), MONDAY), MONDAY)
    if start == "-":
        assert window is None
        return
    assert window
    shown = [moment.astimezone(LONDON).strftime("%a %d %b %H:%M") for moment in
             (window.start, window.until)]  # fmt: skip
    assert shown == [start, until]


def test_a_time_that_is_past_today_means_the_next_working_day() -> None:
    friday_evening = datetime(2026, 11, 27, 17, 30, tzinfo=UTC)
    window = when.window(when.parse("at nine", friday_evening), friday_evening)
    assert window
    assert window.start == datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "start"),
    [
        (datetime(2027, 3, 26, 12, tzinfo=UTC), datetime(2027, 3, 29, 8, tzinfo=UTC)),
        (datetime(2026, 10, 23, 12, tzinfo=UTC), datetime(2026, 10, 26, 9, tzinfo=UTC)),
    ],
)
def test_nine_is_nine_on_the_wall_on_both_sides_of_a_clock_change(
    now: datetime, start: datetime
) -> None:
    window = when.window(when.parse("monday at nine", now), now)
    assert window
    assert window.start == start


def test_a_wish_is_judged_on_londons_clock() -> None:
    morning = when.parse("in the morning", MONDAY).wish
    assert morning.allows(datetime(2027, 3, 29, 10, 30, tzinfo=UTC))
    assert not morning.allows(datetime(2027, 3, 29, 11, 0, tzinfo=UTC))
    assert Wish().allows(MONDAY)


def test_a_window_is_cut_to_the_hours_we_may_ring_in() -> None:
    said = when.window(when.parse("next week", MONDAY), MONDAY)
    assert said
    cut = within(said, FACTS)
    assert cut
    assert cut.start.astimezone(LONDON) == datetime(2026, 11, 30, 9, tzinfo=LONDON)
    weekend = when.window(when.parse("saturday", MONDAY), MONDAY)
    assert weekend
    assert within(weekend, FACTS) is None
