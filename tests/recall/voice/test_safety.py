"""What must never be missed, and what must not be mistaken for it: one line is one case."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from recall.voice import safety
from recall.voice.conversation import Flag
from recall.voice.words import plain

TABLE = Path(__file__).parents[2] / "data" / "voice" / "safety.csv"


def cases() -> list[tuple[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return [(row["expects"], row["says"]) for row in csv.DictReader(lines, delimiter="|")]


@pytest.mark.parametrize(("expects", "says"), cases(), ids=lambda v: str(v))
def test_safety_hears(expects: str, says: str) -> None:
    flag = Flag(expects.removeprefix("not "))
    assert (flag in safety.flags(plain(says))) is not expects.startswith("not ")


CLAUSES = [
    ("no pain, but my eye is red", True),
    ("no pain, no floaters, nothing", False),
    ("I'm not in pain and I see flashes", True),
    ("I don't have flashes or floaters or pain", False),
    ("not that I know, well, a bit of pain maybe", True),
    ("no. my eye hurts", True),
]


@pytest.mark.parametrize(("says", "symptom"), CLAUSES)
def test_a_denial_covers_only_what_it_denies(says: str, symptom: bool) -> None:
    assert safety.is_symptom(plain(says)) is symptom


def test_two_wishes_in_one_breath_are_both_heard() -> None:
    said = plain("My eye is killing me, and stop calling me, and don't record this")
    assert safety.flags(said) == {Flag.SYMPTOMS, Flag.OPT_OUT, Flag.NO_RECORDING}
