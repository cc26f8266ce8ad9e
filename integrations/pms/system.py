"""What the connectors of all practice management systems share: their line, and their care with
what they are told.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

from integrations import reach
from integrations.models import Connection
from integrations.pms import fields, pace
from integrations.pms.connector import (
    Capabilities,
    RemoteAppointment,
    RemotePatient,
    RemoteStatus,
    Stretch,
)
from integrations.pms.fields import UnreadableError
from integrations.pms.walk import Walk
from integrations.pms.wire import Wire, broken

PAGE = 200
"""Rows asked for at a time."""
EVERYTHING = Capabilities(
    reads_patients=True,
    reads_appointments=True,
    reads_free_slots=True,
    reads_busy_times=True,
    writes_appointments=True,
    changes_theirs=True,
    finds_by_reference=True,
)
Item = TypeVar("Item")


class System:
    """A connected system: its field map, its line, and where its readings have got to."""

    capabilities = EVERYTHING

    def __init__(self, wire: Wire, field_map: Mapping[str, str]) -> None:
        self.wire, self.field_map = wire, field_map
        self.patients_walk, self.appointments_walk = Walk(), Walk()

    def disturbed(self, external_ids: Collection[str]) -> Mapping[str, str]:
        raise NotImplementedError("Its appointments can be read.")


def wire_for(
    connection: Connection,
    server: str,
    rate: pace.Rate,
    headers: Mapping[str, str],
    auth: tuple[str, str] | None = None,
) -> Wire:
    """The line of a connection: to the sandbox server, or to the address that the practice gave.

    Raises ProviderError when that address is none to send to.
    """
    sandbox = reach.is_sandbox(connection.practice)
    return Wire(
        base_url=reach.sandbox(server) if sandbox else str(connection.settings.get("base_url", "")),
        headers=headers,
        bucket=pace.bucket(str(connection.pk), rate),
        guarded=not sandbox,
        auth=auth,
    )


@contextmanager
def careful() -> Iterator[None]:
    """An answer that is not what the wire format says leaves as ProviderError."""
    try:
        yield
    except UnreadableError as error:
        raise broken() from error


def patients_of(
    rows: Sequence[Mapping[str, Any]],
    id_key: str,
    read: Callable[[Mapping[str, Any], str], RemotePatient],
) -> list[RemotePatient]:
    """Every row as a patient. One that cannot be read is one with a problem, never left out: it
    has no id when there is none to be had.
    """
    found = []
    for row in rows:
        key = ""
        try:
            key = fields.ident(row.get(id_key))
            found.append(read(row, key))
        except UnreadableError:
            problem = "unreadable" if key else "no_id"
            found.append(RemotePatient(external_id=key, problem=problem))
    return found


def appointments_of(
    rows: Sequence[Mapping[str, Any]], read: Callable[[Mapping[str, Any]], RemoteAppointment]
) -> list[RemoteAppointment]:
    """Those that can be read. When none of them can be, the answer is nonsense: ProviderError."""
    found = []
    for row in rows:
        try:
            found.append(read(row))
        except UnreadableError:
            continue
    if rows and not found:
        raise broken()
    return found


def busy_of(
    appointments: Sequence[RemoteAppointment], start: datetime, end: datetime
) -> list[Stretch]:
    """The time that appointments take up."""
    return [
        Stretch(
            starts_at=each.starts_at,
            ends_at=each.ends_at,
            diary_id=each.diary_id,
            external_id=each.external_id,
        )
        for each in appointments
        if each.status == RemoteStatus.BOOKED and each.starts_at < end and start < each.ends_at
    ]


def length(starts_at: datetime, ends_at: datetime) -> int:
    """Whole minutes between two moments, at least one."""
    return max(1, round((ends_at - starts_at) / timedelta(minutes=1)))
