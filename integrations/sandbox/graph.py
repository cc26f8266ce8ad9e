"""Speaks Bookings over Graph v1.0 as an application with its own permissions sees it.

Lists have no `$filter`, come in pages, and an appointment cannot be cancelled, only deleted.
"""

import functools
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from aiohttp import web

from integrations.sandbox import graph_memory, graph_words
from integrations.sandbox.graph_memory import (
    READ,
    WRITE,
    Booking,
    Business,
    Microsoft,
    RefusedError,
    Tenant,
)
from integrations.sandbox.world import World, world_of
from sightsync.lib import clock

routes = web.RouteTableDef()
_ROOT = "/graph/v1.0/solutions/bookingBusinesses"
_ONE = _ROOT + "/{business}"
LARGEST_PAGE = 100

Handler = Callable[[web.Request, Microsoft, Tenant], Awaitable[web.Response]]


def microsoft_of(world: World) -> Microsoft:
    return world.room("graph", lambda: graph_memory.furnish(world.clock.now()))


def allowed(*roles: str) -> Callable[[Handler], Callable[[web.Request], Awaitable[web.Response]]]:
    """Let a request through that has a live token with one of the permissions."""

    def decorate(handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        @functools.wraps(handler)
        async def guarded(request: web.Request) -> web.Response:
            microsoft = microsoft_of(world_of(request))
            try:
                tenant = _who(request, microsoft)
                if not tenant.roles & set(roles):
                    raise RefusedError(403, "ErrorAccessDenied", "Access is denied.")
                _wanted_refusal(request, microsoft)
                return await handler(request, microsoft, tenant)
            except RefusedError as refused:
                return _refusal(refused)

        return guarded

    return decorate


def _who(request: web.Request, microsoft: Microsoft) -> Tenant:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    tenant = microsoft.tenant(microsoft.tokens.get(token, ""))
    if tenant is None:
        raise RefusedError(401, "InvalidAuthenticationToken", "Access token is empty or ended.")
    return tenant


def _wanted_refusal(request: web.Request, microsoft: Microsoft) -> None:
    for wish in microsoft.refusals:
        if wish.get("match", "") in f"{request.method} {request.path}":
            microsoft.refusals.remove(wish)
            raise RefusedError(
                int(wish["status"]), str(wish.get("code", "")), "As a test wants it."
            )


def _refusal(refused: RefusedError) -> web.Response:
    error = {
        "code": refused.code,
        "message": refused.message,
        "innerError": {"request-id": str(uuid4()), "client-request-id": str(uuid4())},
    }
    return web.json_response({"error": error}, status=refused.status)


def _business(request: web.Request, tenant: Tenant) -> Business:
    return tenant.business(request.match_info["business"])


def _page(request: web.Request, microsoft: Microsoft, rows: list[dict[str, Any]]) -> web.Response:
    """One page, and the link to the next."""
    if "$filter" in request.query:
        raise RefusedError(400, "BadRequest", "The query option '$filter' is not allowed.")
    size = min(int(request.query.get("$top", microsoft.page)), LARGEST_PAGE)
    start = int(request.query.get("$skiptoken", "0"))
    body: dict[str, Any] = {
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#bookingBusinesses",
        "value": rows[start : start + size],
    }
    if start + size < len(rows):
        following = request.url.update_query({"$skiptoken": str(start + size)})
        body["@odata.nextLink"] = str(following)
    return web.json_response(body)


@routes.get(_ROOT)
@allowed(READ)
async def businesses(request: web.Request, microsoft: Microsoft, tenant: Tenant) -> web.Response:
    return _page(request, microsoft, [graph_words.business(row) for row in tenant.businesses])


@routes.get(_ONE)
@allowed(READ)
async def business(request: web.Request, microsoft: Microsoft, tenant: Tenant) -> web.Response:
    row = _business(request, tenant)
    hours = [{"startTime": f"{row.opens}.0000000", "endTime": f"{row.closes}.0000000"}]
    days = ["monday", "tuesday", "wednesday", "thursday", "friday"]
    return web.json_response(
        {
            **graph_words.business(row),
            "businessHours": [{"day": day, "timeSlots": hours} for day in days],
            "schedulingPolicy": {
                "minimumLeadTime": "PT15M",
                "maximumAdvance": "P365D",
                "allowStaffSelection": True,
            },
        }
    )


@routes.get(_ONE + "/services")
@allowed(READ)
async def services(request: web.Request, microsoft: Microsoft, tenant: Tenant) -> web.Response:
    rows = _business(request, tenant).services
    return _page(request, microsoft, [graph_words.service(row) for row in rows])


@routes.get(_ONE + "/staffMembers")
@allowed(READ)
async def staff(request: web.Request, microsoft: Microsoft, tenant: Tenant) -> web.Response:
    rows = _business(request, tenant).staff
    return _page(request, microsoft, [graph_words.staff(row) for row in rows])


@routes.get(_ONE + "/customers")
@allowed(READ)
async def customers(request: web.Request, microsoft: Microsoft, tenant: Tenant) -> web.Response:
    return _page(request, microsoft, list(_business(request, tenant).customers.values()))


@routes.post(_ONE + "/customers")
@allowed(WRITE)
async def add_customer(request: web.Request, microsoft: Microsoft, tenant: Tenant) -> web.Response:
    row = {**await request.json(), "id": str(uuid4())}
    _business(request, tenant).customers[row["id"]] = row
    return web.json_response(row, status=201)


@routes.get(_ONE + "/appointments")
@allowed(READ, WRITE)
async def appointments(request: web.Request, microsoft: Microsoft, tenant: Tenant) -> web.Response:
    rows = sorted(_business(request, tenant).bookings.values(), key=lambda row: row.starts_at)
    return _page(request, microsoft, [graph_words.booking(row) for row in rows])


@routes.get(_ONE + "/calendarView")
@allowed(READ, WRITE)
async def calendar(request: web.Request, microsoft: Microsoft, tenant: Tenant) -> web.Response:
    start = graph_words.read_instant(request.query.get("start", ""))
    end = graph_words.read_instant(request.query.get("end", ""))
    rows = _business(request, tenant).between(start, end)
    return _page(request, microsoft, [graph_words.booking(row) for row in rows])


@routes.post(_ONE + "/appointments")
@allowed(WRITE)
async def create(request: web.Request, microsoft: Microsoft, tenant: Tenant) -> web.Response:
    now, home = world_of(request).clock.now(), _business(request, tenant)
    wish = await request.json()
    booking = Booking(
        id=f"AAMk{uuid4().hex}=",
        service=home.service(wish.get("serviceId")),
        staff_ids=list(wish.get("staffMemberIds") or []),
        starts_at=graph_words.read_moment(wish.get("startDateTime") or wish.get("start")),
        ends_at=graph_words.read_moment(wish.get("endDateTime") or wish.get("end")),
        customers=[_named(each) for each in wish.get("customers") or []],
        created_at=now,
        updated_at=now,
        notes=str(wish.get("serviceNotes") or ""),
        information=str(wish.get("additionalInformation") or ""),
        quiet=bool(wish.get("optOutOfCustomerEmail")),
        texts=bool(wish.get("smsNotificationsEnabled")),
    )
    home.check(booking, now)
    home.put(booking, "booked")
    return web.json_response(graph_words.booking(booking, alone=True), status=201)


def _named(given: dict[str, Any]) -> dict[str, Any]:
    return {"customerId": str(uuid4()), "notes": None, **given}


@routes.get(_ONE + "/appointments/{booking}")
@allowed(READ, WRITE)
async def one(request: web.Request, microsoft: Microsoft, tenant: Tenant) -> web.Response:
    row = _business(request, tenant).booking(request.match_info["booking"])
    return web.json_response(graph_words.booking(row, alone=True))


@routes.patch(_ONE + "/appointments/{booking}")
@allowed(WRITE)
async def change(request: web.Request, microsoft: Microsoft, tenant: Tenant) -> web.Response:
    now, home = world_of(request).clock.now(), _business(request, tenant)
    row = home.booking(request.match_info["booking"])
    wish = await request.json()
    start, end = wish.get("startDateTime"), wish.get("endDateTime")
    changed = replace(
        row,
        staff_ids=list(wish.get("staffMemberIds") or row.staff_ids),
        starts_at=graph_words.read_moment(start) if start else row.starts_at,
        ends_at=graph_words.read_moment(end) if end else row.ends_at,
        quiet=bool(wish.get("optOutOfCustomerEmail", row.quiet)),
        texts=bool(wish.get("smsNotificationsEnabled", row.texts)),
        updated_at=now,
        version=row.version + 1,
    )
    home.check(changed, now)
    home.put(changed, "moved")
    return web.Response(status=204)


@routes.delete(_ONE + "/appointments/{booking}")
@allowed(WRITE)
async def delete(request: web.Request, microsoft: Microsoft, tenant: Tenant) -> web.Response:
    home = _business(request, tenant)
    row = home.booking(request.match_info["booking"])
    del home.bookings[row.id]
    return web.Response(status=204)


@routes.post(_ONE + "/appointments/{booking}/cancel")
@allowed(WRITE)
async def cancel(request: web.Request, microsoft: Microsoft, tenant: Tenant) -> web.Response:
    """Documented as not supported with application permissions."""
    raise RefusedError(403, "ErrorAccessDenied", "Access is denied.")


@routes.post(_ONE + "/getStaffAvailability")
@allowed(READ)
async def availability(request: web.Request, microsoft: Microsoft, tenant: Tenant) -> web.Response:
    home, wish = _business(request, tenant), await request.json()
    start = graph_words.read_moment(wish.get("startDateTime"))
    end = graph_words.read_moment(wish.get("endDateTime"))
    known = {each.id for each in home.staff}
    wanted = [str(each) for each in wish.get("staffIds") or []]
    if not wanted or not set(wanted) <= known:
        raise RefusedError(500, "UnknownError", "")
    found = [
        {"staffId": key, "availabilityItems": list(_stretches(home, key, start, end))}
        for key in wanted
    ]
    return web.json_response({"staffAvailabilityItem": found})


def _stretches(
    home: Business, staff_id: str, start: datetime, end: datetime
) -> Iterable[dict[str, Any]]:
    """The working days of the person, cut up into what is free and what is not."""
    day = clock.london(start).date()
    while clock.at_london(day, home.opens) < end:
        hours = home.open_on(day)
        if hours is not None:
            yield from _day(home.busy(staff_id), max(hours[0], start), min(hours[1], end))
        day += timedelta(days=1)


def _day(
    busy: list[tuple[datetime, datetime, str]], opens: datetime, closes: datetime
) -> Iterable[dict[str, Any]]:
    at = opens
    for begins, ends, status in busy:
        if ends <= at or begins >= closes:
            continue
        if begins > at:
            yield _item("available", at, begins)
        yield _item(status, max(begins, at), min(ends, closes))
        at = min(ends, closes)
    if at < closes:
        yield _item("available", at, closes)


def _item(status: str, start: datetime, end: datetime) -> dict[str, Any]:
    return {
        "status": status,
        "startDateTime": graph_words.moment(start),
        "endDateTime": graph_words.moment(end),
        "serviceId": "",
    }
