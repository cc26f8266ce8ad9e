"""What people are told of a connected system: a word, a colour, and what to do. Pure."""

from integrations import standing as standings
from integrations.models import Connection, Kind
from integrations.pms import words as pms
from integrations.standing import Standing
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


def standing(connection: Connection) -> Standing:
    """How the connection itself is."""
    name = connection.get_kind_display()
    why = pms.failure(connection.error_code, name) if connection.error_code else ""
    return standings.of(connection, why)


def freshness(found: Freshness) -> Standing:
    """How fresh our copy of its patients is."""
    word, tone = _FRESH[found.state]
    return Standing(word, tone, found.reason)
