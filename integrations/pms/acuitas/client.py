"""Acuitas: JSON over HTTPS, site and key by HTTP Basic, numbered pages, times by London's clocks.
README.md has the wire format that is assumed.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import quote

from integrations import connections
from integrations.models import Connection
from integrations.pms import fields
from integrations.pms.acuitas import payloads
from integrations.pms.connector import (
    Entry,
    Page,
    RemoteAppointment,
    RemoteDiary,
    RemotePatient,
    Site,
    Standing,
    Stretch,
)
from integrations.pms.pace import Rate
from integrations.pms.system import (
    PAGE,
    System,
    appointments_of,
    busy_of,
    careful,
    patients_of,
    wire_for,
)
from integrations.pms.walk import Walk
from integrations.pms.wire import Refusal
from sightsync.lib.errors import ProviderError, ProviderKind

RATE = Rate(per_second=5, burst=40)
_ERRORS = {1401: "auth", 1404: "not_found", 1409: "taken"}
"""Acuitas answers 400 to nearly everything, and says why in ErrorNo."""


def connector_for(connection: Connection) -> "Acuitas":
    kept = connections.credential(connection)
    return Acuitas(
        wire_for(
            connection,
            "acuitas",
            RATE,
            {},
            auth=(kept.get("site_id", ""), kept.get("api_key", "")),
        ),
        fields.merged(payloads.FIELD_MAP, connection.settings.get("field_map")),
    )


@contextmanager
def _careful() -> Iterator[None]:
    with careful():
        try:
            yield
        except Refusal as refusal:
            number = refusal.body.get("ErrorNo")
            code = _ERRORS.get(number) if isinstance(number, int) else None
            if refusal.kind != ProviderKind.REJECTED or code is None:
                raise
            raise ProviderError(refusal.kind, refusal.message, code) from refusal


class Acuitas(System):
    """One practice's Acuitas."""

    def test(self) -> Site:
        with _careful():
            found = self.wire.get("/api/practice")
            if not isinstance(found, Mapping) or not fields.text(found.get("PracticeName")):
                raise fields.UnreadableError
            return Site(
                name=fields.text(found["PracticeName"]), version=fields.text(found.get("Version"))
            )

    def diaries(self) -> Sequence[RemoteDiary]:
        with _careful():
            found = self.wire.get("/api/clinics")
            return [payloads.diary(each) for each in fields.records(found, "Clinics")]

    def patients(self, *, since: datetime | None, cursor: str = "") -> Page[RemotePatient]:
        with _careful():
            found, rows, follows = self._page(
                "/api/patients", "Patients", _since(since), cursor, self.patients_walk
            )
            items = patients_of(
                rows, "PatientNo", lambda row, key: payloads.patient(row, key, self.field_map)
            )
            return Page(items=items, next_cursor=follows, as_of=_as_of(found))

    def appointments(self, *, since: datetime | None, cursor: str = "") -> Page[RemoteAppointment]:
        with _careful():
            found, rows, follows = self._page(
                "/api/appointments", "Appointments", _since(since), cursor, self.appointments_walk
            )
            items = appointments_of(rows, payloads.appointment)
            return Page(items=items, next_cursor=follows, as_of=_as_of(found))

    def free(self, *, start: datetime, end: datetime, diary_id: str = "") -> Sequence[Stretch]:
        asked = _days(start, end)
        if diary_id:
            asked["clinic"] = diary_id
        with _careful():
            found = self.wire.get("/api/diary/free", **asked)
            slots = [payloads.slot(each) for each in fields.records(found, "Free")]
        return [each for each in slots if start <= each.starts_at and each.ends_at <= end]

    def busy(self, *, start: datetime, end: datetime) -> Sequence[Stretch]:
        walk, cursor, items = Walk(), "", list[RemoteAppointment]()
        with _careful():
            while True:
                _, rows, cursor = self._page(
                    "/api/appointments", "Appointments", _days(start, end), cursor, walk
                )
                items += appointments_of(rows, payloads.appointment)
                if not cursor:
                    return busy_of(items, start, end)

    def book(self, entry: Entry) -> Standing:
        """Twice is twice: whoever does not know what became of the first asks `find` instead."""
        with _careful():
            answer = self.wire.send("POST", "/api/appointments", body=payloads.booking(entry))
            return payloads.standing(answer.body)

    def move(self, standing: Standing, entry: Entry) -> Standing:
        with _careful():
            answer = self.wire.send("PUT", _one(standing), body=payloads.booking(entry))
            return payloads.standing(answer.body)

    def cancel(self, standing: Standing, entry: Entry) -> None:
        try:
            with _careful():
                self.wire.send("DELETE", _one(standing))
        except ProviderError as error:
            # Any web server can say 404; what Acuitas itself says has been taken out of its number.
            if error.code != "not_found" or isinstance(error, Refusal):
                raise

    def find(self, entry: Entry) -> Standing | None:
        with _careful():
            found = self.wire.get("/api/appointments", web_ref=entry.reference)
            rows = fields.records(found, "Appointments")
            live = [row for row in rows if row.get("Status") != "X"]
            return payloads.standing(live[0]) if live else None

    def _page(
        self, path: str, key: str, asked: Mapping[str, str], cursor: str, walk: Walk
    ) -> tuple[Any, list[Mapping[str, Any]], str]:
        """What was answered, its rows, and the number of the next page."""
        number = int(cursor or "1")
        walk.begins(cursor)
        found = self.wire.get(path, **asked, page=number, per_page=PAGE)
        rows = fields.records(found, key)
        follows = str(number + 1) if number < fields.count(found, "Pages") else ""
        return found, rows, walk.follows(follows, rows=len(rows))


def _one(standing: Standing) -> str:
    return f"/api/appointments/{quote(standing.external_id, safe='')}"


def _since(since: datetime | None) -> dict[str, str]:
    if since is None:
        return {}
    return {"modified_from": since.astimezone(fields.LONDON).strftime(payloads.MOMENT)}


def _days(start: datetime, end: datetime) -> dict[str, str]:
    """The days that a stretch touches, both included."""
    first, last = (moment.astimezone(fields.LONDON) for moment in (start, end))
    return {"date_from": first.strftime(payloads.DAY), "date_to": last.strftime(payloads.DAY)}


def _as_of(page: Any) -> datetime | None:
    told = fields.at(page, "Generated")
    return None if told is None else fields.wall(told, payloads.MOMENT)
