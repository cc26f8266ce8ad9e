"""When it is tried again, and when an endpoint is given up."""

from datetime import UTC, datetime, timedelta

import pytest

from integrations.webhooks import retries

NOW = datetime(2026, 11, 18, 10, 4, tzinfo=UTC)
SCHEDULE_S = [5, 300, 1800, 7200, 18_000, 36_000, 36_000]


@pytest.mark.parametrize(("tries", "seconds"), list(enumerate(SCHEDULE_S, start=1)))
def test_the_waits_are_the_contracts_with_a_little_more(tries: int, seconds: int) -> None:
    assert retries.delay(tries, dice=0) == timedelta(seconds=seconds)
    longest = retries.delay(tries, dice=1)
    assert longest is not None
    assert timedelta(seconds=seconds) < longest <= timedelta(seconds=seconds * 1.1001)


def test_after_eight_tries_there_is_no_other() -> None:
    assert retries.delay(8, dice=0) is None
    assert retries.delay(9, dice=0, wish=timedelta(seconds=1)) is None


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [
        (429, "120", 120),
        (503, "120", 120),
        (503, " 0 ", 0),
        (429, "Wed, 18 Nov 2026 10:06:00 GMT", 120),
        (429, "Wed, 18 Nov 2026 10:00:00 GMT", 0),
        (503, "999999999999999", 86_400),
        (500, "120", None),
        (None, "120", None),
        (429, "", None),
        (429, "soon", None),
        (429, "-5", None),
        (429, "１２", None),
    ],
)
def test_retry_after_is_read_from_a_429_or_503(
    status: int | None, header: str, seconds: int | None
) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert retries.retry_after(status, header, NOW) == expected


def test_a_wish_makes_the_wait_longer_but_never_shorter_or_over_a_day() -> None:
    assert retries.delay(1, dice=0, wish=timedelta(minutes=2)) == timedelta(minutes=2)
    assert retries.delay(3, dice=0, wish=timedelta(minutes=2)) == timedelta(minutes=30)
    assert retries.delay(1, dice=0, wish=timedelta(days=30)) == timedelta(hours=24)


@pytest.mark.parametrize(
    ("days", "failures", "gives_up"),
    [(5, 8, True), (6, 100, True), (4.99, 100, False), (5, 7, False), (9, 1, False)],
)
def test_five_days_of_only_failures_end_it(days: float, failures: int, gives_up: bool) -> None:
    assert retries.gives_up(NOW - timedelta(days=days), failures, NOW) is gives_up


def test_one_that_works_is_never_given_up() -> None:
    assert not retries.gives_up(None, 0, NOW)
