"""A practice's Google calendar as a connector, through Google's own library.

How a request is made is `line`'s. Every failure leaves as ProviderError.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings

from integrations.google_calendar import payloads, spans
from integrations.google_calendar.line import Answer, Line, unreadable
from integrations.google_calendar.spans import Span
from integrations.models import Connection
from integrations.pms.connector import (
    DELETED_THERE,
    MOVED_THERE,
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
from sightsync.lib.errors import ProviderError, ProviderKind

LONGEST_QUESTION = timedelta(days=60)
"""Google refuses to tell free and busy times of too long a stretch at once."""
_EVENT_FIELDS = (
    "nextPageToken,items(id,status,start,end,transparency,eventType,"
    "attendees(self,responseStatus),extendedProperties/private)"
)
"""When, and whether it is ours: no title and no guest leaves Google."""


class GoogleCalendar:
    """One practice's calendar. Without a calendar chosen it can only tell which there are."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._line = Line(connection)
        self._practice_id = connection.practice.public_id
        self._calendar = str(connection.settings.get("calendar_id") or "")
        chosen = bool(self._calendar)
        self.capabilities = Capabilities(
            reads_busy_times=chosen,
            writes_appointments=chosen,
            finds_by_reference=chosen,
            tells_of_ours=chosen,
        )
        self._met: set[str] = set()

    # --- what can be asked ----------------------------------------------------------------------

    def test(self) -> Site:
        if not self._calendar:
            return Site(name=str(self._connection.settings.get("account", "")))
        entry = self._line.call(lambda api: api.calendarList().get(calendarId=self._calendar)).body
        return Site(name=_text(entry, "summary"))

    def diaries(self) -> Sequence[RemoteDiary]:
        """The calendars that the account may write, its own first."""
        return [
            RemoteDiary(external_id=_text(each, "id"), name=_text(each, "summary"))
            for each in sorted(self.calendars(), key=lambda each: not each.get("primary"))
        ]

    def calendars(self) -> list[dict[str, Any]]:
        return list(
            self._line.pages(
                lambda api, token: api.calendarList().list(
                    minAccessRole="writer", maxResults=250, pageToken=token
                )
            )
        )

    def busy(self, *, start: datetime, end: datetime) -> Sequence[Stretch]:
        """When the calendar is taken by anything but our own appointments."""
        taken: list[Span] = []
        since = start
        while since < end:
            until = min(end, since + LONGEST_QUESTION)
            taken += self._taken(since, until)
            since = until
        own, others = self._events(start, end)
        return [
            # A name of its own, or what is ours would be taken out a second time.
            Stretch(starts_at=opens, ends_at=closes, external_id=f"{opens:%Y%m%dT%H%M%z}")
            for opens, closes in spans.foreign(busy=taken, own=own, others=others)
        ]

    def disturbed(self, external_ids: Collection[str]) -> Mapping[str, str]:
        """Asked one by one, so that what lies outside of what was read is not taken for deleted."""
        fates = {key: self._fate(key) for key in external_ids if key not in self._met}
        return {key: fate for key, fate in fates.items() if fate}

    def _fate(self, key: str) -> str:
        found = self._get(key)
        if found is None:  # it may stand in the calendar that was chosen before
            return "" if self._connection.settings.get("earlier_calendars") else DELETED_THERE
        if payloads.is_cancelled(found):
            return DELETED_THERE
        return "" if payloads.is_where_we_put_it(found, self._practice_id) else MOVED_THERE

    def patients(self, *, since: datetime | None, cursor: str = "") -> Page[RemotePatient]:
        raise NotImplementedError("A calendar has no patients.")

    def appointments(self, *, since: datetime | None, cursor: str = "") -> Page[RemoteAppointment]:
        raise NotImplementedError("Events of others are private: only their times are read.")

    def free(self, *, start: datetime, end: datetime, diary_id: str = "") -> Sequence[Stretch]:
        raise NotImplementedError("A calendar has busy times, and no opening hours.")

    # --- our appointments -----------------------------------------------------------------------

    def book(self, entry: Entry) -> Standing:
        """Insert, or make what stands under our id what it should be. Twice makes one event.

        A deleted event keeps its id: it is taken up again, and where Google forbids that the
        appointment goes on to its next id.
        """
        for generation in range(payloads.GENERATIONS):
            key = payloads.event_id(entry.reference, generation)
            body = {**self._event(entry), "id": key}
            answer = self._line.call(
                lambda api, body=body: api.events().insert(calendarId=self._calendar, body=body),
                expect={409},
            )
            if answer.status != 409:
                return _standing(answer.body)
            found = self._take_up(key, entry)
            if found is not None:
                return found
        raise self._line.failed(ProviderError(ProviderKind.REJECTED, "No id is left.", "id_taken"))

    def move(self, standing: Standing, entry: Entry) -> Standing:
        """Only the time: what staff have written into the event stays."""
        answer = self._patch(standing.external_id, entry, standing.version)
        if answer.status == 412:  # somebody edited it since; the appointment's time still counts
            found = self._get(standing.external_id)
            if found is None or payloads.is_cancelled(found):
                return self.book(entry)
            answer = self._patch(standing.external_id, entry, _text(found, "etag"))
        if answer.status == 412:
            raise _edited()
        if answer.status == 200:
            return _standing(answer.body)
        if answer.status == 404:
            self._clear_earlier(standing.external_id)
        return self.book(entry)

    def cancel(self, standing: Standing, entry: Entry) -> None:
        status = self._delete(self._calendar, standing.external_id)
        if status == 404:
            self._clear_earlier(standing.external_id)

    def find(self, entry: Entry) -> Standing | None:
        for generation in range(payloads.GENERATIONS):
            found = self._get(payloads.event_id(entry.reference, generation))
            if found is None:
                return None
            if not payloads.is_cancelled(found) and self._is_ours(found, entry):
                return _standing(found)
        return None

    def write_test(self, *, starts_at: datetime) -> None:
        """An event that shows people that bookings reach the calendar. It keeps nothing busy."""
        body = payloads.test_event(starts_at)
        self._line.call(lambda api: api.events().insert(calendarId=self._calendar, body=body))

    # --- pieces ---------------------------------------------------------------------------------

    def _event(self, entry: Entry) -> dict[str, Any]:
        return payloads.event(
            entry,
            practice_id=self._practice_id,
            settings=self._connection.settings,
            page_url=f"{settings.PUBLIC_BASE_URL}/appointments/{entry.reference}",
        )

    def _take_up(self, key: str, entry: Entry) -> Standing | None:
        """What stands under our id, made as it should be; None when it cannot be ours."""
        found = self._get(key)
        if found is None or not self._is_ours(found, entry):
            return None
        if payloads.is_where_we_put_it(found, self._practice_id) and not _differs(found, entry):
            return _standing(found)
        answer = self._line.call(
            lambda api: api.events().update(
                calendarId=self._calendar, eventId=key, body=self._event(entry)
            ),
            expect={403, 404, 410} if payloads.is_cancelled(found) else {404, 410},
        )
        return _standing(answer.body) if answer.status == 200 else None

    def _is_ours(self, event: dict[str, Any], entry: Entry) -> bool:
        """Deleted events may have lost everything but their id, which only we could have made."""
        reference = payloads.private(event).get(payloads.REFERENCE)
        return reference == entry.reference or (reference is None and payloads.is_cancelled(event))

    def _get(self, key: str) -> dict[str, Any] | None:
        answer = self._line.call(
            lambda api: api.events().get(calendarId=self._calendar, eventId=key),
            expect={404, 410},
        )
        return answer.body if answer.status == 200 else None

    def _patch(self, key: str, entry: Entry, etag: str) -> Answer:
        def ask(api: Any) -> Any:
            request = api.events().patch(
                calendarId=self._calendar,
                eventId=key,
                body=payloads.times(entry, self._practice_id),
            )
            if etag:
                request.headers["If-Match"] = etag
            return request

        return self._line.call(ask, expect={403, 404, 410, 412})

    def _delete(self, calendar: str, key: str) -> int:
        return self._line.call(
            lambda api: api.events().delete(calendarId=calendar, eventId=key), expect={404, 410}
        ).status

    def _clear_earlier(self, key: str) -> None:
        """Take an event out of the calendars that were chosen before this one."""
        for calendar in self._connection.settings.get("earlier_calendars", []):
            self._line.call(
                lambda api, calendar=calendar: api.events().delete(
                    calendarId=calendar, eventId=key
                ),
                expect={403, 404, 410},
            )

    def _taken(self, start: datetime, end: datetime) -> list[Span]:
        wish = {
            "timeMin": start.astimezone(UTC).isoformat(),
            "timeMax": end.astimezone(UTC).isoformat(),
            "items": [{"id": self._calendar}],
        }
        body = self._line.call(lambda api: api.freebusy().query(body=wish)).body
        found = body.get("calendars", {}).get(self._calendar)
        if not isinstance(found, dict):
            raise self._line.failed(unreadable())
        if found.get("errors"):
            raise self._line.failed(_not_told(str(found["errors"][0].get("reason", ""))))
        try:
            return [
                (datetime.fromisoformat(each["start"]), datetime.fromisoformat(each["end"]))
                for each in found.get("busy", [])
            ]
        except (KeyError, ValueError, TypeError) as error:
            raise self._line.failed(unreadable()) from error

    def _events(self, start: datetime, end: datetime) -> tuple[list[Span], list[Span]]:
        """Our own events, and the others that keep their time busy."""
        own: list[Span] = []
        others: list[Span] = []
        window = {
            "timeMin": start.astimezone(UTC).isoformat(),
            "timeMax": end.astimezone(UTC).isoformat(),
            "singleEvents": True,
            "maxResults": 2500,
            "fields": _EVENT_FIELDS,
        }
        for event in self._line.pages(
            lambda api, token: api.events().list(
                calendarId=self._calendar, pageToken=token, **window
            )
        ):
            if not payloads.keeps_busy(event):
                continue
            try:
                span = payloads.moment(event["start"]), payloads.moment(event["end"])
            except (KeyError, ValueError, TypeError):
                continue  # freeBusy has counted it already
            mine = payloads.is_where_we_put_it(event, self._practice_id)
            (own if mine else others).append(span)
            self._met.update([str(event.get("id"))] if mine else [])
        return own, others


def connector_for(connection: Connection) -> GoogleCalendar:
    return GoogleCalendar(connection)


def _differs(event: dict[str, Any], entry: Entry) -> bool:
    """Whether the event stands at another time than the appointment, or is deleted."""
    sides = payloads.moment(event["start"]), payloads.moment(event["end"])
    return payloads.is_cancelled(event) or sides != (entry.starts_at, entry.ends_at)


def _standing(event: dict[str, Any]) -> Standing:
    try:
        starts_at = payloads.moment(event["start"])
        return Standing(
            external_id=str(event["id"]), version=str(event.get("etag", "")), starts_at=starts_at
        )
    except (KeyError, ValueError, TypeError) as error:
        raise unreadable() from error


def _text(row: dict[str, Any], key: str) -> str:
    return str(row.get(key, ""))


def _edited() -> ProviderError:
    return ProviderError(ProviderKind.TEMPORARY, "Somebody edits the event.", "edited")


def _not_told(reason: str) -> ProviderError:
    if reason == "notFound":
        return ProviderError(ProviderKind.REJECTED, "The calendar is not there.", "no_calendar")
    return ProviderError(ProviderKind.TEMPORARY, "Google did not tell busy times.", "server_error")
