"""When a delivery is tried again, and when an endpoint is given up. Pure: no clock, no table."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

DELAYS = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18_000, 36_000, 36_000)
)
"""Between the first try and the second, and so on: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h."""
MAX_TRIES = len(DELAYS) + 1
JITTER = 0.1
"""Up to so much is added, so that many deliveries do not come back in the same second."""
LONGEST_WISH = timedelta(hours=24)
FAILING_FOR = timedelta(days=5)
SLOW_DOWN = (429, 503)
GONE = 410


def delay(tries: int, *, dice: float, wish: timedelta | None = None) -> timedelta | None:
    """How long to wait after the `tries`-th try failed; None when that was the last.

    `dice` is a random number from 0 to 1; `wish` what the receiver asked for by Retry-After.
    """
    if not 1 <= tries <= len(DELAYS):
        return None
    usual = DELAYS[tries - 1] * (1 + JITTER * dice)
    return max(usual, min(wish, LONGEST_WISH)) if wish is not None else usual


def retry_after(status: int | None, header: str, now: datetime) -> timedelta | None:
    """What a 429 or 503 asks for: seconds or an HTTP date. None when nothing that can be read."""
    text = header.strip()
    if status not in SLOW_DOWN or not text:
        return None
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), LONGEST_WISH.total_seconds()))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(timedelta(0), moment - now)


def gives_up(failing_since: datetime | None, failures: int, now: datetime) -> bool:
    """Whether an endpoint has done nothing but fail for five days. One event that failed and a
    second one days later are not enough: it takes as many failures as one event's tries.
    """
    if failing_since is None or failures < MAX_TRIES:
        return False
    return now - failing_since >= FAILING_FOR
