"""Jobs about practices that recur."""

from practices import idempotency, key_check


def forget_api_use() -> None:
    """Old counters of the rate limit, and answers past their 24 hours."""
    key_check.forget_old()
    idempotency.forget_old()
