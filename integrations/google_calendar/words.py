"""What people are told of the Google connection: a word, a colour, and what to do."""

from collections.abc import Mapping
from dataclasses import replace

from integrations import standing as standings
from integrations.models import Connection
from integrations.standing import Standing

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


def standing(connection: Connection | None) -> Standing:
    code = connection.error_code if connection else ""
    found = standings.of(connection, error(code))
    if found.tone != "red" or code == "auth":
        return found
    if code == CHOOSE:
        return replace(found, word="Choose a calendar", tone="amber")
    return replace(found, word="Needs you")


def error(code: str) -> str:
    return ERRORS.get(code, _OTHER) if code else ""


def sign_in(code: str) -> str:
    """Why connecting did not work."""
    return SIGN_IN.get(code) or ERRORS.get(code, _OTHER).replace(
        " It is tried again by itself.", " Connect again in a minute."
    )
