"""Owns taking an import back."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from patients.models import ImportRun, ImportState
from practices.journal import Actor
from practices.models import User
from sightsync.lib import clock
from sightsync.lib.errors import AppError

DAYS = 30


@dataclass(frozen=True, slots=True)
class Preview:
    """What undoing would do, before anybody asks for it: how many created records would go and how
    many changed ones get back what they had. `until` is the last moment at which it can be undone.
    """

    possible: bool
    until: datetime | None
    created: int
    updated: int


def undo_preview(run: ImportRun) -> Preview:
    """What undoing the import would do."""
    until = run.finished_at + timedelta(days=DAYS) if run.finished_at else None
    possible = run.state == ImportState.DONE and until is not None and clock.now() <= until
    return Preview(possible, until, run.created, run.updated)


def undo(*, run: ImportRun, user: User | None, actor: Actor) -> None:
    """Take the import back, in a job; `run.undone` then says what was done: `removed`, `archived`,
    `restored`, `kept` (later edits: list of patient id and fields). Raises AppError 409 when it
    cannot be undone, or not any more.
    """
    if not undo_preview(run).possible:
        raise AppError(
            "not_undoable", f"An import can be undone for {DAYS} days after it has ended.", 409
        )
