"""Whether a time somebody asks to be rung at meets the hours we may ring in. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from recall.voice.conversation import LONDON, CallFacts, Window

_LONGEST = 62


def within(window: Window, facts: CallFacts) -> Window | None:
    """The window from its first minute in the practice's calling hours; None if it has none.

    Bank holidays are left to eligibility, which judges every call again when it is dialled.
    """
    start = window.start.astimezone(LONDON)
    until = window.until.astimezone(LONDON)
    day = start.date()
    for _ in range(_LONGEST):
        if day > until.date():
            return None
        opens = datetime.combine(day, facts.calls_from, LONDON)
        closes = datetime.combine(day, facts.calls_until, LONDON)
        if day.weekday() < 5 and max(start, opens) < min(until, closes):
            return Window(max(start, opens), until)
        day += timedelta(days=1)
    return None
