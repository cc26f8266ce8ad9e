"""Twilio's REST interface, as far as the product uses it: calls, messages, recordings.

Field names, statuses and error codes are Twilio's; who answers the phone is `personas.py`.
"""

import asyncio
import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from aiohttp import web

from integrations.sandbox import twilio_calls, twilio_messages
from integrations.sandbox.resources import FINAL_CALL, Call, Message, new_sid, rfc2822
from integrations.sandbox.world import world_of

routes = web.RouteTableDef()
ACCOUNT = "/twilio/2010-04-01/Accounts/{account}"
E164 = re.compile(r"\+[1-9]\d{6,14}")
ACCOUNT_SID = re.compile(r"AC[0-9a-f]{32}")
EARLY_PATIENCE_S = 5
_SILENT_FRAME = b"\xff\xf3\x18\xc0" + bytes(32)
"""MPEG-2 layer III, 8 kbit/s, 16 kHz, one channel: 576 samples of nothing."""
_FRAME_S = 576 / 16_000
DROP = web.RequestKey("drop", bool)
"""Set on a request whose connection is cut instead of answered."""

Resource = TypeVar("Resource", Call, Message)


class TwilioError(Exception):
    """A refusal, with Twilio's own code."""

    def __init__(
        self, status: int, code: int, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers

    def response(self) -> web.Response:
        body = {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
        return web.json_response(body, status=self.status, headers=self.headers)


def too_many_requests(retry_after: int) -> TwilioError:
    return TwilioError(429, 20429, "Too Many Requests", {"Retry-After": str(retry_after)})


@routes.post(ACCOUNT + "/Calls.json")
async def create_call(request: web.Request) -> web.StreamResponse:
    world, account, params = world_of(request), account_of(request), await form_of(request)
    to, from_ = str(params.get("To", "")), str(params.get("From", ""))
    _check_number(to, call=True)
    if not E164.fullmatch(from_):
        raise TwilioError(400, 21212, f"The 'From' number {from_} is not valid.")
    if not params.get("Url"):
        raise TwilioError(400, 21205, "Url parameter is required.")
    person = world.people.of_number(to)
    carrier = person.persona.carrier
    if carrier == "refuses":
        raise TwilioError(400, 21211, f"The 'To' number {to} is not a valid phone number.")
    first = not person.carrier_played
    person.carrier_played = True
    if carrier == "busy_once" and first:
        raise too_many_requests(1)
    call = Call(
        sid=new_sid("CA"),
        account_sid=account,
        to=to,
        from_=from_,
        created_at=world.clock.now(),
        params=params,
        callback_mode=world.faults.take_callback("twilio", f"{request.path} To={to}"),
    )
    world.remember_home(practice_number=from_, callback_url=str(params["Url"]), account_sid=account)
    answer = web.json_response(call.as_json(), status=201)
    run = twilio_calls.start(world, call)
    if call.callback_mode == "early_callbacks":
        await _at_most(run.early)
    if carrier == "drops_once" and first:
        request[DROP] = True
    return answer


@routes.post(ACCOUNT + "/Messages.json")
async def create_message(request: web.Request) -> web.StreamResponse:
    world, account, params = world_of(request), account_of(request), await form_of(request)
    to, from_ = str(params.get("To", "")), str(params.get("From", ""))
    _check_number(to.removeprefix("whatsapp:"), call=False)
    if not from_:
        raise TwilioError(400, 21603, "A 'From' phone number is required.")
    if to.startswith("whatsapp:") != from_.startswith("whatsapp:"):
        raise TwilioError(400, 21910, "Invalid From and To pair: use the same channel.")
    if not params.get("Body") and not params.get("ContentSid") and not params.get("MediaUrl"):
        raise TwilioError(400, 21602, "Message body is required.")
    if (from_, to) in world.stopped_texts:
        raise TwilioError(400, 21610, "Attempt to send to unsubscribed recipient")
    if world.people.of_number(to.removeprefix("whatsapp:")).persona.carrier == "refuses":
        raise TwilioError(400, 21211, f"The 'To' number {to} is not a valid phone number.")
    media = params.get("MediaUrl", [])
    media_urls = [media] if isinstance(media, str) else list(media)
    message = Message(
        sid=new_sid("MM" if media_urls else "SM"),
        account_sid=account,
        to=to,
        from_=from_,
        body=twilio_messages.render(params),
        created_at=world.clock.now(),
        params=params,
        media_urls=media_urls,
        callback_mode=world.faults.take_callback("twilio", f"{request.path} To={to}"),
    )
    world.remember_home(
        practice_number=from_.removeprefix("whatsapp:"),
        callback_url=str(params.get("StatusCallback", "")),
        account_sid=account,
    )
    answer = web.json_response(message.as_json(), status=201)
    told = twilio_messages.start(world, message)
    if message.callback_mode == "early_callbacks":
        await _at_most(told)
    return answer


@routes.get(ACCOUNT + "/Calls.json")
async def list_calls(request: web.Request) -> web.Response:
    calls = _wanted(request, list(world_of(request).calls.values()), "StartTime")
    return listing(request, "calls", [call.as_json() for call in calls])


@routes.get(ACCOUNT + "/Messages.json")
async def list_messages(request: web.Request) -> web.Response:
    messages = _wanted(request, list(world_of(request).messages.values()), "DateSent")
    return listing(request, "messages", [message.as_json() for message in messages])


@routes.get(ACCOUNT + "/Calls/{sid:CA[0-9a-f]+}.json")
async def fetch_call(request: web.Request) -> web.Response:
    return web.json_response(_find(request, world_of(request).calls).as_json())


@routes.get(ACCOUNT + "/Messages/{sid:[SM]M[0-9a-f]+}.json")
async def fetch_message(request: web.Request) -> web.Response:
    return web.json_response(_find(request, world_of(request).messages).as_json())


@routes.post(ACCOUNT + "/Calls/{sid:CA[0-9a-f]+}.json")
async def update_call(request: web.Request) -> web.Response:
    """End a call (`Status`), or give it another document (`Url`)."""
    call = _find(request, world_of(request).calls)
    params = await form_of(request)
    if call.status in FINAL_CALL:
        raise TwilioError(400, 21220, "Call is not in-progress. Cannot redirect.")
    if call.control and params.get("Status") in ("completed", "canceled"):
        call.control.hang_up()
    elif call.control and params.get("Url"):
        call.control.send_elsewhere(str(params["Url"]))
    return web.json_response(call.as_json())


@routes.post(ACCOUNT + "/Calls/{sid:CA[0-9a-f]+}/Recordings/{recording}.json")
async def stop_recording(request: web.Request) -> web.Response:
    """`Status=stopped` for a recording, or for `Twilio.CURRENT`, the one that is running."""
    call = _find(request, world_of(request).calls)
    asked, params = request.match_info["recording"], await form_of(request)
    if asked not in (call.recording_sid, "Twilio.CURRENT") or not call.recording_sid:
        raise TwilioError(404, 20404, "The requested recording was not found")
    if call.is_over or call.recording_stopped:
        raise TwilioError(400, 21220, "The recording is not in progress.")
    if params.get("Status") not in ("stopped", "paused", "in-progress"):
        raise TwilioError(400, 20001, "Status must be stopped, paused or in-progress.")
    call.recording_stopped = params["Status"] == "stopped"
    return web.json_response(_recording(call))


@routes.get(ACCOUNT + "/Calls/{sid:CA[0-9a-f]+}/Recordings.json")
async def list_recordings(request: web.Request) -> web.Response:
    call = _find(request, world_of(request).calls)
    rows = [_recording(call)] if call.recording_sid else []
    return listing(request, "recordings", rows)


@routes.get(ACCOUNT + "/Recordings/{recording:RE[0-9a-f]+}.mp3")
async def recording_media(request: web.Request) -> web.Response:
    """As long as the call was, and silent."""
    call = _recorded(request)
    frames = max(1, round(call.seconds / _FRAME_S))
    return web.Response(body=_SILENT_FRAME * frames, content_type="audio/mpeg")


@routes.delete(ACCOUNT + "/Recordings/{recording:RE[0-9a-f]+}.json")
async def delete_recording(request: web.Request) -> web.Response:
    _recorded(request).recording_sid = ""
    return web.Response(status=204)


def _recorded(request: web.Request) -> Call:
    account, wanted = account_of(request), request.match_info["recording"]
    for call in world_of(request).calls.values():
        if call.recording_sid == wanted and call.account_sid == account:
            return call
    raise TwilioError(404, 20404, f"The requested resource {wanted} was not found")


def _recording(call: Call) -> dict[str, Any]:
    status = "completed" if call.is_over else "in-progress"
    base = f"/2010-04-01/Accounts/{call.account_sid}"
    return {
        "sid": call.recording_sid,
        "account_sid": call.account_sid,
        "call_sid": call.sid,
        "status": "stopped" if call.recording_stopped else status,
        "duration": str(round(call.seconds)),
        "channels": 1,
        "source": "OutboundAPI",
        "date_created": rfc2822(call.created_at),
        "uri": f"{base}/Recordings/{call.recording_sid}.json",
    }


async def form_of(request: web.Request) -> dict[str, Any]:
    """The posted form; a name that comes several times has a list of values."""
    posted = await request.post()
    return {
        name: values if len(values := [str(v) for v in posted.getall(name)]) > 1 else values[0]
        for name in posted
    }


def account_of(request: web.Request) -> str:
    """The account that asks. The product's own must show its token; another one's is learnt. Some
    products have no account in their paths.
    """
    world, account = world_of(request), request.match_info.get("account")
    scheme, _, packed = request.headers.get("Authorization", "").partition(" ")
    try:
        sid, _, token = base64.b64decode(packed, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        sid = token = ""
    known = (
        scheme == "Basic" and account in (None, sid) and bool(ACCOUNT_SID.fullmatch(sid)) and token
    )
    if not known or world.tokens.setdefault(sid, token) != token:
        raise TwilioError(401, 20003, "Authenticate")
    return sid


def _check_number(number: str, *, call: bool) -> None:
    if not number:
        code, what = (21201, "No 'To' number specified") if call else (21604, "A 'To' is required")
        raise TwilioError(400, code, what)
    if not E164.fullmatch(number):
        raise TwilioError(400, 21211, f"The 'To' number {number} is not a valid phone number.")


def _find(request: web.Request, things: dict[str, Resource]) -> Resource:
    account, thing = account_of(request), things.get(request.match_info["sid"])
    if thing is None or thing.account_sid != account:
        path = request.path.removeprefix("/twilio")
        raise TwilioError(404, 20404, f"The requested resource {path} was not found")
    return thing


def _wanted(request: web.Request, things: list[Resource], when: str) -> list[Resource]:
    """Newest first, filtered as Twilio filters: To, From, Status, and a time on either side."""
    account, query = account_of(request), request.query
    after, before = _moment(query.get(f"{when}>")), _moment(query.get(f"{when}<"))

    def fits(thing: Resource) -> bool:
        same = all(
            name not in query or query[name] == value
            for name, value in (("To", thing.to), ("From", thing.from_), ("Status", thing.status))
        )
        began = thing.created_at.replace(microsecond=0)
        return (
            same
            and thing.account_sid == account
            and (after is None or began >= after)
            and (before is None or began <= before)
        )

    return [thing for thing in reversed(things) if fits(thing)]


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).replace(tzinfo=UTC)
    except ValueError as error:
        raise TwilioError(400, 20001, "Invalid date") from error


def listing(request: web.Request, noun: str, rows: list[dict[str, Any]]) -> web.Response:
    size = min(1000, max(1, int(request.query.get("PageSize", 50))))
    page = max(0, int(request.query.get("Page", 0)))
    start, path = page * size, request.path.removeprefix("/twilio")

    def uri(number: int) -> str:
        query = {**request.query, "Page": str(number), "PageSize": str(size)}
        return str(request.url.with_path(path).with_query(query).relative())

    return web.json_response(
        {
            noun: rows[start : start + size],
            "page": page,
            "page_size": size,
            "start": start,
            "end": min(start + size, len(rows)) - 1,
            "uri": uri(page),
            "first_page_uri": uri(0),
            "next_page_uri": uri(page + 1) if start + size < len(rows) else None,
            "previous_page_uri": uri(page - 1) if page else None,
        }
    )


async def _at_most(event: asyncio.Event) -> None:
    """Let the callbacks go first, for a while."""
    try:
        await asyncio.wait_for(event.wait(), EARLY_PATIENCE_S)
    except TimeoutError:
        return
