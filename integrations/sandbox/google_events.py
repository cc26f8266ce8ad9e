"""Speaks Google Calendar v3: the list of calendars, free and busy times, events with etags."""

import functools
import re
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from integrations.sandbox.google_memory import (
    OWNER,
    READER,
    SCOPE,
    Calendar,
    Event,
    Google,
    GoogleError,
    Grant,
    google_of,
    refusal,
)
from integrations.sandbox.world import world_of
from sightsync.lib import clock

routes = web.RouteTableDef()
BASE = "/google/calendar/v3"
EVENTS = BASE + "/calendars/{calendar}/events"
EVENT_ID = re.compile(r"[a-v0-9]{5,1024}")
LONGEST_QUESTION = timedelta(days=92)
ANY = frozenset({"calendar"})
LISTS = ANY | {"calendar.calendarlist.readonly", "calendar.readonly"}
FREE = ANY | {"calendar.freebusy", "calendar.readonly"}
WRITES = ANY | {"calendar.events"}

Handler = Callable[[web.Request], Awaitable[web.Response]]
Answer = Callable[[web.Request, Google, Grant], Awaitable[web.Response]]


def _for(scopes: frozenset[str]) -> Callable[[Answer], Handler]:
    """A request of somebody who was permitted one of the scopes."""

    def decorate(answer: Answer) -> Handler:
        @functools.wraps(answer)
        async def handler(request: web.Request) -> web.Response:
            google = google_of(request)
            try:
                if error := google.refused(f"{request.method} {request.path}"):
                    raise error
                return await answer(request, google, _grant(request, google, scopes))
            except GoogleError as error:
                return error.response()

        return handler

    return decorate


def _grant(request: web.Request, google: Google, scopes: frozenset[str]) -> Grant:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    grant = google.grant_of_access(token)
    if grant is None or grant.revoked or grant.access[token] <= clock.real_now():
        raise refusal(401, "authError")
    if not grant.scopes & {SCOPE + scope for scope in scopes}:
        raise refusal(403, "insufficientPermissions")
    return grant


@routes.get(BASE + "/users/me/calendarList")
@_for(LISTS)
async def calendar_list(request: web.Request, google: Google, grant: Grant) -> web.Response:
    wanted = {OWNER, "writer"} if request.query.get("minAccessRole") == "writer" else None
    found = [
        calendar.as_json()
        for calendar in grant.account.calendars.values()
        if wanted is None or calendar.role in wanted
    ]
    return _paged(request, google, "calendar#calendarList", found)


@routes.get(BASE + "/users/me/calendarList/{calendar}")
@_for(LISTS)
async def calendar_entry(request: web.Request, google: Google, grant: Grant) -> web.Response:
    return web.json_response(_calendar(request, grant).as_json())


@routes.post(BASE + "/freeBusy")
@_for(FREE)
async def free_busy(request: web.Request, google: Google, grant: Grant) -> web.Response:
    wish = await request.json()
    start, end = _instant(wish["timeMin"]), _instant(wish["timeMax"])
    if end - start > LONGEST_QUESTION:
        raise refusal(400, "timeRangeTooLong")
    found: dict[str, Any] = {}
    for item in wish["items"]:
        calendar = grant.account.calendars.get(item["id"])
        if calendar is None:
            errors = [{"domain": "global", "reason": "notFound"}]
            found[item["id"]] = {"errors": errors, "busy": []}
        else:
            found[item["id"]] = {"busy": _merged(_busy(calendar, start, end))}
    body = {"kind": "calendar#freeBusy", "timeMin": wish["timeMin"], "timeMax": wish["timeMax"]}
    return web.json_response({**body, "calendars": found})


@routes.get(EVENTS)
@_for(WRITES)
async def event_list(request: web.Request, google: Google, grant: Grant) -> web.Response:
    calendar, query = _calendar(request, grant), request.query
    start, end = _instant(query["timeMin"]), _instant(query["timeMax"])
    found = [
        event.as_json()
        for event in sorted(calendar.live(), key=lambda event: event.span)
        if event.span[0] < end and event.span[1] > start
    ]
    return _paged(request, google, "calendar#events", found)


