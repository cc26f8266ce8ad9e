"""Another maker's diary, as our connectors see one: it keeps what it is told, refuses a taken time,
and can be made to fail before or after it has done what it was asked.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from integrations.models import Connection
from integrations.pms.connector import (
    Capabilities,
    Entry,
    Page,
    RemoteAppointment,
    RemoteDiary,
    RemotePatient,
    Site,
    Standing,
    Stretch,
)
from practices.models import Practice
from sightsync.lib import clock
from sightsync.lib.errors import ProviderError

Kind = ProviderError.Kind
DOWN = ProviderError(Kind.TEMPORARY, "503", "unavailable")
DROPPED = ProviderError(Kind.UNKNOWN, "dropped", "timeout")
TAKEN = ProviderError(Kind.REJECTED, "409", "taken")
REVOKED = ProviderError(Kind.REJECTED, "401", "auth")
ALL = Capabilities(
    reads_busy_times=True,
    reads_appointments=True,
    writes_appointments=True,
    finds_by_reference=True,
    changes_theirs=True,
)


@dataclass
class OtherSystem:
    """`said` are the requests in order; `kept` what stands there, by the system's own ids."""

    capabilities: Capabilities = ALL
    kept: dict[str, Entry] = field(default_factory=dict)
    said: list[tuple[str, str]] = field(default_factory=list)
    before: list[ProviderError] = field(default_factory=list)
    after: list[ProviderError] = field(default_factory=list)
    looks_fail: list[ProviderError] = field(default_factory=list)
    during: Callable[[], object] | None = None
    busy_times: list[Stretch] = field(default_factory=list)

    def book(self, entry: Entry) -> Standing:
        self._arrives("book", entry)
        if any(other.starts_at == entry.starts_at for other in self.kept.values()):
            raise TAKEN
        return self._stands(f"x{len(self.said)}", entry)

    def move(self, standing: Standing, entry: Entry) -> Standing:
        self._arrives("move", entry)
        if standing.external_id not in self.kept:
            raise ProviderError(Kind.REJECTED, "404", "gone")
        return self._stands(standing.external_id, entry)

    def cancel(self, standing: Standing, entry: Entry) -> None:
        self._arrives("cancel", entry)
        self.kept.pop(standing.external_id, None)
        self._leaves()

    def find(self, entry: Entry) -> Standing | None:
        self.said.append(("find", entry.reference))
        if self.looks_fail:
            raise self.looks_fail.pop(0)
        for key, other in self.kept.items():
            if other.reference == entry.reference:
                return Standing(external_id=key, version="v", starts_at=other.starts_at)
        return None

    def busy(self, *, start: datetime, end: datetime) -> Sequence[Stretch]:
        self.said.append(("busy", ""))
        if self.before:
            raise self.before.pop(0)
        return self.busy_times

    def test(self) -> Site:
        return Site(name="Other")

    def diaries(self) -> Sequence[RemoteDiary]:
        return ()

    def patients(self, *, since: datetime | None, cursor: str = "") -> Page[RemotePatient]:
        return Page(items=())

    def appointments(self, *, since: datetime | None, cursor: str = "") -> Page[RemoteAppointment]:
        return Page(items=())

    def free(self, *, start: datetime, end: datetime, diary_id: str = "") -> Sequence[Stretch]:
        return ()

    def asked(self) -> list[str]:
        return [what for what, _ in self.said]

    def _arrives(self, what: str, entry: Entry) -> None:
        self.said.append((what, entry.reference))
        if self.before:
            raise self.before.pop(0)
        if self.during is not None:
            self.during()

    def _stands(self, key: str, entry: Entry) -> Standing:
        self.kept[key] = entry
        self._leaves()
        return Standing(external_id=key, version="v", starts_at=entry.starts_at)

    def _leaves(self) -> None:
        if self.after:
            raise self.after.pop(0)


def connection(practice: Practice, kind: str = "optix", **settings: Any) -> Connection:
    return Connection.objects.create(
        practice=practice,
        kind=kind,
        credential='{"api_key": "k"}',
        settings=settings,
        connected_at=clock.now() - timedelta(days=3),
    )
