"""A campaign from a goal: what it means, whom that would contact, and starting it.

The goal becomes a choice and nothing more; who may be contacted is eligibility's, and every run is
a campaign like any other.
"""

from dataclasses import dataclass

from practices.journal import Actor
from practices.models import Practice
from recall.campaigns import goal, preview, reading, run
from recall.campaigns.choice import Choice
from recall.campaigns.preview import Fate, Preview, Row
from recall.campaigns.reading import ADDED
from recall.models import Campaign
from sightsync.lib import ids

CALLED = (Fate.CALL_NOW, Fate.CALL_LATER)


@dataclass(frozen=True, slots=True)
class Run:
    """What became of a goal; `campaign` is None after a dry run."""

    choice: Choice
    understood: tuple[reading.Pair, ...]
    seen: Preview
    campaign: Campaign | None

    @property
    def selected(self) -> int:
        return len(self.seen.rows)

    @property
    def calls(self) -> int:
        """Patients to be called, now or when the hours and rules of time allow."""
        return sum(row.fate in CALLED for row in self.seen.rows)

    @property
    def not_called(self) -> list[Row]:
        """Those who cannot be called; some of them get a message instead."""
        return [row for row in self.seen.rows if row.fate not in CALLED]

    @property
    def words(self) -> str:
        """The reading, as one sentence about who was selected."""
        count = f"{self.selected} patient{'' if self.selected == 1 else 's'}"
        said = f"Selected {count}: {reading.sentence(self.choice)}."
        added = dict(self.understood).get(ADDED)
        return f"{said} {ADDED}: {added}." if added else said


def dry_run(*, practice: Practice, typed: str, limit: int) -> Run:
    """What the goal would do. Writes nothing. Raises AppError 422 when it is not understood."""
    choice, understood = goal.choice_of(typed, limit=limit)
    seen = preview.of(practice=practice, choice=choice)
    return Run(choice, understood.understood, seen, None)


def start(*, practice: Practice, typed: str, limit: int, actor: Actor) -> Run:
    """Start the goal's campaign; it is kept even when nobody could be contacted. The goal itself is
    not kept: it is free text, the choice is all it means. Raises AppError 422.
    """
    told = dry_run(practice=practice, typed=typed, limit=limit)
    campaign = run.start(
        practice=practice,
        choice=told.choice,
        name=reading.name(told.choice),
        start_token=ids.new(),
        user=None,
        actor=actor,
        seen=told.seen,
    )
    return Run(told.choice, told.understood, told.seen, campaign)
