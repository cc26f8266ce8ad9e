"""How the states of an import are said: a word, a tone, and whether it is happening now. Pure."""

from typing import NamedTuple

from patients.models import ImportState


class Status(NamedTuple):
    word: str
    tone: str
    live: bool = False


STATES = {
    ImportState.DRAFT: Status("To finish", "amber"),
    ImportState.QUEUED: Status("Waiting to start", "blue", live=True),
    ImportState.RUNNING: Status("Importing", "blue", live=True),
    ImportState.DONE: Status("Imported", "green"),
    ImportState.FAILED: Status("Stopped", "red"),
    ImportState.DISCARDED: Status("Discarded", "grey"),
    ImportState.UNDOING: Status("Being undone", "blue", live=True),
    ImportState.UNDONE: Status("Undone", "grey"),
}
