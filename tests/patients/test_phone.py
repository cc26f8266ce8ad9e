"""Telephone numbers: every number of the research notes, and the fast path against the library."""

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from patients import phone

CASES: dict[str, Any] = json.loads((Path(__file__).parents[1] / "data" / "phones.json").read_text())


@pytest.mark.parametrize(("raw", "e164", "kind", "drama"), CASES["accepted"])
def test_a_number_is_understood(raw: str, e164: str, kind: str, drama: bool) -> None:
    assert phone.parse(raw) == (e164, kind, drama)


@pytest.mark.parametrize(("raw", "code"), CASES["rejected"])
def test_a_bad_number_is_rejected_with_a_code_and_advice(raw: str, code: str) -> None:
    with pytest.raises(phone.Rejection) as rejection:
        phone.parse(raw)
    assert rejection.value.code == code
    assert rejection.value.message.endswith(".")
    assert raw == "" or raw not in rejection.value.message


def test_nothing_is_not_a_number() -> None:
    with pytest.raises(phone.Rejection):
        phone.parse(None)


@pytest.mark.parametrize(("prefix", "kind"), CASES["drama_ranges"])
def test_every_drama_number_is_accepted_and_marked(prefix: str, kind: str) -> None:
    for last in range(1000):
        e164 = f"{prefix}{last:03d}"
        assert phone.is_drama(e164)
        assert phone.parse("0" + e164[3:]) == (e164, kind, True)


def test_neighbours_of_the_drama_ranges_are_not_drama() -> None:
    assert not phone.is_drama("+447700901000")
    assert not phone.is_drama("+447700899999")
    assert not phone.is_drama("+4477009000011")


def test_an_automated_call_may_go_to_mobiles_landlines_voip_and_03_numbers_only() -> None:
    ringable = {kind for kind in phone.Kind if phone.can_ring(kind)}
    assert ringable == {"mobile", "fixed_line", "voip", "uan"}
    assert {kind for kind in phone.Kind if phone.can_text(kind)} == {"mobile"}


@pytest.mark.parametrize(("e164", "shown"), CASES["national"])
def test_numbers_are_shown_the_way_people_write_them(e164: str, shown: str) -> None:
    assert phone.national(e164) == shown


def test_a_foreign_practice_region_is_still_held_to_uk_numbers() -> None:
    with pytest.raises(phone.Rejection) as rejection:
        phone.parse("01 23 45 67 89", region="FR")
    assert rejection.value.code == "non_uk"


def test_an_enormous_cell_is_refused_quickly() -> None:
    with pytest.raises(phone.Rejection) as rejection:
        phone.parse("0770090000" * 100_000)
    assert rejection.value.code == "impossible"


def mutate(rng: random.Random, text: str) -> str:
    """One to three of the accidents that happen to a number on its way through people and
    programs.
    """
    for _ in range(rng.randint(1, 3)):
        position = rng.randrange(len(text) + 1)
        accident = rng.randrange(5)
        if accident == 0:
            text = text[:position] + rng.choice(" -()./+0123456789O\u00a0xe,") + text[position:]
        elif accident == 1 and text:
            text = text[: position - 1] + text[position:] if position else text[1:]
        elif accident == 2 and position < len(text):
            text = text[:position] + rng.choice("0123456789") + text[position + 1 :]
        elif accident == 3:
            text = rng.choice(["+44", "0044", "44", "+440", "0", "00", "(0)", "+", "'"]) + text
        else:
            text = text[position:] + text[:position]
    return text


def disagreements(*, seed: int, count: int) -> list[str]:
    """Texts that the fast path accepts and the library understands otherwise."""
    rng = random.Random(seed)
    wrong = []
    bases = [raw for raw, *_ in CASES["accepted"]] + [raw for raw, _ in CASES["rejected"]]
    for _ in range(count):
        if rng.random() < 0.5:
            text = mutate(rng, rng.choice(bases))
        else:
            text = mutate(rng, f"0{rng.choice('1237')}{rng.randrange(10**9):09d}")
        text = text.strip().strip("'").strip()
        fast = phone.parse_fast(text)
        if fast is None:
            continue
        try:
            agrees = fast == phone.parse_slow(text)
        except phone.Rejection:
            agrees = False
        if not agrees:
            wrong.append(text)
    return wrong


def test_the_fast_path_agrees_with_the_library_on_sixty_thousand_mutated_numbers() -> None:
    assert disagreements(seed=20261121, count=60_000) == []


def test_the_comparison_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: with a careless pattern the same comparison finds differences."""
    careless = re.compile(r"(?:\+44|0)?(?P<mobile>7\d{9})")
    monkeypatch.setattr(phone, "_FAST", careless)
    assert disagreements(seed=20261121, count=2_000)
