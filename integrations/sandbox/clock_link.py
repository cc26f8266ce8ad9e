"""Tells the sandbox servers what time the product pretends it is. Best effort, never in the way."""

from datetime import UTC, datetime

import httpx
from django.conf import settings

PATIENCE_S = 1.0


def tell(*, now: datetime, rate: float) -> bool:
    """True when the sandbox servers were there and took it. `rate`: pretend seconds per real."""
    moment = {"now": now.astimezone(UTC).isoformat(), "rate": rate}
    try:
        answer = httpx.post(
            f"{settings.SANDBOX_URL}/clock", json=moment, timeout=PATIENCE_S, trust_env=False
        )
    except httpx.HTTPError:
        return False
    return answer.is_success
