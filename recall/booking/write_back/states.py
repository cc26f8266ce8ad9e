"""The one table of how a copy may move, and what is to be done next about one. Pure."""

from enum import StrEnum
from types import MappingProxyType

from recall.models import CopyState

_S = CopyState

MOVES = MappingProxyType(
    {
        # Written at once where there is nothing to do: cancelled before anything stood there.
        _S.ACCEPTED: frozenset({_S.WRITING, _S.WRITTEN, _S.FAILED}),
        # Back to accepted: known not to have been taken, or the appointment changed meanwhile.
        _S.WRITING: frozenset({_S.WRITTEN, _S.ACCEPTED, _S.UNKNOWN, _S.FAILED}),
        # By looking: it stands there, or is known not to. Never to writing, and never to failed,
        # from which it could be written again without a look.
        _S.UNKNOWN: frozenset({_S.WRITTEN, _S.ACCEPTED}),
        # The appointment was moved or cancelled; or somebody deleted or moved it there.
        _S.WRITTEN: frozenset({_S.ACCEPTED, _S.FAILED}),
        # Changed again, or somebody asked for another try.
        _S.FAILED: frozenset({_S.ACCEPTED, _S.WRITTEN}),
    }
)


class Deed(StrEnum):
    """What makes the other system agree with us."""

    NOTHING = "nothing"
    BOOK = "book"
    MOVE = "move"
    CANCEL = "cancel"


def sources(new: str) -> tuple[CopyState, ...]:
    """The states from which `new` can be reached: the IN list of the UPDATE that performs it."""
    return tuple(state for state, onwards in MOVES.items() if new in onwards)


def deed(*, wanted: int, standing: int | None) -> Deed:
    """From what should stand there (a version, 0 for nothing) and what does (None for nothing)."""
    there = standing or 0
    if wanted == there:
        return Deed.NOTHING
    if wanted == 0:
        return Deed.CANCEL
    return Deed.MOVE if there else Deed.BOOK
