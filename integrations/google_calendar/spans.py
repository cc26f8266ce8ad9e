"""Busy times without our own appointments in them. Pure.

Google's answer on free and busy times is merged and has no ids, and our own events are in it. They
are in our diaries already, and must not block other diaries or their own move to a near time.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

Span = tuple[datetime, datetime]


def merged(spans: Iterable[Span]) -> list[Span]:
    """In order, those that touch made one; empty ones are left out."""
    found: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def without(spans: Iterable[Span], holes: Iterable[Span]) -> list[Span]:
    """What is left of the spans outside the holes."""
    left = merged(spans)
    for opens, closes in merged(holes):
        cut: list[Span] = []
        for start, end in left:
            cut += [(start, min(end, opens)), (max(start, closes), end)]
        left = [(start, end) for start, end in cut if start < end]
    return left


def foreign(*, busy: Sequence[Span], own: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """`busy` without our `own` events, save where one of the `others` lies under them."""
    under = [
        (max(start, opens), min(end, closes))
        for start, end in others
        for opens, closes in own
        if start < closes and end > opens
    ]
    return merged([*without(busy, own), *under])
