"""What an import will do, read from its forecast: counts, who can be reached, and why not the rest.

Pure. The counting is `csv_import`'s; here it gets its words.
"""

from dataclasses import dataclass
from typing import Any

from patients.models import ImportRun

WORKING, READY, FAILED = "working", "ready", "failed"

WHY_NOT = {
    "no_contact": "No number that can be rung, and no email address",
    "opted_out": "Opted out",
    "suppressed": "Opted out or erased before, and kept that way",
    "tps_listed": "On the TPS or CTPS, and no other way to reach them",
    "phone_wrong": "The number was wrong, and no other way to reach them",
    "deceased": "Deceased",
    "archived": "Archived: not in your practice system any more",
}
"""By the code of the forecast; a new code must get its words here."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """The forecast of one import. ``reasons`` are words and counts, most frequent first."""

    state: str
    percent: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    bad: int = 0
    left_out: int = 0
    unknown_risks: int = 0
    contactable: int = 0
    reasons: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(cls, run: ImportRun) -> "Outlook":
        found: dict[str, Any] = run.forecast
        reasons = sorted(found.get("reasons", {}).items(), key=lambda item: -item[1])
        return cls(
            state=found.get("state", ""),
            percent=found.get("progress", 0),
            new=found.get("new", 0),
            updated=found.get("updated", 0),
            unchanged=found.get("unchanged", 0),
            bad=found.get("rejected", 0),
            left_out=found.get("left_out", 0),
            unknown_risks=found.get("unknown_risks", 0),
            contactable=found.get("contactable", 0),
            reasons=tuple((WHY_NOT[code], count) for code, count in reasons if count),
        )

    @property
    def is_ready(self) -> bool:
        return self.state == READY

    @property
    def is_working(self) -> bool:
        return self.state == WORKING

    @property
    def has_failed(self) -> bool:
        return self.state == FAILED

    @property
    def to_write(self) -> int:
        return self.new + self.updated

    @property
    def not_taken(self) -> int:
        return self.bad + self.left_out

    @property
    def rows(self) -> int:
        return self.new + self.updated + self.unchanged + self.not_taken
