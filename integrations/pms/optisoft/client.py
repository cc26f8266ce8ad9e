"""Optisoft: JSON over HTTPS, a key that opens a session with a signed token, rows by offset, times
in seconds since 1970. README.md has the wire format that is assumed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

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
from integrations.pms.optisoft import payloads
from integrations.pms.pace import Rate
from integrations.pms.system import (
    EVERYTHING,
    PAGE,
    System,
    appointments_of,
    busy_of,
    careful,
    patients_of,
    wire_for,
)
from integrations.pms.walk import Walk
from integrations.pms.wire import Refusal, Wire

RATE = Rate(per_second=4, burst=40)
_TOKEN = re.compile(r"[!-~]{1,4000}")


def connector_for(connection: Connection) -> "Optisoft":
    key = connections.credential(connection).get("api_key", "")
    return Optisoft(
        wire_for(connection, "optisoft", RATE, {"X-Optisoft-Key": key}),
        fields.merged(payloads.FIELD_MAP, connection.settings.get("field_map")),
    )


class Optisoft(System):
    """One practice's Optisoft. Its session is opened with the first question, and again when the
    system says that it is over.
    """

    capabilities = replace(EVERYTHING, changes_theirs=False)
    """An appointment is addressed by our reference, which theirs have none of."""

    def __init__(self, wire: Wire, field_map: Mapping[str, str]) -> None:
        super().__init__(wire, field_map)
        self._token = ""

    def test(self) -> Site:
        with careful():
            found = self._ask("GET", "/connect/about")
            if not isinstance(found, Mapping) or not fields.text(found.get("practice")):
                raise fields.UnreadableError
            return Site(
                name=fields.text(found["practice"]), version=fields.text(found.get("build"))
            )

    def diaries(self) -> Sequence[RemoteDiary]:
        with careful():
            found = self._ask("GET", "/connect/rooms")
            return [payloads.diary(each) for each in fields.records(found, "rows")]

    def patients(self, *, since: datetime | None, cursor: str = "") -> Page[RemotePatient]:
        with careful():
            found, rows, follows = self._page(
                "/connect/px", _since(since), cursor, self.patients_walk
            )
            items = patients_of(
                rows, "px_no", lambda row, key: payloads.patient(row, key, self.field_map)
            )
            return Page(items=items, next_cursor=follows, as_of=_as_of(found))

    def appointments(self, *, since: datetime | None, cursor: str = "") -> Page[RemoteAppointment]:
        with careful():
            found, rows, follows = self._page(
                "/connect/appts", _since(since), cursor, self.appointments_walk
            )
            items = appointments_of(rows, payloads.appointment)
            return Page(items=items, next_cursor=follows, as_of=_as_of(found))

    def free(self, *, start: datetime, end: datetime, diary_id: str = "") -> Sequence[Stretch]:
        asked: dict[str, str | int] = {**_between(start, end)}
        if diary_id:
            asked["room"] = diary_id
        with careful():
            found = self._ask("GET", "/connect/free", asked)
            return [payloads.slot(each) for each in fields.records(found, "rows")]

    def busy(self, *, start: datetime, end: datetime) -> Sequence[Stretch]:
        walk, cursor, items = Walk(), "", list[RemoteAppointment]()
        with careful():
            while True:
                _, rows, cursor = self._page("/connect/appts", _between(start, end), cursor, walk)
                items += appointments_of(rows, payloads.appointment)
                if not cursor:
                    return busy_of(items, start, end)

    def book(self, entry: Entry) -> Standing:
        """One appointment stands under a reference: again changes it, and never makes two."""
        with careful():
            return payloads.standing(self._ask("PUT", _one(entry), body=payloads.booking(entry)))

    def move(self, standing: Standing, entry: Entry) -> Standing:
        return self.book(entry)

    def cancel(self, standing: Standing, entry: Entry) -> None:
        try:
            self._ask("DELETE", _one(entry))
        except Refusal as refusal:
            if not _says_none(refusal):
                raise

    def find(self, entry: Entry) -> Standing | None:
        with careful():
            try:
                found = self._ask("GET", _one(entry))
            except Refusal as refusal:
                if _says_none(refusal):
                    return None
                raise
            return payloads.standing(found)

    def _ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, str | int] | None = None,
        body: Any = None,
    ) -> Any:
        """With the session's token; once more with a new one when the old one was refused, which
        is before anything was done.
        """
        fresh = not self._token
        if fresh:
            self._open()
        try:
            return self._send(method, path, params, body)
        except Refusal as refusal:
            if fresh or refusal.body.get("err") != "TOKEN_EXPIRED":
                raise
        self._open()
        return self._send(method, path, params, body)

    def _send(self, method: str, path: str, params: Any, body: Any) -> Any:
        headers = {"X-Optisoft-Token": self._token}
        return self.wire.send(method, path, params=params, body=body, headers=headers).body

    def _open(self) -> None:
        with careful():
            token = fields.at(self.wire.send("POST", "/connect/session").body, "token")
            if not isinstance(token, str) or not _TOKEN.fullmatch(token):
                raise fields.UnreadableError
            self._token = token

    def _page(
        self, path: str, asked: Mapping[str, str | int], cursor: str, walk: Walk
    ) -> tuple[Any, list[Mapping[str, Any]], str]:
        """What was answered, its rows, and the offset of the next page."""
        offset = int(cursor or "0")
        walk.begins(cursor)
        found = self._ask("GET", path, {**asked, "offset": offset, "limit": PAGE})
        rows = fields.records(found, "rows")
        reached = offset + len(rows)
        follows = str(reached) if reached < fields.count(found, "total") else ""
        return found, rows, walk.follows(follows, rows=len(rows))


def _says_none(refusal: Refusal) -> bool:
    """Any web server can say 404; only Optisoft can say that it has no such appointment."""
    return refusal.status == 404 and refusal.body.get("err") == "NO_APPT"


def _one(entry: Entry) -> str:
    return f"/connect/appts/ref/{quote(entry.reference, safe='')}"


def _since(since: datetime | None) -> dict[str, int]:
    return {} if since is None else {"since": int(since.timestamp())}


def _between(start: datetime, end: datetime) -> dict[str, int]:
    return {"start": int(start.timestamp()), "end": int(end.timestamp())}


def _as_of(page: Any) -> datetime | None:
    told = fields.at(page, "now")
    return None if told is None else fields.epoch(told)
