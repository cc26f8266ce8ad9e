"""Around every provider request: writes it into the log, and lets it go wrong when told to."""

import asyncio
import json
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from integrations.sandbox import google_memory
from integrations.sandbox.faults import Fault
from integrations.sandbox.twilio_api import DROP, TwilioError, form_of, too_many_requests
from integrations.sandbox.world import LogRow, world_of

SERVERS = {
    "/twilio/": "twilio",
    "/llm/v1/": "llm",
    "/google/": "google",
    "/graph/": "graph",
    "/optix/": "optix",
    "/acuitas/": "acuitas",
    "/optisoft/": "optisoft",
}
BRIEF = web.RequestKey("brief", object)
"""What a handler puts into the request under this stands in the log for a long answer."""
HTML = "<!doctype html><title>Welcome</title><p>You are connected to the guest network."


@web.middleware
async def provider(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Log and spoil requests to the providers; let all others through."""
    server = next((name for path, name in SERVERS.items() if request.path.startswith(path)), "")
    if not server:
        return await handler(request)
    world = world_of(request)
    params = await _params(request)
    row = LogRow(
        at=world.clock.now(),
        server=server,
        method=request.method,
        path=request.path.removeprefix(f"/{server}"),
        params=params,
    )
    world.log.append(row)
    fault = world.faults.take(server, _text(request, params))
    answer = await _spoilt(request, handler, server, fault)
    row.status = answer.status
    row.answer = request.get(BRIEF) or _readable(answer)
    if request.get(DROP):
        row.status = row.status if fault is None or fault.accept else 0
        if request.transport is not None:
            request.transport.abort()
    return answer


async def _spoilt(
    request: web.Request, handler: Handler, server: str, fault: Fault | None
) -> web.StreamResponse:
    if fault is None:
        return await _answer(request, handler)
    good = await _answer(request, handler) if fault.accept else None
    if fault.mode == "delay":
        await asyncio.sleep(fault.seconds)
    if fault.mode in ("drop_after_accept", "drop_before_accept"):
        request[DROP] = True
        return good or web.Response(status=502)
    if fault.mode == "broken_json" and good is not None:
        body = good.text or "" if isinstance(good, web.Response) else ""
        half = body[: max(1, len(body) // 2)]
        return web.Response(text=half, status=good.status, content_type="application/json")
    return _bad_answer(server, fault) or good or web.Response(status=500)


def _bad_answer(server: str, fault: Fault) -> web.Response | None:
    if fault.mode == "html":
        return web.Response(text=HTML, status=200, content_type="text/html")
    if fault.mode == "500":
        return _broken(server)
    if fault.mode == "429":
        return _busy(server, fault)
    if fault.mode == "broken_json":
        return web.Response(text='{"sid": "', status=201, content_type="application/json")
    return None


def _broken(server: str) -> web.Response:
    if server == "twilio":
        return TwilioError(500, 20500, "An internal server error has occurred").response()
    if server == "google":
        return google_memory.refusal(500, "backendError").response()
    return web.json_response({"error": {"message": "server error"}}, status=500)


def _busy(server: str, fault: Fault) -> web.Response:
    if server == "twilio":
        return too_many_requests(fault.retry_after).response()
    if server == "google":
        busy = google_memory.refusal(429, "rateLimitExceeded", after=fault.retry_after)
        return busy.response()
    headers = {"Retry-After": str(fault.retry_after)}
    return web.json_response(
        {"error": {"message": "Rate limit reached"}}, status=429, headers=headers
    )


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except TwilioError as refusal:
        return refusal.response()
    except web.HTTPNotFound:
        if not request.path.startswith("/twilio/"):
            return web.json_response({"error": {"code": 404, "message": "Not found"}}, status=404)
        return TwilioError(
            404, 20404, f"The requested resource {request.path} was not found"
        ).response()


async def _params(request: web.Request) -> Any:
    if request.content_type == "application/json" and request.can_read_body:
        try:
            return await request.json()
        except ValueError:
            return {}
    return {**request.query, **(await form_of(request))}


def _text(request: web.Request, params: Any) -> str:
    """What a fault's `match` is looked for in: `POST /path To=+44… From=…`."""
    if isinstance(params, dict):
        words = " ".join(f"{name}={value}" for name, value in params.items())
    else:
        words = str(params)
    return f"{request.method} {request.path} {words}"


def _readable(answer: web.StreamResponse) -> Any:
    if answer.content_type.startswith("audio/"):
        return None
    text = answer.text if isinstance(answer, web.Response) else None
    try:
        return json.loads(text) if text else text
    except ValueError:
        return text
