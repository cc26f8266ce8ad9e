"""Connecting a practice management system: it is asked first, and saved only when it answers.

The asking is done with no transaction open.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from integrations import connections, reach, registry
from integrations.models import Connection, Kind
from integrations.pms import words
from integrations.pms.connector import Site
from practices.journal import Actor
from practices.models import Practice, User
from sightsync.lib import clock
from sightsync.lib.errors import AppError, ProviderError

MOST_DIARIES = 100
SITE_KINDS = frozenset({Kind.ACUITAS})
"""Systems whose key belongs to a site that has a name of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody typed. An empty key keeps the one that is connected."""

    kind: str
    api_key: str = field(default="", repr=False)
    site_id: str = ""
    base_url: str = ""
    field_map: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Connected:
    """The connection, and what the system said of itself."""

    connection: Connection
    site: Site


def needs_address(practice: Practice) -> bool:
    """Whether the practice has to say where its system is: always but in the sandbox, since no
    vendor publishes an address that would do for all.
    """
    return not reach.is_sandbox(practice)


def connect(*, practice: Practice, wish: Wish, user: User | None, actor: Actor) -> Connected:
    """Ask the system, then save the connection, or change the one there is.

    Raises AppError with `field` in its extra where one is to blame: ``another_pms`` (409),
    ``no_key``, ``key_again`` when the key would go to another address than it was given for, else
    the code of what went wrong with the system.
    """
    _check_only(practice, wish.kind)
    before = connections.of(practice, wish.kind)
    api_key = _key(before, wish)
    credential = {"api_key": api_key}
    if wish.kind in SITE_KINDS:
        credential["site_id"] = wish.site_id
    settings: dict[str, Any] = {
        **(before.settings if before else {}),
        "site_id": wish.site_id,
        "base_url": wish.base_url.rstrip("/"),
        "field_map": dict(wish.field_map),
    }
    tried = Connection(
        practice=practice,
        kind=wish.kind,
        credential=json.dumps(credential),
        settings=settings,
        connected_at=clock.now(),
    )
    site, diaries = _ask(tried)
    known = {each["id"] for each in diaries}
    chosen = settings.get("diaries") or {}
    settings["their_diaries"] = diaries
    settings["diaries"] = {theirs: ours for theirs, ours in chosen.items() if theirs in known}
    row = connections.connect(
        practice=practice,
        kind=wish.kind,
        credential=credential,
        shown=api_key,
        settings=settings,
        user=user,
        actor=actor,
    )
    connections.worked(row)
    return Connected(row, site)


def test(*, connection: Connection, actor: Actor) -> Site:
    """Ask the connected system now, and note how it went. Raises AppError."""
    try:
        site, _ = _ask(connection)
    except AppError as error:
        connections.failed(
            connection=connection, code=error.code, actor=actor, refused=error.code == "auth"
        )
        raise
    connections.worked(connection)
    return site


def reload_diaries(*, connection: Connection, actor: Actor) -> None:
    """Read the system's list of diaries again. Raises AppError."""
    _, diaries = _ask(connection)
    connections.configure(connection=connection, settings={"their_diaries": diaries}, actor=actor)


def _check_only(practice: Practice, kind: str) -> None:
    """As `connections.connect` does under a lock; here before anything is sent anywhere."""
    other = connections.pms_of(practice)
    if other is not None and other.kind != kind:
        name = other.get_kind_display()
        raise AppError(
            "another_pms", f"{name} is connected. Disconnect {name} first: patient ids differ.", 409
        )


def _key(before: Connection | None, wish: Wish) -> str:
    if wish.api_key:
        return wish.api_key
    if before is None:
        raise AppError("no_key", "Enter the API key.", field="api_key")
    if wish.base_url.rstrip("/") != before.settings.get("base_url", ""):
        raise AppError(
            "key_again",
            "Enter the API key again: the one we hold is only sent to the address it was"
            " given for.",
            field="api_key",
        )
    return str(connections.credential(before).get("api_key", ""))


def _ask(connection: Connection) -> tuple[Site, list[dict[str, str]]]:
    name = connection.get_kind_display()
    try:
        connector = registry.connector(connection)
        site = connector.test()
        diaries = list(connector.diaries())[:MOST_DIARIES]
    except ProviderError as error:
        raise AppError(
            error.code or "broken_answer",
            words.failure(error.code, name),
            502,
            field=words.field_of(error.code),
        ) from error
    return site, [{"id": each.external_id, "name": each.name[:80]} for each in diaries]
