"""When the next examination is due: a table of cases, then the rules that no table should need."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from patients import due

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "due_dates.json").read_text()
)


def day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_the_due_date_has_a_source_and_a_reason(case: dict[str, Any]) -> None:
    answer = due.due(
        due.Facts(
            risk_category=case["risk"],
            known_since=date(2026, 3, 11),
            last_test=day(case.get("last")),
            date_of_birth=day(case.get("born")),
            clinician_date=day(case.get("clinician")),
            pms_date=day(case.get("pms")),
            patient_interval_months=case.get("patient"),
            practice_intervals=case.get("practice", {}),
        )
    )
    assert answer == due.Due(
        date.fromisoformat(case["on"]), case["months"], due.Source(case["source"]), case["reason"]
    )


def test_someone_born_on_29_february_is_sixteen_on_1_march() -> None:
    assert due.age_on(date(2008, 2, 29), date(2024, 2, 28)) == 15
    assert due.age_on(date(2008, 2, 29), date(2024, 2, 29)) == 16
    assert due.age_on(date(2008, 2, 29), date(2026, 2, 28)) == 17
    assert due.age_on(date(2008, 2, 29), date(2026, 3, 1)) == 18


def test_adding_months_never_leaves_the_month_meant() -> None:
    for months in range(37):
        later = due.add_months(date(2024, 1, 31), months)
        assert (later.year - 2024) * 12 + later.month - 1 == months
