"""Free slots of a diary across closures, notice, busy times and clock changes; and the three read
on the phone.
"""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recall.booking import slots
from recall.booking.slots import LONDON, DiaryRules, Opening, Preference, Slot, Span

WEEK = tuple(Opening(day, time(9), time(12)) for day in range(5))
HOURLY = DiaryRules(openings=WEEK, slot_minutes=60, horizon_days=7)
MONDAY = datetime(2026, 11, 23, 7, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


def local(found) -> list[str]:
    return [slot.local.strftime("%a %H:%M") for slot in found]


def test_slots_fill_the_openings_of_the_week():
    assert local(slots.free_slots(HOURLY, now=MONDAY, limit=4)) == [
        "Mon 09:00",
        "Mon 10:00",
        "Mon 11:00",
        "Tue 09:00",
    ]


def test_the_horizon_counts_days_from_today_and_includes_the_last():
    rules = DiaryRules(openings=WEEK, slot_minutes=180, horizon_days=2)
    assert local(slots.free_slots(rules, now=MONDAY)) == ["Mon 09:00", "Tue 09:00", "Wed 09:00"]


def test_closed_days_offer_nothing():
    found = slots.free_slots(HOURLY, now=MONDAY, closures={date(2026, 11, 23)}, limit=1)
    assert local(found) == ["Tue 09:00"]


def test_minimum_notice_is_kept_to_the_second():
    rules = DiaryRules(openings=WEEK, slot_minutes=60, minimum_notice=timedelta(hours=2))
    assert local(slots.free_slots(rules, now=at("2026-11-23T08:00:00"), limit=1)) == ["Mon 10:00"]
    assert local(slots.free_slots(rules, now=at("2026-11-23T08:00:01"), limit=1)) == ["Mon 11:00"]


def test_a_slot_that_has_begun_is_not_offered():
    assert local(slots.free_slots(HOURLY, now=at("2026-11-23T10:30:00"), limit=1)) == ["Mon 11:00"]


@pytest.mark.parametrize(
    ("busy", "free"),
    [
        (("10:00", "11:00"), ["09:00", "11:00"]),
        (("09:59", "10:01"), ["11:00"]),
        (("08:00", "09:00"), ["09:00", "10:00", "11:00"]),
        (("10:59", "23:00"), ["09:00"]),
    ],
    ids=["same time", "over an edge", "touching", "rest of the day"],
)
def test_busy_times_take_their_slots_and_no_others(busy, free):
    span = Span(at(f"2026-11-23T{busy[0]}:00"), at(f"2026-11-23T{busy[1]}:00"))
    rules = DiaryRules(openings=WEEK, slot_minutes=60, horizon_days=0)
    found = slots.free_slots(rules, now=MONDAY, busy=[span])
    assert [slot.local.strftime("%H:%M") for slot in found] == free


def test_unsorted_overlapping_busy_times_are_one_block():
    day = "2026-11-23T"
    busy = [
        Span(at(day + "10:30:00"), at(day + "11:00:00")),
        Span(at(day + "09:00:00"), at(day + "11:30:00")),
        Span(at(day + "09:15:00"), at(day + "09:30:00")),
    ]
    rules = DiaryRules(openings=WEEK, slot_minutes=30, horizon_days=0)
    assert local(slots.free_slots(rules, now=MONDAY, busy=busy)) == ["Mon 11:30"]


def test_buffers_part_slots_from_each_other_and_from_busy_times():
    rules = DiaryRules(
        openings=WEEK,
        slot_minutes=30,
        buffer_before_minutes=5,
        buffer_after_minutes=10,
        horizon_days=0,
    )
    assert local(slots.free_slots(rules, now=MONDAY)) == [
        "Mon 09:00",
        "Mon 09:45",
        "Mon 10:30",
        "Mon 11:15",
    ]
    busy = [Span(at("2026-11-23T10:20:00"), at("2026-11-23T10:26:00"))]
    assert local(slots.free_slots(rules, now=MONDAY, busy=busy)) == [
        "Mon 09:00",
        "Mon 11:15",
    ]


@pytest.mark.parametrize(
    ("sunday", "before", "after"),
    [
        ("2027-03-28", "2027-03-26T09:00:00+00:00", "2027-03-29T08:00:00+00:00"),
        ("2027-10-31", "2027-10-29T08:00:00+00:00", "2027-11-01T09:00:00+00:00"),
    ],
)
def test_slots_keep_their_wall_time_over_a_clock_change(sunday, before, after):
    thursday = datetime.fromisoformat(sunday).replace(tzinfo=UTC) - timedelta(days=3)
    rules = DiaryRules(openings=WEEK, slot_minutes=180, horizon_days=7)
    starts = [slot.start.isoformat() for slot in slots.free_slots(rules, now=thursday)]
    assert before in starts
    assert after in starts


@pytest.mark.parametrize(
    ("day", "hours"), [("2027-03-28", 4), ("2027-10-31", 6), ("2027-11-07", 5)]
)
def test_an_opening_across_the_clock_change_counts_real_hours(day, hours):
    night = DiaryRules(openings=(Opening(6, time(0), time(5)),), slot_minutes=60, horizon_days=1)
    noon_before = datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC) - timedelta(days=1)
    found = slots.free_slots(night, now=noon_before)
    assert len(found) == hours
    assert len({slot.start for slot in found}) == hours


