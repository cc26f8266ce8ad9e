"""Bookings as the practice's own people see and change it, for the demo and for tests."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from aiohttp import web
from django.template.loader import render_to_string

from integrations.sandbox import graph_words
from integrations.sandbox.graph import microsoft_of
from integrations.sandbox.graph_memory import (
    ROLES,
    Absence,
    Booking,
    Business,
    Microsoft,
    Tenant,
    customer,
)
from integrations.sandbox.world import world_of
from sightsync.lib import clock

routes = web.RouteTableDef()
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@routes.get("/bookings")
async def diary(request: web.Request) -> web.Response:
    """What stands in Bookings from today on, for a person to look at and to change."""
    world = world_of(request)
    microsoft = microsoft_of(world)
    tenant, home = _place(microsoft, request.query.get("business", ""))
    start = clock.at_london(clock.london(world.clock.now()).date(), datetime.min.time())
    rows = home.between(start, start + timedelta(days=365))
    names = {each.id: each.name for each in home.staff}
    context = {
        "tenant": tenant,
        "home": home,
        "homes": [each for row in microsoft.tenants for each in row.businesses],
        "days": _by_day(rows, names),
        "roles": sorted(tenant.roles),
        "told": len(home.told),
    }
    text = render_to_string("sandbox/microsoft/diary.html", context)
    headers = {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-store"}
    return web.Response(text=text, content_type="text/html", headers=headers)


def _by_day(rows: list[Booking], names: dict[str, str]) -> list[tuple[str, list[dict[str, Any]]]]:
    days: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        local = clock.london(row.starts_at)
        days.setdefault(f"{local:%A} {local.day} {local:%B}", []).append(
            {
                "row": row,
                "time": f"{local:%H:%M}",
                "staff": ", ".join(names.get(each, each) for each in row.staff_ids),
                "who": ", ".join(str(each.get("name")) for each in row.customers),
                "ours": "SightSync" in row.notes,
            }
        )
    return list(days.items())


@routes.post("/bookings/cancel")
async def take_out(request: web.Request) -> web.Response:
    """Somebody presses Cancel in Bookings."""
    form = await request.post()
    _, home = _place(microsoft_of(world_of(request)), str(form.get("business", "")))
    home.bookings.pop(str(form.get("id", "")), None)
    raise web.HTTPSeeOther(f"/bookings?business={home.id}")


@routes.post("/bookings/revoke")
async def revoke(request: web.Request) -> web.Response:
    """The administrator takes the consent away, in the list of enterprise applications."""
    form = await request.post()
    microsoft = microsoft_of(world_of(request))
    tenant, home = _place(microsoft, str(form.get("business", "")))
    microsoft.revoke(tenant)
    raise web.HTTPSeeOther(f"/bookings?business={home.id}")


@routes.get("/microsoft/bookings")
async def show(request: web.Request) -> web.Response:
    """Every appointment of a business as Graph gives it alone, and what customers were told."""
    _, home = _place(microsoft_of(world_of(request)), request.query.get("business", ""))
    rows = sorted(home.bookings.values(), key=lambda row: row.starts_at)
    return web.json_response(
        {
            "business": home.id,
            "appointments": [graph_words.booking(row, alone=True) for row in rows],
            "told": home.told,
        }
    )


@routes.post("/microsoft/bookings")
async def book(request: web.Request) -> web.Response:
    """Somebody books in Bookings: `start` (ISO), `name`, `phone`, `email`, `staff` (a name)."""
    wish, world = await request.json(), world_of(request)
    _, home = _place(microsoft_of(world), str(wish.get("business", "")))
    service, now = home.services[0], world.clock.now()
    starts = datetime.fromisoformat(str(wish["start"]).replace("Z", "+00:00"))
    row = Booking(
        id=str(wish.get("id") or f"AAMk{uuid4().hex}="),
        service=service,
        staff_ids=[_staff(home, wish.get("staff"))],
        starts_at=starts,
        ends_at=starts + timedelta(minutes=service.minutes),
        customers=[
            customer(
                str(wish.get("name", "Ada Byron")),
                str(wish.get("phone", "")),
                str(wish.get("email", "")),
            )
        ],
        created_at=now,
        updated_at=now,
        information=str(wish.get("information", "")),
    )
    home.bookings[row.id] = row
    return web.json_response(graph_words.booking(row, alone=True))


@routes.post("/microsoft/bookings/move")
async def move(request: web.Request) -> web.Response:
    """Somebody moves `id` to `start` in Bookings."""
    wish, world = await request.json(), world_of(request)
    _, home = _place(microsoft_of(world), str(wish.get("business", "")))
    row = home.bookings[str(wish["id"])]
    lasts = row.ends_at - row.starts_at
    row.starts_at = datetime.fromisoformat(str(wish["start"]).replace("Z", "+00:00"))
    row.ends_at, row.updated_at = row.starts_at + lasts, world.clock.now()
    row.version += 1
    return web.json_response(graph_words.booking(row, alone=True))


@routes.post("/microsoft/bookings/edit")
async def edit(request: web.Request) -> web.Response:
    """Somebody rewrites what Bookings keeps of `id`: `notes`, `information`."""
    wish, world = await request.json(), world_of(request)
    _, home = _place(microsoft_of(world), str(wish.get("business", "")))
    row = home.bookings[str(wish["id"])]
    row.notes = str(wish.get("notes", row.notes))
    row.information = str(wish.get("information", row.information))
    return web.json_response(graph_words.booking(row, alone=True))


@routes.post("/microsoft/bookings/remove")
async def remove(request: web.Request) -> web.Response:
    """Somebody deletes `id` in Bookings."""
    wish = await request.json()
    _, home = _place(microsoft_of(world_of(request)), str(wish.get("business", "")))
    gone = home.bookings.pop(str(wish["id"]), None)
    return web.json_response({"removed": gone is not None})


@routes.post("/microsoft/absences")
async def be_away(request: web.Request) -> web.Response:
    """Something stands in the own calendar of `staff` from `start` to `end`."""
    wish = await request.json()
    _, home = _place(microsoft_of(world_of(request)), str(wish.get("business", "")))
    absence = Absence(
        staff_id=_staff(home, wish.get("staff")),
        starts_at=datetime.fromisoformat(str(wish["start"]).replace("Z", "+00:00")),
        ends_at=datetime.fromisoformat(str(wish["end"]).replace("Z", "+00:00")),
        status=str(wish.get("status", "busy")),
    )
    home.absences.append(absence)
    return web.json_response({"away": absence.status})


@routes.post("/microsoft/consent")
async def consent(request: web.Request) -> web.Response:
    """What the administrator of `domain` allows from now on: `roles`, all when left out."""
    wish = await request.json()
    microsoft = microsoft_of(world_of(request))
    tenant = microsoft.tenant(str(wish.get("domain") or microsoft.tenants[0].domain))
    if tenant is None:
        raise web.HTTPNotFound(text="No such organisation")
    microsoft.revoke(tenant, wish.get("roles", ROLES))
    return web.json_response({"tenant": tenant.id, "roles": sorted(tenant.roles)})


@routes.post("/microsoft/tokens/end")
async def end_tokens(request: web.Request) -> web.Response:
    """Every token that was handed out is over."""
    microsoft_of(world_of(request)).tokens.clear()
    return web.json_response({"ended": True})


@routes.post("/microsoft/refusals")
async def refuse(request: web.Request) -> web.Response:
    """The next request of which `match` is a part (`POST /graph/...`) gets `status` and `code`."""
    microsoft_of(world_of(request)).refusals.append(await request.json())
    return web.json_response({"set": True})


@routes.post("/microsoft/pages")
async def page_size(request: web.Request) -> web.Response:
    """How many rows a page of a list has: `size`."""
    microsoft_of(world_of(request)).page = int((await request.json())["size"])
    return web.json_response({"set": True})


def _place(microsoft: Microsoft, mailbox: str) -> tuple[Tenant, Business]:
    """The business of that mailbox; the first when none is named."""
    places = [(tenant, home) for tenant in microsoft.tenants for home in tenant.businesses]
    found = next((each for each in places if each[1].id == mailbox), None)
    if found is None and mailbox:
        raise web.HTTPNotFound(text="No such business")
    return found or places[0]


def _staff(home: Business, name: Any) -> str:
    return next((each.id for each in home.staff if each.name == name), home.staff[0].id)
