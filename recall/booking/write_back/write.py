"""Doing the claimed work: one request, with no transaction open, and writing down its answer.

A request whose fate is not known is never made again before the system was asked what stands there.
"""

from uuid import UUID

from integrations import connections, registry
from integrations.models import Connection
from integrations.pms.connector import Capabilities, Connector, Standing
from practices.journal import Actor
from recall.booking.write_back import claim, results
from recall.booking.write_back.states import Deed
from recall.booking.write_back.work import Work
from sightsync.lib import failpoints
from sightsync.lib.errors import ProviderError


def run(copy_id: UUID, *, actor: Actor) -> UUID | None:
    """Write one copy, or look what became of it; the system's key when it answered as it should,
    for it may be asked for the next thing at once.
    """
    work = claim.claim(copy_id, actor=actor)
    if work is None:
        return None
    try:
        connector = registry.connector(work.connection)
    except ProviderError as error:
        _cannot_ask(work, error, actor)
        return None
    answered = _look(work, connector, actor) if work.look else _write(work, connector, actor)
    return work.connection.pk if answered else None


def _write(work: Work, connector: Connector, actor: Actor) -> bool:
    if code := _cannot(work, connector.capabilities):
        error = ProviderError(ProviderError.Kind.REJECTED, "It cannot do that.", code)
        results.failed(work, error, can_look=False, actor=actor)
        return False
    failpoints.hit("copy.before_request")
    try:
        standing = _request(work, connector)
    except ProviderError as error:
        failpoints.hit("copy.after_request")
        works = _note(work.connection, error, actor)
        can_look = connector.capabilities.finds_by_reference
        results.failed(work, error, can_look=can_look, actor=actor)
        return works
    failpoints.hit("copy.after_request")
    results.done(work, standing, actor=actor)
    connections.worked(work.connection)
    return True


def _cannot(work: Work, can: Capabilities) -> str:
    """Why it is not even asked; blank when it can be."""
    if not can.writes_appointments:
        return "not_supported"
    theirs = work.kept_there and work.deed is not Deed.BOOK
    return results.MADE_THERE if theirs and not can.changes_theirs else ""


def _cannot_ask(work: Work, error: ProviderError, actor: Actor) -> None:
    """Nothing was sent: what the connection was given is no place to send to."""
    _note(work.connection, error, actor)
    if work.look:
        results.not_found_out(work, error, actor=actor)
    else:
        results.failed(work, error, can_look=True, actor=actor)


def _request(work: Work, connector: Connector) -> Standing | None:
    if work.deed is Deed.CANCEL:
        connector.cancel(work.standing, work.entry)
        return None
    if work.deed is Deed.MOVE:
        return connector.move(work.standing, work.entry)
    return connector.book(work.entry)


def _look(work: Work, connector: Connector, actor: Actor) -> bool:
    if not connector.capabilities.finds_by_reference:
        results.not_findable(work, actor=actor)
        return False
    try:
        found = connector.find(work.entry)
    except ProviderError as error:
        works = _note(work.connection, error, actor)
        results.not_found_out(work, error, actor=actor)
        return works
    results.looked(work, found, actor=actor)
    connections.worked(work.connection)
    return True


def _note(connection: Connection, error: ProviderError, actor: Actor) -> bool:
    """Tell the connection; whether the system works, and only this was refused."""
    needs_person = results.needs_person(error)
    if error.kind is ProviderError.Kind.REJECTED and not needs_person:
        connections.worked(connection)
        return True
    connections.failed(connection=connection, code=error.code, actor=actor, refused=needs_person)
    return False
