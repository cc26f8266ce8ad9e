"""What people are told of the Google connection: a word, a colour, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass

from integrations.models import Connection, ConnectionState

CHOOSE = "choose_calendar"
"""The code of a connection whose account is known and whose calendar is not."""

ERRORS: Mapping[str, str] = {
    CHOOSE: "Choose the calendar that appointments are written to. They wait until then.",
    "auth": "Google does not let SightSync in any more: the permission was taken back or ran out."
    " Connect the account again. Appointments wait until then.",
    "no_calendar": "The calendar is gone, or is no longer shared with this account."
    " Choose another.",
    "forbidden": "The account may only read this calendar. Ask its owner for the right to make"
    " changes to events, or choose another.",
    "app_refused": "Google does not accept SightSync’s own registration. We have to mend that;"
    " appointments are written afterwards by themselves.",
    "rate_limited": "Google asked us to slow down. It is tried again by itself.",
    "cannot_connect": "Google could not be reached. It is tried again by itself.",
    "timeout": "Google did not answer in time. It is tried again by itself.",
    "broken_answer": "Google’s answer could not be read. It is tried again by itself.",
    "server_error": "Google had a fault of its own. It is tried again by itself.",
}
_OTHER = "Something went wrong with Google. It is tried again by itself."

SIGN_IN: Mapping[str, str] = {
    "denied": "You did not allow it, so nothing was connected.",
    "lost": "That sign-in was not started here, or took too long. Connect again.",
    "scopes": "Not everything was allowed. SightSync needs all three: to edit events, to see the"
    " list of calendars, and to see when you are busy. Connect again and leave all ticked.",
    "no_refresh": "Google gave no lasting permission. Remove SightSync at"
    " myaccount.google.com/permissions, then connect again.",
    "no_app": "This installation of SightSync is not registered with Google.",
    "auth": "Google did not accept the sign-in. Connect again.",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How the connection is: the word, the pill's tone, and why in a sentence or blank."""

    word: str
    tone: str
    why: str = ""


def standing(connection: Connection | None) -> Standing:
    if connection is None or connection.state == ConnectionState.DISCONNECTED:
        return Standing("Not connected", "grey")
    why = error(connection.error_code)
    if connection.state == ConnectionState.NEEDS_ATTENTION:
        if connection.error_code == CHOOSE:
            return Standing("Choose a calendar", "amber", why)
        word = "Connect again" if connection.error_code == "auth" else "Needs you"
        return Standing(word, "red", why)
    return Standing("Trouble", "amber", why) if why else Standing("Connected", "green")


def error(code: str) -> str:
    return ERRORS.get(code, _OTHER) if code else ""


def sign_in(code: str) -> str:
    """Why connecting did not work."""
    return SIGN_IN.get(code) or ERRORS.get(code, _OTHER).replace(
        " It is tried again by itself.", " Connect again in a minute."
    )
