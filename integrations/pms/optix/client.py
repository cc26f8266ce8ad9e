"""Optix: JSON over HTTPS, a bearer key, pages that link to the next. README.md has the wire format
that is assumed.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from integrations import connections
from integrations.models import Connection
from integrations.pms import fields
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
from integrations.pms.optix import payloads
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

RATE = Rate(per_second=10, burst=60)


def connector_for(connection: Connection) -> "Optix":
    key = connections.credential(connection).get("api_key", "")
    return Optix(
        wire_for(connection, "optix", RATE, {"Authorization": f"Bearer {key}"}),
        fields.merged(payloads.FIELD_MAP, connection.settings.get("field_map")),
    )


class Optix(System):
    """One practice's Optix."""

    def test(self) -> Site:
        with careful():
            found = self.wire.get("/v2/practice")
            if not isinstance(found, Mapping):
                raise fields.UnreadableError
            name = fields.text(found.get("name"))
            if not name:
                raise fields.UnreadableError
            return Site(name=name, version=fields.text(found.get("version")))

    def diaries(self) -> Sequence[RemoteDiary]:
        with careful():
            found = self.wire.get("/v2/diaries")
            return [payloads.diary(each) for each in fields.records(found, "data")]

    def patients(self, *, since: datetime | None, cursor: str = "") -> Page[RemotePatient]:
        with careful():
            found, rows, follows = self._page("/v2/patients", since, cursor, self.patients_walk)
            items = patients_of(
                rows, "id", lambda row, key: payloads.patient(row, key, self.field_map)
            )
            return Page(items=items, next_cursor=follows, as_of=_as_of(found))

    def appointments(self, *, since: datetime | None, cursor: str = "") -> Page[RemoteAppointment]:
        with careful():
            found, rows, follows = self._page(
                "/v2/appointments", since, cursor, self.appointments_walk
            )
            items = appointments_of(rows, payloads.appointment)
            return Page(items=items, next_cursor=follows, as_of=_as_of(found))

    def free(self, *, start: datetime, end: datetime, diary_id: str = "") -> Sequence[Stretch]:
        asked = {"from": start.isoformat(), "to": end.isoformat()}
        if diary_id:
            asked["diaryId"] = diary_id
        with careful():
            found = self.wire.get("/v2/slots", **asked)
            return [payloads.slot(each) for each in fields.records(found, "data")]

    def busy(self, *, start: datetime, end: datetime) -> Sequence[Stretch]:
        asked: dict[str, str | int] = {
            "from": start.isoformat(),
            "to": end.isoformat(),
            "pageSize": PAGE,
        }
        walk, cursor, items = Walk(), "", list[RemoteAppointment]()
        with careful():
            while True:
                walk.begins(cursor)
                found = self.wire.get("/v2/appointments", **asked)
                rows = fields.records(found, "data")
                items += appointments_of(rows, payloads.appointment)
                cursor = walk.follows(_next(found), rows=len(rows))
                if not cursor:
                    return busy_of(items, start, end)
                asked["cursor"] = cursor

    def book(self, entry: Entry) -> Standing:
        """The same reference again gives what stands."""
        with careful():
            answer = self.wire.send("POST", "/v2/appointments", body=payloads.booking(entry))
            return payloads.standing(answer.body)

    def move(self, standing: Standing, entry: Entry) -> Standing:
        path = f"/v2/appointments/{quote(standing.external_id, safe='')}"
        with careful():
            answer = self.wire.send("PATCH", path, body=payloads.times(entry))
            return payloads.standing(answer.body)

    def cancel(self, standing: Standing, entry: Entry) -> None:
        path = f"/v2/appointments/{quote(standing.external_id, safe='')}/cancel"
        try:
            self.wire.send("POST", path, body={"reason": "cancelled"})
        except Refusal as refusal:
            # Any web server can say 404; only Optix can say that it has no such appointment.
            if fields.at(refusal.body, "error.code") != "unknown_appointment":
                raise

    def find(self, entry: Entry) -> Standing | None:
        with careful():
            found = self.wire.get("/v2/appointments", externalReference=entry.reference)
            rows = fields.records(found, "data")
            live = [row for row in rows if row.get("status") != "cancelled"]
            return payloads.standing(live[0]) if live else None

    def _page(
        self, path: str, since: datetime | None, cursor: str, walk: Walk
    ) -> tuple[Any, list[Mapping[str, Any]], str]:
        """What was answered, its rows, and the cursor of the next page."""
        asked: dict[str, str | int] = {"pageSize": PAGE}
        if since is not None:
            asked["updatedSince"] = since.isoformat()
        if cursor:
            asked["cursor"] = cursor
        walk.begins(cursor)
        found = self.wire.get(path, **asked)
        rows = fields.records(found, "data")
        return found, rows, walk.follows(_next(found), rows=len(rows))


def _next(page: Any) -> str:
    """The cursor in the link to the next page. Only that: a link could lead anywhere."""
    link = fields.at(page, "links.next")
    if link is None:
        return ""
    if not isinstance(link, str):
        raise fields.UnreadableError
    cursors = parse_qs(urlsplit(link).query).get("cursor", [])
    if not cursors:
        raise fields.UnreadableError
    return cursors[0]


def _as_of(page: Any) -> datetime | None:
    told = fields.at(page, "meta.serverTime")
    return None if told is None else fields.instant(told)
