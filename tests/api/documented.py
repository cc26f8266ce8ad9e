"""Compares an answer with the documented one, key by key, and a sample practice to ask."""

import re
from typing import Any

import pytest

from recall.attempts import carriers
from recall.attempts.carriers import Handed
from recall.models import Attempt
from tests.api import sample

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
CLOCK = re.compile(r"\d\d:\d\d")
ID = re.compile(r"(pat|c|apt|wh|dsr|cmp)_[0-9A-HJKMNP-TV-Z]{26}")


def matches(documented: Any, given: Any, where: str = "answer") -> None:
    """Key by key. A documented null says that the key may be null, not what it is otherwise."""
    if documented is None:
        assert given is None or isinstance(given, (str, int)), where
    elif isinstance(documented, dict):
        assert isinstance(given, dict), where
        assert documented.keys() <= given.keys(), (where, documented.keys() - given.keys())
        for name, value in documented.items():
            matches(value, given[name], f"{where}.{name}")
    elif isinstance(documented, list):
        assert isinstance(given, list), where
        assert given, f"{where}: the example is not empty"
        for index, item in enumerate(given):
            matches(documented[0], item, f"{where}[{index}]")
    else:
        assert type(given) is type(documented), (where, given)
        if isinstance(documented, str):
            _text(documented, given, where)


def _text(documented: str, given: str, where: str) -> None:
    """Ids keep their prefix, and days, times and instants their form."""
    if found := re.match(r"(pat|c|apt|wh|dsr|cmp)_0", documented):
        assert ID.fullmatch(given), (where, given)
        assert given.startswith(found[0][:-1]), (where, given)
        return
    for form in (INSTANT, DAY, CLOCK):
        if form.fullmatch(documented):
            assert form.fullmatch(given), (where, given)


@pytest.fixture
def here(practice, settings, monkeypatch) -> sample.Sample:
    """The sample practice, and a carrier that takes every call."""
    settings.CARRIER_CALL_SPACING_S = 0.0
    taken: list[Attempt] = []

    def take(attempt: Attempt, content: object) -> Handed:
        taken.append(attempt)
        return Handed("sandbox", f"CA{len(taken):032d}", "queued")

    monkeypatch.setattr(carriers, "hand_over", take)
    return sample.make(practice)
