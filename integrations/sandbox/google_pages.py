"""The sandbox's Google calendars as a page: what is in them, and what their owners may do."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web
from django.template.loader import render_to_string

from integrations.sandbox.google_control import busy_event
from integrations.sandbox.google_memory import Account, Calendar, Event, google_of
from integrations.sandbox.world import world_of
from sightsync.lib import clock

routes = web.RouteTableDef()
PAGE = "/sandbox/google"
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One event as its owner sees it."""

    id: str
    title: str
    when: str
    text: str
    ours: bool
    gone: bool


@routes.get(PAGE)
async def show(request: web.Request) -> web.Response:
    google, world = google_of(request), world_of(request)
    permitted = {each.account.email for each in google.grants if not each.revoked}
    rows = [
        {
            "account": account,
            "permitted": account.email in permitted,
            "calendars": [
                {"calendar": each, "events": _shown(each), "may_write": each.role == "owner"}
                for each in account.calendars.values()
            ],
        }
        for account in google.accounts.values()
        if account.email in permitted or any(_shown(each) for each in account.calendars.values())
    ]
    tomorrow = clock.london(world.clock.now()) + timedelta(days=1)
    text = render_to_string(
        "sandbox/google/calendars.html",
        {"rows": rows, "tomorrow": tomorrow.date().isoformat()},
    )
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
    return web.Response(text=text, content_type="text/html", headers=headers)


@routes.post(PAGE)
async def act(request: web.Request) -> web.Response:
    """A busy hour, an event deleted, or a permission taken back; `do` says which."""
    if request.headers.get("Origin") not in (None, f"http://{request.host}"):
        raise web.HTTPForbidden(text="Do that on the page itself.")
    form = {name: str(value) for name, value in (await request.post()).items()}
    google = google_of(request)
    account = google.accounts.get(form.get("account", ""))
    if account is None:
        raise web.HTTPNotFound
    if form.get("do") == "revoke":
        for grant in google.grants:
            if grant.account is account:
                google.revoke(grant)
        raise web.HTTPSeeOther(PAGE)
    calendar = _calendar(account, form.get("calendar", ""))
    if form.get("do") == "delete" and form.get("event") in calendar.events:
        event = calendar.events[form["event"]]
        event.body, event.version = {**event.body, "status": "cancelled"}, event.version + 1
    elif form.get("do") == "busy":
        _busy(calendar, form, world_of(request).clock.now())
    raise web.HTTPSeeOther(PAGE)


def _busy(calendar: Calendar, form: dict[str, str], now: datetime) -> None:
    try:
        start = clock.at_london(
            datetime.fromisoformat(form.get("date", "")).date(),
            datetime.fromisoformat(f"2000-01-01T{form.get('from', '')}").time(),
        )
    except ValueError as error:
        raise web.HTTPBadRequest(text="Give a date and a time.") from error
    busy_event(
        calendar,
        start=start.isoformat(),
        end=(start + timedelta(hours=1)).isoformat(),
        title=form.get("title") or "Busy",
        now=now,
        more={},
    )


def _calendar(account: Account, key: str) -> Calendar:
    if key not in account.calendars:
        raise web.HTTPNotFound
    return account.calendars[key]


def _shown(calendar: Calendar) -> list[Shown]:
    return [_row(event) for event in sorted(calendar.events.values(), key=lambda each: each.span)]


def _row(event: Event) -> Shown:
    start, end = event.span
    return Shown(
        id=event.id,
        title=str(event.body.get("summary", "(No title)")),
        when=f"{_said(start, '%A {day} %B, %H:%M')} to {_said(end, '%H:%M')}",
        text=str(event.body.get("description", "")),
        ours="sightsync" in event.private,
        gone=event.cancelled,
    )


def _said(moment: datetime, how: str) -> str:
    """London time. Not the product's own words: those ask the database what day it is."""
    there = clock.london(moment)
    return there.strftime(how).format(day=there.day)
