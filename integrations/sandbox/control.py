"""What tests and the demo ask of the sandbox itself: its log, faults, clock, people, readiness."""

from datetime import datetime
from typing import Any

from aiohttp import web

from integrations.sandbox import twilio_calls, twilio_messages
from integrations.sandbox.faults import UnknownFaultError
from integrations.sandbox.world import stamp, world_of

routes = web.RouteTableDef()
FAULTY = frozenset({"twilio", "mail", "llm", "google", "graph", "optix", "acuitas", "optisoft"})


@routes.get("/ready")
async def ready(request: web.Request) -> web.Response:
    return web.json_response({"ready": True})


@routes.get("/log")
async def log(request: web.Request) -> web.Response:
    """Every request that was received and answered, in the order in which they came."""
    rows = [row.as_json() for row in world_of(request).log if row.status is not None]
    return web.json_response(rows)


@routes.get("/idle")
async def idle(request: web.Request) -> web.Response:
    """Whether any call, message or patient is still busy."""
    world = world_of(request)
    busy = sum(1 for call in world.calls.values() if not call.is_over)
    return web.json_response({"idle": world.is_idle, "calls": busy})


@routes.post("/reset")
async def reset(request: web.Request) -> web.Response:
    await world_of(request).reset()
    return web.json_response({"reset": True})


@routes.post("/faults/{server}")
async def set_fault(request: web.Request) -> web.Response:
    server = _server(request)
    try:
        fault = world_of(request).faults.set(server, await request.json())
    except UnknownFaultError as error:
        raise web.HTTPBadRequest(text=f"No fault mode {error}") from error
    return web.json_response({"server": server, "mode": fault.mode, "times": fault.times})


@routes.delete("/faults/{server}")
async def clear_faults(request: web.Request) -> web.Response:
    world_of(request).faults.clear(_server(request))
    return web.json_response({"cleared": True})


@routes.get("/clock")
async def show_clock(request: web.Request) -> web.Response:
    return web.json_response({"now": stamp(world_of(request).clock.now())})


@routes.post("/clock")
async def set_clock(request: web.Request) -> web.Response:
    """`now` (ISO with offset) and `rate` (pretend seconds per real one, 1 if left out)."""
    wish, world = await request.json(), world_of(request)
    moment = datetime.fromisoformat(str(wish["now"]).replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise web.HTTPBadRequest(text="now needs an offset, such as Z")
    world.clock.set(now=moment, rate=float(wish.get("rate", 1)))
    return web.json_response({"now": stamp(world.clock.now())})


@routes.post("/personas")
async def set_persona(request: web.Request) -> web.Response:
    """`number`, and `persona` (01 to 21) or `replies`; `people.py` has the shapes."""
    wish = await request.json()
    try:
        person = world_of(request).people.set_persona(str(wish["number"]), wish)
    except KeyError as error:
        raise web.HTTPBadRequest(text=f"No persona {error}") from error
    return web.json_response({"number": person.key, "persona": person.persona.code})


@routes.post("/people")
async def introduce(request: web.Request) -> web.Response:
    """A list of `{"number", "email", "name"}`: whose address is whose."""
    wish: list[dict[str, Any]] = await request.json()
    for each in wish:
        world_of(request).people.introduce(
            number=str(each["number"]),
            email=str(each.get("email") or ""),
            name=str(each.get("name") or ""),
        )
    return web.json_response({"people": len(wish)})


@routes.post("/inbound")
async def inbound(request: web.Request) -> web.Response:
    """A patient writes or rings: `channel` (sms, whatsapp, voice), `from`, `to`, `body`."""
    wish, world = await request.json(), world_of(request)
    number = str(wish["from"]).removeprefix("whatsapp:")
    practice = str(wish.get("to") or world.people.of_number(number).practice_number)
    practice = practice.removeprefix("whatsapp:")
    if not practice:
        raise web.HTTPBadRequest(text="No practice has contacted this number: say `to`.")
    if wish.get("channel") == "voice":
        call = await twilio_calls.ring_in(world, from_=number, to=practice)
        return web.json_response({"sid": call.sid})
    prefix = "whatsapp:" if wish.get("channel") == "whatsapp" else ""
    message = await twilio_messages.receive(
        world, from_=prefix + number, to=prefix + practice, body=str(wish.get("body", ""))
    )
    return web.json_response({"sid": message.sid})


@routes.get("/mails")
async def mails(request: web.Request) -> web.Response:
    """Every email that was kept, oldest first."""
    return web.json_response([mail.as_json() for mail in world_of(request).mails])


@routes.get("/transcript/{sid}")
async def transcript(request: web.Request) -> web.Response:
    """What was said on a call: `[{"who", "text", "keys"}]`."""
    call = world_of(request).calls.get(request.match_info["sid"])
    if call is None:
        raise web.HTTPNotFound
    return web.json_response(
        [{"who": line.who, "text": line.text, "keys": line.keys} for line in call.lines]
    )


def _server(request: web.Request) -> str:
    server = request.match_info["server"]
    if server not in FAULTY:
        raise web.HTTPNotFound(text=f"No server {server}")
    return server
