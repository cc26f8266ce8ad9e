"""Busy times without our own: nothing of others is lost, nothing of ours is left."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from integrations.google_calendar.spans import Span, foreign, merged, without

DAY = datetime(2026, 11, 24, tzinfo=UTC)
MINUTES = 60


def _span(start: int, length: int) -> Span:
    return DAY + timedelta(minutes=start), DAY + timedelta(minutes=start + length)


some_spans = st.lists(
    st.builds(_span, st.integers(0, MINUTES), st.integers(1, MINUTES // 2)), max_size=8
)


def _minutes(spans: list[Span]) -> set[int]:
    """Every minute that is in one of the spans."""
    return {
        minute
        for minute in range(3 * MINUTES)
        if any(start <= DAY + timedelta(minutes=minute) < end for start, end in spans)
    }


@given(own=some_spans, others=some_spans)
def test_what_is_left_is_what_others_keep_busy(own: list[Span], others: list[Span]) -> None:
    """Google's answer is ours and the others' in one; the others' must come out of it whole."""
    busy = merged([*own, *others])
    assert _minutes(foreign(busy=busy, own=own, others=others)) == _minutes(others)


@given(spans=some_spans, holes=some_spans)
def test_holes_are_cut_out_and_nothing_else(spans: list[Span], holes: list[Span]) -> None:
    left = without(spans, holes)
    assert _minutes(left) == _minutes(spans) - _minutes(holes)
    assert left == sorted(left)


def test_times_that_only_google_knows_stay_busy() -> None:
    """An absence that is no event, say: in the answer on busy times, and in no list."""
    assert foreign(busy=[_span(0, 30)], own=[], others=[]) == [_span(0, 30)]
