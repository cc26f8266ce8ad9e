"""NHS numbers: the check digit, the three issuers, and what spreadsheets do to them."""

import json
from pathlib import Path
from typing import Any

import pytest

from patients import nhs_number

CASES: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "data" / "nhs_numbers.json").read_text()
)


@pytest.mark.parametrize(("raw", "digits", "kind"), CASES["accepted"])
def test_a_number_is_understood(raw: str, digits: str, kind: str) -> None:
    assert nhs_number.parse(raw) == (digits, kind)


@pytest.mark.parametrize(("raw", "code"), CASES["rejected"])
def test_a_bad_number_is_rejected(raw: str, code: str) -> None:
    with pytest.raises(nhs_number.Rejection) as rejection:
        nhs_number.parse(raw)
    assert rejection.value.code == code
    assert rejection.value.message.endswith(".")


def test_one_wrong_digit_is_always_noticed() -> None:
    for position in range(10):
        for digit in "0123456789":
            changed = "9434765919"[:position] + digit + "9434765919"[position + 1 :]
            assert nhs_number.has_valid_check_digit(changed) == (changed == "9434765919")


def test_it_is_shown_in_three_groups() -> None:
    assert nhs_number.display("9434765919") == "943 476 5919"
    assert nhs_number.display("") == ""
