"""The one shape in which every connected system is spoken to. Pure: words, no network, no rows.

A system that cannot do something says so in its `Capabilities`; asking for it all the same is a
bug. Every request raises ProviderError: REJECTED (known refused: `code` says why, `auth` when the
credential is), TEMPORARY (known not accepted; `retry_after` in seconds), UNKNOWN (a write may have
happened; a read has merely failed).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

Item = TypeVar("Item")
DELETED_THERE, MOVED_THERE = "deleted_there", "moved_there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a system can do at all."""

    reads_patients: bool = False
    reads_appointments: bool = False
    reads_free_slots: bool = False
    reads_busy_times: bool = False
    writes_appointments: bool = False
    finds_by_reference: bool = False
    """Whether an appointment can be found by our reference after a write of unknown fate."""
    changes_theirs: bool = False
    """Whether it lets us move and cancel what it has made itself, not only what we wrote."""
    tells_of_ours: bool = False
    """Whether it can say which of our entries were deleted or moved there, though nobody else's
    appointments can be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the system says of itself when the connection is tested."""

    name: str
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemotePatient:
    """A patient as the system has them. `values` are texts by the field names of an import
    (first_name, phone_number, ...; dates as YYYY-MM-DD), uncleaned. `opt_outs` are channels or
    ``all``. `problem` is a code where the record could not be read at all.
    """

    external_id: str
    values: Mapping[str, str] = field(default_factory=dict)
    opt_outs: frozenset[str] = frozenset()
    deceased: bool = False
    archived: bool = False
    problem: str = ""


class RemoteStatus(StrEnum):
    BOOKED = "booked"
    CANCELLED = "cancelled"
    ATTENDED = "attended"
    NO_SHOW = "no_show"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteAppointment:
    """An appointment in the system. `reference` is ours where we wrote it. The phone and email are
    given where the system has no patient ids of its own.
    """

    external_id: str
    starts_at: datetime
    ends_at: datetime
    status: RemoteStatus = RemoteStatus.BOOKED
    patient_id: str = ""
    phone: str = ""
    email: str = ""
    diary_id: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Item]):
    """`next_cursor` is empty on the last page. `as_of` is the system's own clock when the reading
    began, for the next reading's `since`.
    """

    items: Sequence[Item]
    next_cursor: str = ""
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteDiary:
    external_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Free or busy, end exclusive, aware. `diary_id` is empty where the system has one diary."""

    starts_at: datetime
    ends_at: datetime
    diary_id: str = ""
    external_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What we want to stand in the other system's diary. `reference` is our appointment's public
    id and the same for every version of it.
    """

    reference: str
    starts_at: datetime
    ends_at: datetime
    patient_id: str = ""
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    email: str = ""
    risk: str = ""
    diary_id: str = ""
    booked_by_call: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What stands in the other system now."""

    external_id: str
    version: str = ""
    starts_at: datetime | None = None


class Connector(Protocol):
    """One connected system of one practice."""

    capabilities: Capabilities

    def test(self) -> Site: ...

    def diaries(self) -> Sequence[RemoteDiary]: ...

    def patients(self, *, since: datetime | None, cursor: str = "") -> Page[RemotePatient]:
        """Patients changed since then, or all; archived and deceased ones among them."""

    def appointments(self, *, since: datetime | None, cursor: str = "") -> Page[RemoteAppointment]:
        """Appointments changed since then, or all from today on; cancelled ones among them."""

    def free(self, *, start: datetime, end: datetime, diary_id: str = "") -> Sequence[Stretch]: ...

    def busy(self, *, start: datetime, end: datetime) -> Sequence[Stretch]: ...

    def disturbed(self, external_ids: Collection[str]) -> Mapping[str, str]:
        """Which of our entries do not stand as we wrote them: DELETED_THERE or MOVED_THERE. Asked
        after `busy`, which meets those that do."""

    def book(self, entry: Entry) -> Standing:
        """Write it. Writing the same reference again gives what stands where the system allows."""

    def move(self, standing: Standing, entry: Entry) -> Standing: ...

    def cancel(self, standing: Standing, entry: Entry) -> None:
        """Take it out. What is gone already is taken out."""

    def find(self, entry: Entry) -> Standing | None:
        """What stands under our reference, None when nothing does."""


Settings = Mapping[str, Any]
