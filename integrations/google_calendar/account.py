"""Connecting a Google account, choosing among its calendars, and parting from it.

Google is asked first and with no transaction open; the rows are written by
`integrations.connections`.
"""

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from integrations import connections
from integrations.google_calendar import oauth, words
from integrations.google_calendar.client import connector_for
from integrations.models import Connection, ConnectionState, Kind
from practices.journal import Actor
from practices.models import Practice, User
from sightsync.lib.errors import AppError

MOST_EARLIER = 5
DEFAULTS: dict[str, Any] = {
    "calendar_id": "",
    "calendar_name": "",
    "title": "name",
    "risk_in_description": False,
    "diary": "",
    "earlier_calendars": [],
}


def of(practice: Practice) -> Connection | None:
    return connections.of(practice, Kind.GOOGLE_CALENDAR)


def connect(*, practice: Practice, tokens: oauth.Tokens, user: User, actor: Actor) -> Connection:
    """Connect the account that gave the tokens. The same account again keeps what was chosen.

    Raises ProviderError when its calendars cannot be listed; nothing is connected then.
    """
    listed = _listed(
        Connection(
            practice=practice,
            kind=Kind.GOOGLE_CALENDAR,
            credential=connections.as_text(tokens.credential()),
        )
    )
    account = next((each["id"] for each in listed if each["primary"]), "")
    before = of(practice)
    was = before.settings if before else {}
    settings = {**DEFAULTS, "account": account, "calendars": listed}
    if was.get("account") == account:
        settings = {**settings, **{key: was[key] for key in DEFAULTS if key in was}}
    left = connections.credential(before) if before and was.get("account") != account else {}
    with transaction.atomic():
        row = connections.connect(
            practice=practice,
            kind=Kind.GOOGLE_CALENDAR,
            credential=tokens.credential(),
            shown=account,
            settings=settings,
            user=user,
            actor=actor,
        )
        if not _is_listed(settings["calendar_id"], listed):
            connections.failed(connection=row, code=words.CHOOSE, actor=actor, refused=True)
    if left:
        _revoke(practice, str(was.get("account", "")), left)
    row.refresh_from_db()
    return row


def reload(*, connection: Connection, actor: Actor) -> None:
    """Ask Google again which calendars there are. Raises ProviderError."""
    listed = _listed(connection)
    connections.configure(connection=connection, settings={"calendars": listed}, actor=actor)


def choose(
    *, connection: Connection, calendar_id: str, diary: str, title: str, actor: Actor
) -> None:
    """Which calendar, whose diary it is (a public id; blank for all), what an event is called.

    What already stands in the calendar chosen before stays there until it is moved or cancelled.
    """
    listed = connection.settings.get("calendars", [])
    found = next((each for each in listed if each["id"] == calendar_id), None)
    if found is None:
        raise AppError("no_calendar", "Choose one of the calendars in the list.")
    was = connection.settings.get("calendar_id", "")
    earlier = list(connection.settings.get("earlier_calendars", []))
    if was and was != calendar_id:
        earlier = [was, *(each for each in earlier if each != was)]
    settings = {
        "calendar_id": calendar_id,
        "calendar_name": found["name"],
        "diary": diary,
        "title": title,
        "earlier_calendars": [each for each in earlier if each != calendar_id][:MOST_EARLIER],
    }
    with transaction.atomic():
        connections.configure(connection=connection, settings=settings, actor=actor)
        if connection.error_code != "auth":
            connections.mended(connection=connection, actor=actor)


def tell_risk(*, connection: Connection, told: bool, actor: Actor) -> bool:
    """Whether events say the patient's risk category. Only after somebody has read the warning."""
    return connections.configure(
        connection=connection, settings={"risk_in_description": told}, actor=actor
    )


def disconnect(*, connection: Connection, actor: Actor) -> bool:
    """Forget the account and end the permission; whether Google has said that it is at an end.

    Events stay where they are. What another practice has permitted with the same account would
    end with ours, so then the permission is only forgotten.
    """
    credential = connections.credential(connection)
    if not connections.disconnect(connection=connection, actor=actor) or not credential:
        return True
    account = str(connection.settings.get("account", ""))
    return _revoke(connection.practice, account, credential)


def _revoke(practice: Practice, account: str, credential: dict[str, Any]) -> bool:
    """Google ends all that an account has permitted us at once, whichever token is named."""
    app = oauth.app_for(practice)
    others = Connection.objects.exclude(state=ConnectionState.DISCONNECTED).filter(
        kind=Kind.GOOGLE_CALENDAR, settings__account=account
    )
    if app is None or others.exists():
        return True
    return oauth.revoke(app, token=str(credential.get("refresh_token", "")))


def _listed(connection: Connection) -> list[dict[str, Any]]:
    """The calendars that may be written, the account's own first."""
    found = [
        {
            "id": str(each.get("id", "")),
            "name": str(each.get("summaryOverride") or each.get("summary", ""))[:120],
            "primary": bool(each.get("primary")),
        }
        for each in connector_for(connection).calendars()
    ]
    return sorted(found, key=lambda each: (not each["primary"], str(each["name"]).lower()))


def _is_listed(calendar_id: str, listed: Sequence[dict[str, Any]]) -> bool:
    return any(each["id"] == calendar_id for each in listed)
