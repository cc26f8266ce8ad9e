"""A practice's Bookings calendar as a connector.

Graph has no key that makes a repeated request safe, no filter, no "changed since", and answers a
time that is taken with a bare 500. Therefore a booking looks first, our reference is in every
appointment, and changes are found by comparing (`seen`).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from typing import Any

from integrations import connections, reach
from integrations.microsoft_bookings import oauth, payloads, seen
from integrations.microsoft_bookings.graph import BUSINESSES, Graph, Needs, path_of
from integrations.microsoft_bookings.payloads import Business, Service, StaffMember
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
from integrations.pms.wire import broken
from practices.journal import Actor
from sightsync.lib import clock
from sightsync.lib.errors import ProviderError, ProviderKind

ACTOR = Actor.system("microsoft_bookings")
HORIZON = timedelta(days=180)
AVAILABILITY_STEP = timedelta(days=31)


@contextmanager
def careful() -> Iterator[None]:
    """What cannot be read is a broken answer."""
    try:
        yield
    except payloads.Unreadable as error:
        raise broken() from error


class Directory:
    """What an organisation has, before anything of it is chosen."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def businesses(self) -> list[Business]:
        with careful():
            return [payloads.business(row) for row in self._graph.rows(BUSINESSES)]

    def business(self, business_id: str) -> Business:
        with careful():
            return payloads.business(self._graph.get(path_of(business_id)))

    def services(self, business_id: str) -> list[Service]:
        with careful():
            rows = self._graph.rows(path_of(business_id, "services"))
            return [payloads.service(row) for row in rows]

    def staff(self, business_id: str) -> list[StaffMember]:
        with careful():
            rows = self._graph.rows(path_of(business_id, "staffMembers"))
            return [payloads.staff_member(row) for row in rows]


def directory(*, sandbox: bool, tenant: str) -> Directory:
    return Directory(Graph(oauth.World(sandbox), tenant))


def connector_for(connection: Connection) -> "Bookings":
    return Bookings(connection)