@routes.post(EVENTS)
@_for(WRITES)
async def insert(request: web.Request, google: Google, grant: Grant) -> web.Response:
    calendar = _calendar(request, grant, writing=True)
    body = await request.json()
    key = str(body.pop("id", ""))
    if not EVENT_ID.fullmatch(key):
        raise refusal(400, "invalid")
    if key in calendar.events:
        raise refusal(409, "duplicate")
    now = world_of(request).clock.now()
    event = Event(id=key, body=_checked(body), created=now, updated=now)
    calendar.events[key] = event
    return web.json_response(event.as_json())


@routes.get(EVENTS + "/{event}")
@_for(WRITES)
async def get(request: web.Request, google: Google, grant: Grant) -> web.Response:
    return web.json_response(_event(request, _calendar(request, grant)).as_json())


@routes.patch(EVENTS + "/{event}")
@routes.put(EVENTS + "/{event}")
@_for(WRITES)
async def change(request: web.Request, google: Google, grant: Grant) -> web.Response:
    """PUT replaces all of the event, PATCH what is given; either revives a deleted one."""
    event = _event(request, _calendar(request, grant, writing=True))
    _match(request, event)
    if event.purged:
        raise refusal(403, "forbidden")
    given = await request.json()
    event.body = _checked(given if request.method == "PUT" else _mixed(event.body, given))
    event.version += 1
    event.updated = world_of(request).clock.now()
    return web.json_response(event.as_json())


@routes.delete(EVENTS + "/{event}")
@_for(WRITES)
async def delete(request: web.Request, google: Google, grant: Grant) -> web.Response:
    event = _event(request, _calendar(request, grant, writing=True))
    if event.cancelled:
        raise refusal(410, "deleted")
    _match(request, event)
    event.body = {**event.body, "status": "cancelled"}
    event.version += 1
    return web.Response(status=204)


def _calendar(request: web.Request, grant: Grant, *, writing: bool = False) -> Calendar:
    calendar = grant.account.calendars.get(request.match_info["calendar"])
    if calendar is None:
        raise refusal(404, "notFound")
    if writing and calendar.role == READER:
        raise refusal(403, "requiredAccessLevel")
    return calendar


def _event(request: web.Request, calendar: Calendar) -> Event:
    event = calendar.events.get(request.match_info["event"])
    if event is None:
        raise refusal(404, "notFound")
    return event


def _match(request: web.Request, event: Event) -> None:
    wanted = request.headers.get("If-Match", "*")
    if wanted not in ("*", event.etag):
        raise refusal(412, "conditionNotMet")


def _checked(body: dict[str, Any]) -> dict[str, Any]:
    event = Event(id="", body=body, created=clock.real_now(), updated=clock.real_now())
    try:
        start, end = event.span
    except (KeyError, ValueError) as error:
        raise GoogleError(400, "required", "Missing end time.") from error
    if end < start:
        raise GoogleError(400, "timeRangeEmpty", "The specified time range is empty.")
    return body


def _mixed(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Patch semantics: objects are merged, null removes, all else replaces."""
    mixed = dict(old)
    for key, value in new.items():
        if value is None:
            mixed.pop(key, None)
        elif isinstance(value, dict) and isinstance(mixed.get(key), dict):
            mixed[key] = _mixed(mixed[key], value)
        else:
            mixed[key] = value
    return mixed


def _busy(
    calendar: Calendar, start: datetime, end: datetime
) -> Iterable[tuple[datetime, datetime]]:
    for event in calendar.live():
        opens, closes = event.span
        if event.body.get("transparency") != "transparent" and opens < end and closes > start:
            yield max(opens, start), min(closes, end)


def _merged(spans: Iterable[tuple[datetime, datetime]]) -> list[dict[str, str]]:
    found: list[tuple[datetime, datetime]] = []
    for opens, closes in sorted(spans):
        if found and opens <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], closes))
        else:
            found.append((opens, closes))
    return [{"start": a.isoformat(), "end": b.isoformat()} for a, b in found]


def _paged(
    request: web.Request, google: Google, kind: str, items: list[dict[str, Any]]
) -> web.Response:
    """`maxResults` at a time, never more than the server's own limit."""
    size = min(int(request.query.get("maxResults", 250)), google.page_size)
    start = int(request.query.get("pageToken", 0))
    body: dict[str, Any] = {"kind": kind, "items": items[start : start + size]}
    if start + size < len(items):
        body["nextPageToken"] = str(start + size)
    return web.json_response(body)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
