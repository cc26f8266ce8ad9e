"""What tests and the demo do to the sandbox's Google from outside: people who work in it."""

import secrets
from datetime import datetime
from typing import Any

from aiohttp import web

from integrations.sandbox.google_memory import Calendar, Event, Google, Refusal, google_of
from integrations.sandbox.world import world_of
from sightsync.lib import clock

routes = web.RouteTableDef()
BASE = "/calendars/google"


@routes.get(BASE)
async def show(request: web.Request) -> web.Response:
    """Every calendar with its events, deleted ones too, and who has permitted what."""
    google = google_of(request)
    calendars = {
        calendar.id: [event.as_json() for event in calendar.events.values()]
        for _, calendar in google.calendars()
    }
    grants = [
        {"account": each.account.email, "scopes": sorted(each.scopes), "revoked": each.revoked}
        for each in google.grants
    ]
    return web.json_response({"calendars": calendars, "grants": grants})


@routes.post(f"{BASE}/events")
async def add_event(request: web.Request) -> web.Response:
    """Somebody writes `start` to `end` (ISO with offset) into `calendar`; `title`, `body`."""
    wish: dict[str, Any] = await request.json()
    calendar = _calendar(google_of(request), wish)
    event = busy_event(
        calendar,
        start=wish["start"],
        end=wish["end"],
        title=str(wish.get("title", "Busy")),
        now=world_of(request).clock.now(),
        more=wish.get("body", {}),
    )
    return web.json_response(event.as_json())


def busy_event(
    calendar: Calendar, *, start: str, end: str, title: str, now: datetime, more: dict[str, Any]
) -> Event:
    key = secrets.token_hex(13)
    body = {"summary": title, "start": {"dateTime": start}, "end": {"dateTime": end}, **more}
    event = Event(id=key, body=body, created=now, updated=now)
    calendar.events[key] = event
    return event


@routes.post(f"{BASE}/edit")
async def edit_event(request: web.Request) -> web.Response:
    """Somebody changes `event` of `calendar` by hand: `body` is laid over it."""
    wish: dict[str, Any] = await request.json()
    event = _calendar(google_of(request), wish).events[str(wish["event"])]
    event.body = {**event.body, **wish.get("body", {})}
    event.purged = bool(wish.get("purged", event.purged))
    event.version += 1
    return web.json_response(event.as_json())


@routes.post(f"{BASE}/remove")
async def remove_calendar(request: web.Request) -> web.Response:
    """Somebody deletes a calendar, or with `event` one event of it."""
    wish: dict[str, Any] = await request.json()
    google = google_of(request)
    calendar = _calendar(google, wish)
    if wish.get("event"):
        event = calendar.events[str(wish["event"])]
        event.body, event.version = {**event.body, "status": "cancelled"}, event.version + 1
    else:
        for account in google.accounts.values():
            account.calendars.pop(calendar.id, None)
    return web.json_response({"removed": True})


@routes.post(f"{BASE}/role")
async def change_role(request: web.Request) -> web.Response:
    """The owner lets the account only read `calendar` (`role`: reader), or write it again."""
    wish: dict[str, Any] = await request.json()
    _calendar(google_of(request), wish).role = str(wish["role"])
    return web.json_response({"role": wish["role"]})


@routes.post(f"{BASE}/revoke")
async def revoke(request: web.Request) -> web.Response:
    """A person takes back what they permitted, in their Google account (`account`, or all)."""
    wish: dict[str, Any] = await request.json()
    google = google_of(request)
    for grant in google.grants:
        if wish.get("account") in (None, grant.account.email):
            google.revoke(grant)
    return web.json_response({"revoked": True})


@routes.post(f"{BASE}/expire")
async def expire(request: web.Request) -> web.Response:
    """All access tokens run out, as they do after an hour; `narrow` takes scopes away as well."""
    wish: dict[str, Any] = await request.json()
    for grant in google_of(request).grants:
        grant.access = dict.fromkeys(grant.access, clock.real_now())
        grant.scopes -= frozenset(wish.get("narrow", []))
    return web.json_response({"expired": True})


@routes.post(f"{BASE}/refuse")
async def refuse(request: web.Request) -> web.Response:
    """`status` and `reason` for the next `times` requests with `match` in "METHOD /path"."""
    wish: dict[str, Any] = await request.json()
    row = Refusal(
        status=int(wish["status"]),
        reason=str(wish["reason"]),
        times=int(wish.get("times", 1)),
        match=str(wish.get("match", "")),
        after=int(wish.get("retry_after", 0)),
    )
    google_of(request).refusals.append(row)
    return web.json_response({"refuses": row.times})


@routes.post(f"{BASE}/pages")
async def page_size(request: web.Request) -> web.Response:
    """Lists come in pages of at most `size`."""
    google_of(request).page_size = int((await request.json())["size"])
    return web.json_response({"paged": True})


def _calendar(google: Google, wish: dict[str, Any]) -> Calendar:
    wanted = str(wish.get("calendar", ""))
    found = next((each for _, each in google.calendars() if each.id == wanted), None)
    if found is None:
        raise web.HTTPNotFound(text=f"No calendar {wanted}")
    return found