class Bookings:
    """One business of one organisation; `diaries` of the settings says which of its staff are which
    of our diaries.
    """

    capabilities = Capabilities(
        reads_appointments=True,
        reads_free_slots=True,
        reads_busy_times=True,
        writes_appointments=True,
        changes_theirs=True,
        finds_by_reference=True,
    )

    def __init__(self, connection: Connection) -> None:
        chosen = connection.settings
        self._connection = connection
        self._business = str(chosen.get("business_id", ""))
        self._service = str(chosen.get("service_id", ""))
        self._minutes = int(chosen.get("service_minutes") or 0)
        self._staff = [str(key) for key in chosen.get("diaries") or {}]
        tenant = str(connections.credential(connection).get("tenant", ""))
        world = oauth.World(reach.is_sandbox(connection.practice))
        self._graph = Graph(world, tenant)
        self._directory = Directory(self._graph)

    # --- reading --------------------------------------------------------------------------------

    def test(self) -> Site:
        """Whether the chosen business still has the chosen service and staff."""
        with self._told():
            name = self._directory.business(self._business).name
            services = {each.id for each in self._directory.services(self._business)}
            staff = {each.id for each in self._directory.staff(self._business)}
            if self._service not in services:
                raise _rejected("service_gone")
            if not set(self._staff) <= staff:
                raise _rejected("staff_gone")
            return Site(name=name)

    def diaries(self) -> Sequence[RemoteDiary]:
        with self._told():
            staff = self._directory.staff(self._business)
            return [RemoteDiary(external_id=each.id, name=each.name) for each in staff]

    def patients(self, *, since: datetime | None, cursor: str = "") -> Page[RemotePatient]:
        raise NotImplementedError("Bookings has customers, without birthdays or recall dates.")

    def appointments(self, *, since: datetime | None, cursor: str = "") -> Page[RemoteAppointment]:
        """The whole view in one go: what is missing from half of it would look cancelled."""
        at = clock.now()
        start = clock.at_london(clock.london(at).date(), time())
        with self._told():
            found = [payloads.appointment(row) for row in self._view(start, at + HORIZON)]
            reading = seen.Reading(at=at, start=start, end=at + HORIZON, found=found)
            items = seen.compare(
                connection=self._connection, reading=reading, since=since, ask=self._ask
            )
        return Page(items=items, as_of=at)

    def free(self, *, start: datetime, end: datetime, diary_id: str = "") -> Sequence[Stretch]:
        staff = [diary_id] if diary_id else self._staff
        with self._told():
            return [
                piece
                for body in self._availability(staff, start, end)
                for stretch in payloads.availability(body, free=True)
                for piece in payloads.slices(stretch, self._minutes)
            ]

    def busy(self, *, start: datetime, end: datetime) -> Sequence[Stretch]:
        """The appointments, by their ids, and what else keeps the staff busy: their own calendars,
        days off. Availability knows the appointments too, and not whose they are.
        """
        with self._told():
            booked = [
                Stretch(starts_at=begins, ends_at=ends, diary_id=key, external_id=str(row["id"]))
                for row in self._view(start, end)
                for begins, ends in [payloads.taken(row)]
                for key in payloads.staff_ids(row)
                if key in self._staff
            ]
            others = [
                stretch
                for body in self._availability(self._staff, start, end)
                for stretch in payloads.availability(body, free=False)
            ]
            return [*booked, *payloads.without(others, booked)]

    def disturbed(self, external_ids: Collection[str]) -> Mapping[str, str]:
        raise NotImplementedError("Its appointments can be read.")

    def find(self, entry: Entry) -> Standing | None:
        """On the day that we mean, or else anywhere ahead. Notes of the staff are only given with
        an appointment read by its id, so those of the very same time are read one by one when the
        reference is nowhere else.
        """
        with self._told():
            day = self._around(entry)
            found = self._ours(day, entry) or self._by_notes(day, entry)
            if found is None:
                now = clock.now()
                found = self._ours(list(self._view(now, now + HORIZON)), entry)
            return found

    # --- writing --------------------------------------------------------------------------------

    def book(self, entry: Entry) -> Standing:
        """Look, then write: what stands under our reference is not written twice, and a time that
        is taken is said to be.
        """
        self._must_fit(entry)
        with self._told():
            day = self._around(entry)
            standing = self._ours(day, entry)
            if standing is not None:
                return standing if _is_there(standing, entry) else self.move(standing, entry)
            if any(_clash(row, entry) for row in day):
                raise _rejected("taken")
            body = payloads.booking(entry, service_id=self._service)
            made = self._send("POST", "appointments", body=body)
            return payloads.standing(made)

    def move(self, standing: Standing, entry: Entry) -> Standing:
        """Our practice's own word is the last: what was changed there meanwhile is changed over.
        Raises ProviderError `not_found` when it does not stand there any more.
        """
        self._must_fit(entry)
        with self._told():
            self._change("PATCH", standing, payloads.placement(entry))
        return Standing(external_id=standing.external_id, starts_at=entry.starts_at)

    def cancel(self, standing: Standing, entry: Entry) -> None:
        """Delete: /cancel, which would write to the customer, is not for applications."""
        with self._told():
            try:
                self._change("DELETE", standing, None)
            except ProviderError as error:
                if error.code != "not_found":
                    raise

    # --- inside ---------------------------------------------------------------------------------

    @contextmanager
    def _told(self) -> Iterator[None]:
        """A permission that is missing is the connection's fault and needs an administrator."""
        try:
            with careful():
                yield
        except ProviderError as error:
            if error.code in list(Needs):
                connections.failed(
                    connection=self._connection, code=error.code, actor=ACTOR, refused=True
                )
            raise

    def _send(self, method: str, *parts: str, body: Any = None) -> Any:
        path = path_of(self._business, *parts)
        return self._graph.send(method, path, body=body, needs=Needs.WRITE)

    def _change(self, method: str, standing: Standing, body: Any) -> None:
        """Once more when somebody changed it at the same moment: that was refused for certain."""
        try:
            self._send(method, "appointments", standing.external_id, body=body)
        except ProviderError as error:
            if error.code != "changed_there":
                raise
            self._send(method, "appointments", standing.external_id, body=body)

    def _view(self, start: datetime, end: datetime) -> Iterator[Any]:
        path = path_of(self._business, "calendarView")
        return self._graph.rows(path, **payloads.window(start, end))

    def _ask(self, external_id: str) -> RemoteAppointment | None:
        row = self._read(external_id)
        return None if row is None else payloads.appointment(row)

    def _read(self, external_id: str) -> Any:
        try:
            return self._graph.get(path_of(self._business, "appointments", external_id))
        except ProviderError as error:
            if error.code == "not_found":
                return None
            raise

    def _around(self, entry: Entry) -> list[Any]:
        """The appointments of the day in London."""
        start = clock.at_london(clock.london(entry.starts_at).date(), time())
        return list(self._view(start, start + timedelta(days=1)))

    def _ours(self, rows: list[Any], entry: Entry) -> Standing | None:
        """With our reference, the one at the right time first."""
        found = [
            payloads.standing(row) for row in rows if payloads.reference(row) == entry.reference
        ]
        return next((each for each in found if _is_there(each, entry)), next(iter(found), None))

    def _by_notes(self, rows: list[Any], entry: Entry) -> Standing | None:
        for row in rows:
            if payloads.reference(row) or payloads.times(row)[0] != entry.starts_at:
                continue
            whole = self._read(payloads.standing(row).external_id)
            if whole is not None and payloads.reference(whole) == entry.reference:
                return payloads.standing(whole)
        return None

    def _availability(self, staff: list[str], start: datetime, end: datetime) -> Iterator[Any]:
        """In steps of a month; the end of a stretch that long is documented nowhere."""
        at = start
        while staff and at < end:
            until = min(end, at + AVAILABILITY_STEP)
            wish = payloads.availability_wish(staff, at, until)
            path = path_of(self._business, "getStaffAvailability")
            yield self._graph.send("POST", path, body=wish)
            at = until

    def _must_fit(self, entry: Entry) -> None:
        """What Bookings refuses without saying why is refused here, with the reason."""
        if not entry.diary_id:
            raise _rejected("no_staff")
        if entry.ends_at - entry.starts_at != timedelta(minutes=self._minutes):
            raise _rejected("wrong_length")


def _is_there(standing: Standing, entry: Entry) -> bool:
    return standing.starts_at == entry.starts_at


def _clash(row: Any, entry: Entry) -> bool:
    begins, ends = payloads.taken(row)
    with_them = entry.diary_id in payloads.staff_ids(row)
    return with_them and begins < entry.ends_at and ends > entry.starts_at


def _rejected(code: str) -> ProviderError:
    return ProviderError(ProviderKind.REJECTED, f"Bookings cannot take it: {code}.", code)
