"""How a connection is, as every settings page says it: a word, a colour, and why. Pure."""

from dataclasses import dataclass

from integrations.models import Connection, ConnectionState


@dataclass(frozen=True, slots=True)
class Standing:
    """The word, the pill's tone, and why in a sentence or blank."""

    word: str
    tone: str
    why: str = ""


def of(connection: Connection | None, why: str) -> Standing:
    """`why` is blank while nothing is wrong."""
    if connection is None or connection.state == ConnectionState.DISCONNECTED:
        return Standing("Not connected", "grey")
    if connection.state == ConnectionState.NEEDS_ATTENTION:
        return Standing("Connect again", "red", why)
    return Standing("Trouble", "amber", why) if why else Standing("Connected", "green")
