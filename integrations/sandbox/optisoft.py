"""Speaks Optisoft, as its connector's folder writes its wire format down."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from aiohttp import web

from integrations.sandbox.pms_office import DIARIES, Appt, Office, RefusedError
from integrations.sandbox.pms_people import Px
from integrations.sandbox.pms_vendor import MESSAGES, Vendor, briefly, number_in
from integrations.sandbox.world import World, world_of

Row = TypeVar("Row", Px, Appt)
routes = web.RouteTableDef()
SESSION_S = 15 * 60
_SIGNS = b"only the pretend Optisoft knows this"
_ERRORS = {
    "wrong_key": "BAD_KEY",
    "token_expired": "TOKEN_EXPIRED",
    "slot_taken": "SLOT_TAKEN",
    "unknown_appointment": "NO_APPT",
    "slow_down": "TOO_FAST",
    "server_error": "FAULT",
}
_RISKS = {
    "standard": "Std 2yr",
    "diabetic": "Diabetes",
    "glaucoma_suspect": "Glaucoma Suspect",
    "myopia_child": "Child - myopia mgmt",
    "contact_lens": "Contact Lenses",
}
_STATES = ("booked", "cancelled", "attended", "no_show")


def _refusal(code: str, status: int) -> Mapping[str, Any]:
    return {"err": _ERRORS.get(code, "BAD_REQUEST"), "text": MESSAGES.get(code, code)}


def _key_of(request: web.Request) -> str:
    """The key, once the token of its session has been found good."""
    key = request.headers.get("X-Optisoft-Key", "")
    if request.path.endswith("/session"):
        return key
    told, _, signature = request.headers.get("X-Optisoft-Token", "").partition(".")
    if not hmac.compare_digest(_signature(told), signature):
        raise RefusedError("token_expired", 401)
    session = json.loads(urlsafe_b64decode(told))
    if session["key"] != key or session["until"] <= _now(world_of(request)):
        raise RefusedError("token_expired", 401)
    return key


vendor = Vendor(server="optisoft", key_of=_key_of, refusal=_refusal)


def _signature(told: str) -> str:
    return hmac.new(_SIGNS, told.encode(), hashlib.sha256).hexdigest()


def _now(world: World) -> int:
    return int(world.clock.now().timestamp())


def spelt(number: int) -> str:
    return f"A{number:06d}"


def number_of(text: Any) -> int:
    return number_in(text, "A")


def _day(day: Any) -> str | None:
    return day.strftime("%d-%b-%Y") if day else None


def _patient(px: Px) -> dict[str, Any]:
    flags = [{"all": "NO_CONTACT"}.get(word, f"NO_{word.upper()}") for word in sorted(px.says_no)]
    if px.state != "active":
        flags.append(px.state.upper())
    return {
        "px_no": spelt(px.number),
        "title": px.title,
        "first_names": px.first,
        "surname": px.last,
        "birth_date": _day(px.born),
        "tel": {"mobile": px.mobile, "home": px.home},
        "e_mail": px.email,
        "nhs": px.nhs,
        "last_exam": _day(px.last_exam),
        "next_due": _day(px.due),
        "recall_group": _RISKS[px.risk],
        "flags": flags,
    }


def _appointment(row: Appt) -> dict[str, Any]:
    return {
        "appt": row.number,
        "px_no": spelt(row.patient) if row.patient else None,
        "tel": row.who.get("tel"),
        "room": row.diary,
        "start": int(row.starts_at.timestamp()),
        "mins": row.minutes,
        "state": _STATES.index(row.state),
        "ref": row.reference or None,
        "rev": row.revision,
    }


def _moment(text: Any) -> datetime:
    return datetime.fromtimestamp(int(text), UTC)


def _rows(
    request: web.Request,
    office: Office,
    rows: Sequence[Row],
    spell: Callable[[Row], dict[str, Any]],
) -> web.Response:
    offset, limit = (int(request.query.get(name, "0")) for name in ("offset", "limit"))
    if offset < 0 or limit < 0:
        raise ValueError("rows count from nought")
    page = rows[offset : offset + min(limit or 50, 300)]
    briefly(request, len(page))
    return web.json_response(
        {
            "total": len(rows),
            "offset": offset,
            "now": int(office.now().timestamp()),
            "rows": [spell(row) for row in page],
        }
    )


@routes.post("/optisoft/connect/session")
@vendor.speaks
async def session(request: web.Request, office: Office) -> web.StreamResponse:
    until = _now(office.world) + SESSION_S
    told = urlsafe_b64encode(
        json.dumps({"key": request.headers["X-Optisoft-Key"], "until": until}).encode()
    ).decode()
    return web.json_response({"token": f"{told}.{_signature(told)}", "until": until}, status=201)


@routes.get("/optisoft/connect/about")
@vendor.speaks
async def about(request: web.Request, office: Office) -> web.StreamResponse:
    return web.json_response({"practice": "Acuity Opticians", "build": "2026.3 (4417)"})


@routes.get("/optisoft/connect/rooms")
@vendor.speaks
async def rooms(request: web.Request, office: Office) -> web.StreamResponse:
    return web.json_response({"rows": [{"room": k, "label": v} for k, v in DIARIES.items()]})


@routes.get("/optisoft/connect/px")
@vendor.speaks
async def patients(request: web.Request, office: Office) -> web.StreamResponse:
    since = request.query.get("since")
    rows = office.changed(_moment(since) if since else None)
    return _rows(request, office, rows, _patient)


@routes.get("/optisoft/connect/appts")
@vendor.speaks
async def appointments(request: web.Request, office: Office) -> web.StreamResponse:
    """In a stretch of time, or changed since."""
    asked = request.query
    if "start" in asked:
        rows = office.between(_moment(asked["start"]), _moment(asked["end"]))
    else:
        since = asked.get("since")
        rows = office.changed_appointments(_moment(since) if since else None)
    return _rows(request, office, rows, _appointment)


@routes.get("/optisoft/connect/free")
@vendor.speaks
async def free(request: web.Request, office: Office) -> web.StreamResponse:
    asked = request.query
    found = office.free(_moment(asked["start"]), _moment(asked["end"]), asked.get("room", ""))
    slots = [{"room": diary, "start": int(start.timestamp()), "mins": 30} for diary, start in found]
    return web.json_response({"rows": slots})


@routes.put("/optisoft/connect/appts/ref/{ref}")
@vendor.speaks
async def put(request: web.Request, office: Office) -> web.StreamResponse:
    """One live appointment under a reference: made, or moved."""
    body, reference = await request.json(), request.match_info["ref"]
    when: dict[str, Any] = {
        "diary": str(body.get("room") or ""),
        "starts_at": _moment(body["start"]),
        "minutes": int(body["mins"]),
    }
    standing = _standing(office, reference)
    if standing is not None:
        if (standing.starts_at, standing.minutes) != (when["starts_at"], when["minutes"]):
            office.move(standing, **when)
        return web.json_response(_appointment(standing))
    row = office.book(
        patient=number_of(body["px_no"]) if body.get("px_no") else None,
        who=dict(body.get("walk_in") or {}),
        reference=reference,
        **when,
    )
    return web.json_response(_appointment(row), status=201)


@routes.get("/optisoft/connect/appts/ref/{ref}")
@vendor.speaks
async def one(request: web.Request, office: Office) -> web.StreamResponse:
    return web.json_response(_appointment(_live(office, request.match_info["ref"])))


@routes.delete("/optisoft/connect/appts/ref/{ref}")
@vendor.speaks
async def cancel(request: web.Request, office: Office) -> web.StreamResponse:
    row = _live(office, request.match_info["ref"])
    office.set_state(row, "cancelled")
    return web.json_response(_appointment(row))


def _standing(office: Office, reference: str) -> Appt | None:
    live = [row for row in office.by_reference(reference) if row.state == "booked"]
    return live[0] if live else None


def _live(office: Office, reference: str) -> Appt:
    row = _standing(office, reference)
    if row is None:
        raise RefusedError("unknown_appointment", 404)
    return row