@pytest.mark.parametrize(
    "rules",
    [
        DiaryRules(openings=WEEK, slot_minutes=0),
        DiaryRules(openings=WEEK, slot_minutes=30, buffer_after_minutes=-60),
        DiaryRules(openings=(), slot_minutes=30),
        DiaryRules(openings=(Opening(0, time(12), time(9)),), slot_minutes=30),
    ],
    ids=["no length", "negative buffer", "no openings", "backwards opening"],
)
def test_a_diary_that_makes_no_sense_has_no_slots(rules):
    assert slots.free_slots(rules, now=MONDAY) == []


def test_overlapping_openings_do_not_offer_one_time_twice():
    twice = DiaryRules(
        openings=(Opening(0, time(9), time(11)), Opening(0, time(10), time(12))),
        slot_minutes=60,
        horizon_days=0,
    )
    assert local(slots.free_slots(twice, now=MONDAY)) == ["Mon 09:00", "Mon 10:00", "Mon 11:00"]


minutes = st.integers(0, 7 * 24 * 60)


@given(
    busy=st.lists(st.tuples(minutes, st.integers(1, 600)), max_size=8), length=st.integers(10, 90)
)
def test_free_slots_never_meet_a_busy_time_or_each_other(busy, length):
    spans = [
        Span(MONDAY + timedelta(minutes=start), MONDAY + timedelta(minutes=start + long))
        for start, long in busy
    ]
    rules = DiaryRules(openings=WEEK, slot_minutes=length, buffer_after_minutes=5, horizon_days=7)
    found = slots.free_slots(rules, now=MONDAY, busy=spans)
    margin = timedelta(minutes=5)
    for slot in found:
        assert not any(span.start < slot.end + margin and slot.start < span.end for span in spans)
    for one, two in pairwise(found):
        assert one.end + margin <= two.start


def offered(*texts: str) -> list[Slot]:
    return [
        Slot(at(text).astimezone(UTC), at(text).astimezone(UTC) + timedelta(minutes=30))
        for text in texts
    ]


FORTNIGHT = slots.free_slots(
    DiaryRules(
        openings=tuple(Opening(day, time(9), time(17)) for day in range(5)),
        slot_minutes=30,
        horizon_days=14,
    ),
    now=MONDAY,
)


def test_the_phone_offers_the_first_slot_and_two_real_alternatives():
    first, second, third = slots.pick_three(FORTNIGHT)
    assert first.local.strftime("%a %d %H:%M") == "Mon 23 09:00"
    assert len({slot.local.date() for slot in (first, second, third)}) == 3
    assert {slot.part for slot in (first, second, third)} == {"morning", "afternoon"}


@pytest.mark.parametrize(
    "preference",
    [
        Preference(weekdays=frozenset({1})),
        Preference(part="afternoon"),
        Preference(after=time(15, 30)),
        Preference(weekdays=frozenset({2, 4}), part="morning"),
        Preference(from_day=date(2026, 11, 30)),
        Preference(not_on=frozenset({date(2026, 11, 23), date(2026, 11, 24)})),
    ],
    ids=[
        "Tuesdays",
        "afternoons",
        "after half past three",
        "Wed or Fri morning",
        "next week",
        "other days",
    ],
)
def test_a_wish_that_can_be_met_is_met_three_times(preference):
    picks = slots.pick_three(FORTNIGHT, preference)
    assert len(picks) == 3
    assert all(preference.accepts(slot) for slot in picks)
    assert picks == sorted(picks)


def test_a_wish_that_cannot_be_met_gets_the_nearest_others():
    saturdays = Preference(weekdays=frozenset({5}))
    picks = slots.pick_three(FORTNIGHT, saturdays)
    assert len(picks) == 3
    assert not any(saturdays.accepts(slot) for slot in picks)


def test_fewer_slots_than_three_are_all_offered():
    assert slots.pick_three([]) == []
    two = offered("2026-11-23T09:00:00", "2026-11-23T09:30:00")
    assert slots.pick_three(two) == two


def test_distant_days_are_not_offered_for_the_sake_of_variety():
    near = offered("2026-11-23T09:00:00", "2026-11-23T14:00:00", "2026-11-24T09:00:00")
    far = offered("2026-12-23T14:00:00")
    assert slots.pick_three(near + far) == near
