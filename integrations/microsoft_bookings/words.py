"""What people are told of the Bookings connection: a word, a colour, and what to do."""

from collections.abc import Mapping

from integrations import standing as standings
from integrations.microsoft_bookings.graph import PERMISSIONS, Needs
from integrations.models import Connection
from integrations.standing import Standing

_AGAIN = "It is tried again by itself."

ERRORS: Mapping[str, str] = {
    "auth": "Microsoft does not let SightSync in any more: an administrator took the consent back,"
    " or it never reached this organisation. Connect again. Appointments wait until then.",
    Needs.READ: "Microsoft does not let SightSync read your Bookings: the permission"
    f" {PERMISSIONS[Needs.READ]} is missing. An administrator has to agree to it: connect again.",
    Needs.WRITE: "Microsoft does not let SightSync write appointments: the permission"
    f" {PERMISSIONS[Needs.WRITE]} is missing. {PERMISSIONS[Needs.READ]} alone is not enough. An"
    " administrator has to agree to it: connect again.",
    "not_found": "The Bookings calendar is not there any more. Choose another.",
    "service_gone": "The service is not there any more in Bookings. Choose another.",
    "staff_gone": "Somebody of the staff is not there any more in Bookings. Choose again.",
    "no_staff": "The diary has nobody in Bookings. Choose who it is.",
    "staff_refused": "Bookings does not let this person be booked for the service.",
    "service_refused": "Bookings does not know the service any more. Choose another.",
    "customer_refused": "Bookings did not take the patient’s details.",
    "wrong_length": "The service in Bookings takes another time than the appointment.",
    "outside_hours": "The time is outside the business hours in Bookings.",
    "too_late_there": "Bookings does not take it so late, or so far ahead: its lead time is over.",
    "taken": "The time is taken in Bookings.",
    "changed_there": "It was changed in Bookings at the same moment.",
    "refused": "Bookings refused it, and did not say why.",
    "slow_down": f"Microsoft asked us to slow down. {_AGAIN}",
    "unreachable": f"Microsoft could not be reached. {_AGAIN}",
    "timeout": f"Microsoft did not answer in time. {_AGAIN}",
    "broken_connection": f"The connection to Microsoft broke. {_AGAIN}",
    "broken_answer": f"Microsoft’s answer could not be read. {_AGAIN}",
    "server_error": f"Microsoft had a fault of its own. {_AGAIN}",
}
_OTHER = f"Something went wrong with Microsoft. {_AGAIN}"
_CONNECT = frozenset({"auth", *Needs})

SIGN_IN: Mapping[str, str] = {
    "denied": "The administrator did not agree, so nothing was connected.",
    "lost": "That was not started here, or took too long. Connect again.",
    "no_app": "This installation of SightSync is not registered with Microsoft.",
    "no_business": "The organisation has no shared Bookings calendar. Make one at"
    " book.ms, then connect again.",
}


def standing(connection: Connection | None) -> Standing:
    return standings.of(connection, error(connection.error_code) if connection else "")


def must_connect(connection: Connection) -> bool:
    """Whether only an administrator's consent helps."""
    return connection.error_code in _CONNECT


def error(code: str) -> str:
    return ERRORS.get(code, _OTHER) if code else ""


def sign_in(code: str) -> str:
    """Why connecting did not work."""
    found = SIGN_IN.get(code) or ERRORS.get(code, _OTHER)
    return found.replace(f" {_AGAIN}", " Connect again in a minute.")
