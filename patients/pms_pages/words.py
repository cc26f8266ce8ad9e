"""What people are told of a connected system: a word, a colour, and what to do. Pure."""

from dataclasses import dataclass

from integrations.models import Connection, ConnectionState, Kind
from integrations.pms import words as pms
from patients.sync.selectors import Freshness, State

ABOUT = {
    Kind.OPTIX: "Optix by Optix Software.",
    Kind.ACUITAS: "Acuitas by Ocuco. Its key belongs to a site.",
    Kind.OPTISOFT: "Optisoft, with its Connect service switched on.",
}
_FRESH = {
    State.WAITING: ("Not read yet", "grey"),
    State.RUNNING: ("Reading", "blue"),
    State.FRESH: ("Up to date", "green"),
    State.STALE: ("Out of date", "amber"),
    State.FAILED: ("Could not be read", "red"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """The word, the pill's tone, and why in a sentence or blank."""

    word: str
    tone: str
    why: str = ""


def standing(connection: Connection) -> Standing:
    """How the connection itself is."""
    name = connection.get_kind_display()
    why = pms.failure(connection.error_code, name) if connection.error_code else ""
    if connection.state == ConnectionState.NEEDS_ATTENTION:
        return Standing("Connect again", "red", why)
    return Standing("Trouble", "amber", why) if why else Standing("Connected", "green")


def freshness(found: Freshness) -> Standing:
    """How fresh our copy of its patients is."""
    word, tone = _FRESH[found.state]
    return Standing(word, tone, found.reason)
