"""What UK patients say, and what the rules make of it: one line of the table is one case."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from recall.voice.conversation import (
    CallFacts,
    Flag,
    Kind,
    Meaning,
    OfferedSlot,
    Stage,
    State,
    Utterance,
)
from recall.voice.understanding import understand

TABLE = Path(__file__).parents[2] / "data" / "voice" / "understanding.csv"
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SLOTS = (
    OfferedSlot("a", datetime(2026, 11, 24, 14, 30, tzinfo=UTC)),
    OfferedSlot("b", datetime(2026, 11, 25, 9, 0, tzinfo=UTC)),
    OfferedSlot("c", datetime(2026, 11, 26, 11, 15, tzinfo=UTC)),
)
FACTS = CallFacts("Acuity Opticians", "+441134960123", "0 1 1 3", "Anna", "a test", "Ring us.")


def cases() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="|"))


def understood(stage: str, says: str, **facts: object) -> Meaning:
    known = Stage(stage) not in (Stage.IDENTITY, Stage.NUMBER_CHECK)
    state = State(
        stage=Stage(stage),
        identity_asked=1,
        identity_confirmed=known,
        offered=SLOTS if known else (),
        chosen=SLOTS[0] if stage == "read_back" else None,
    )
    return understand(Utterance(speech=says), state=state, facts=replace(FACTS, **facts), now=NOW)


def check_detail(meaning: Meaning, detail: str) -> None:
    name, _, value = detail.partition(":")
    if detail.startswith("+"):
        assert Flag(detail[1:]) in meaning.flags
    elif meaning.kind is Kind.CHOOSE:
        assert meaning.slots == tuple(int(n) for n in detail.split(","))
    elif name == "tz":
        assert meaning.window
        assert meaning.window.start.isoformat().startswith(value)
    elif meaning.kind is Kind.OTHER_TIMES:
        for part in detail.split(";"):
            check_wish(meaning, *part.split(":", 1))
    else:
        assert meaning.reason == detail


def check_wish(meaning: Meaning, name: str, value: str) -> None:
    assert meaning.wish
    if name == "days":
        assert meaning.wish.weekdays == (int(value),)
    elif name == "to":
        assert meaning.wish.to_date == date.fromisoformat(value)
    elif name == "until":
        assert meaning.wish.latest == time.fromisoformat(value)
    elif ":" in value:
        assert meaning.wish.earliest == time.fromisoformat(value)
    else:
        assert meaning.wish.from_date == date.fromisoformat(value)


@pytest.mark.parametrize("case", cases(), ids=lambda c: f"{c['stage']}: {c['says']}")
def test_it_means(case: dict[str, str]) -> None:
    meaning = understood(case["stage"], case["says"])
    assert meaning.kind == case["means"]
    if case["detail"]:
        check_detail(meaning, case["detail"])


def test_the_table_is_long_enough_to_mean_something() -> None:
    assert len(cases()) >= 250


GUARDIAN = [
    ("Yes", Kind.YES),
    ("Yes I'm his mum", Kind.YES),
    ("I'm his dad", Kind.YES),
    ("His mother speaking", Kind.YES),
    ("He's my son", Kind.YES),
    ("This is Anna", Kind.SOMEONE_ELSE),
    ("I'm his sister", Kind.SOMEONE_ELSE),
    ("I'm the babysitter", Kind.SOMEONE_ELSE),
    ("Mum's in the shower", Kind.SOMEONE_ELSE),
    ("I'll get my mum", Kind.HOLD),
    ("No", Kind.NO),
]


@pytest.mark.parametrize(("says", "kind"), GUARDIAN)
def test_a_childs_phone_is_answered_by_a_guardian_or_not(says: str, kind: Kind) -> None:
    assert understood("identity", says, contact_is_guardian=True).kind is kind


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("says", ["stop calling me", "my eye hurts", "she passed away"])
def test_safety_is_heard_at_every_question(stage: Stage, says: str) -> None:
    assert understood(stage.value, says).flags


def test_yes_with_a_question_mark_counts_when_it_answers_the_question_a_second_time() -> None:
    state = State(identity_asked=2)
    meaning = understand(Utterance(speech="Yes?"), state=state, facts=FACTS, now=NOW)
    assert meaning.kind is Kind.YES
