"""What tests and the demo ask of the practice management servers: that somebody at the front desk
has changed, added or removed a patient, or made an appointment. `POST /pms/<server>/...`.

`key` is the API key whose practice is meant; left out, every practice that was seen so far. Ids
are spelt as the vendor spells them.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from aiohttp import web

from integrations.sandbox import acuitas, optisoft, optix
from integrations.sandbox.pms_office import DIARIES, Office, Practices, RefusedError, practices
from integrations.sandbox.pms_people import Px
from integrations.sandbox.pms_vendor import moment, number_in
from integrations.sandbox.world import stamp, world_of

routes = web.RouteTableDef()
_SPELLING: dict[str, tuple[Callable[[int], Any], Callable[[Any], int]]] = {
    "optix": (optix.spelt, optix.number_of),
    "acuitas": (acuitas.spelt, acuitas.number_of),
    "optisoft": (optisoft.spelt, optisoft.number_of),
}
_DAYS = {"born", "last_exam", "due"}
_TEXTS = {"title", "first", "last", "mobile", "home", "email", "nhs", "risk", "state"}


def _of(request: web.Request) -> Practices:
    server = request.match_info["server"]
    if server not in _SPELLING:
        raise web.HTTPNotFound(text=f"No practice management server {server}")
    return practices(world_of(request), server)


async def _asked(request: web.Request) -> tuple[dict[str, Any], list[Office]]:
    wish, known = dict(await request.json()), _of(request)
    if key := str(wish.get("key") or ""):
        return wish, [known.of(key)]
    return wish, list(known.offices.values())


def _fields(wish: dict[str, Any]) -> dict[str, Any]:
    """The fields of a record that are given. Raises HTTPBadRequest for one that there is not."""
    found: dict[str, Any] = {}
    for name, value in dict(wish.get("fields") or {}).items():
        if name in _DAYS:
            found[name] = date.fromisoformat(value) if value else None
        elif name in _TEXTS:
            found[name] = str(value)
        elif name == "says_no":
            found[name] = frozenset(value)
        else:
            raise web.HTTPBadRequest(text=f"No field {name}")
    return found


def _meant(request: web.Request, wish: dict[str, Any], office: Office) -> list[int]:
    """The records by `ids`, or the first `count` of those with a mobile number."""
    _, number_of = _SPELLING[request.match_info["server"]]
    if wish.get("ids"):
        numbers = [number_of(each) for each in wish["ids"]]
    else:
        living = (row for row in office.changed(None) if row.state == "active" and row.mobile)
        numbers = [row.number for row in living][: int(wish.get("count", 1))]
    known = office.patients.keys() | office.gone.keys()
    return [number for number in numbers if number in known]


def _spell(request: web.Request, numbers: list[int]) -> list[Any]:
    spelt, _ = _SPELLING[request.match_info["server"]]
    return [spelt(number) for number in numbers]


@routes.post("/pms/{server}/size")
async def size(request: web.Request) -> web.Response:
    """`patients`: how many each practice has. Everything begins again."""
    count = int((await request.json())["patients"])
    _of(request).resize(count)
    return web.json_response({"patients": count})


@routes.post("/pms/{server}/change")
async def change(request: web.Request) -> web.Response:
    """`ids` or `count`, and `fields`; without fields everybody comes in for an examination."""
    wish, offices = await _asked(request)
    given, numbers = _fields(wish), list[int]()
    for office in offices:
        numbers = _meant(request, wish, office)
        for number in numbers:
            today = office.now().date()
            seen = {"last_exam": today, "due": today + timedelta(days=730)}
            office.change(number, **(given or seen))
    return web.json_response({"ids": _spell(request, numbers)})


@routes.post("/pms/{server}/remove")
async def remove(request: web.Request) -> web.Response:
    """`ids` or `count`: they are not in the system any more."""
    wish, offices = await _asked(request)
    numbers: list[int] = []
    for office in offices:
        numbers = _meant(request, wish, office)
        for number in numbers:
            office.gone[number] = office.patients.pop(number)
    return web.json_response({"ids": _spell(request, numbers)})


@routes.post("/pms/{server}/restore")
async def restore(request: web.Request) -> web.Response:
    """`ids`: removed ones come back."""
    wish, offices = await _asked(request)
    numbers: list[int] = []
    for office in offices:
        numbers = [each for each in _meant(request, wish, office) if each in office.gone]
        for number in numbers:
            office.patients[number] = office.gone.pop(number)
            office.change(number)
    return web.json_response({"ids": _spell(request, numbers)})


@routes.post("/pms/{server}/add")
async def add(request: web.Request) -> web.Response:
    """A new patient with these `fields`, the rest as another patient's."""
    wish, offices = await _asked(request)
    number = 0
    for office in offices:
        number = max([0, *office.patients, *office.gone]) + 1
        blank = Px(
            number=number,
            title="",
            first="Robin",
            last="Newman",
            born=None,
            mobile="",
            home="",
            email="",
            nhs="",
            last_exam=None,
            due=None,
            risk="standard",
            says_no=frozenset(),
            state="active",
            updated_at=office.now(),
        )
        office.patients[number] = replace(blank, **_fields(wish))
    return web.json_response({"ids": _spell(request, [number])})


@routes.post("/pms/{server}/appointment")
async def appointment(request: web.Request) -> web.Response:
    """`patient`, `starts_at` (ISO with offset), and perhaps `diary` and `minutes`: made there."""
    wish, offices = await _asked(request)
    _, number_of = _SPELLING[request.match_info["server"]]
    number = 0
    for office in offices:
        try:
            number = office.book(
                patient=number_of(wish["patient"]),
                who={},
                diary=str(wish.get("diary") or ""),
                starts_at=moment(wish["starts_at"]),
                minutes=int(wish.get("minutes", 30)),
            ).number
        except RefusedError as refused:
            raise web.HTTPConflict(text=refused.code) from refused
    return web.json_response({"number": number})


@routes.post("/pms/{server}/appointment/{number}")
async def touch(request: web.Request) -> web.Response:
    """`state` (booked, cancelled, attended, no_show), or `starts_at` to move it, as they do."""
    wish, offices = await _asked(request)
    number = number_in(request.match_info["number"])
    for office in offices:
        row = office.appointment(number)
        if wish.get("starts_at"):
            office.move(
                row, diary=row.diary, starts_at=moment(wish["starts_at"]), minutes=row.minutes
            )
        if wish.get("state"):
            office.set_state(row, str(wish["state"]))
    return web.json_response({"number": number})


@routes.get("/pms/{server}")
async def show(request: web.Request) -> web.Response:
    """Each practice: how many patients, the diaries, and its appointments in plain words."""
    spelt, _ = _SPELLING[request.match_info["server"]]
    return web.json_response(
        {
            key: {
                "patients": len(office.patients),
                "diaries": DIARIES,
                "appointments": [
                    {
                        "number": row.number,
                        "patient": spelt(row.patient) if row.patient else None,
                        "diary": row.diary,
                        "starts_at": stamp(row.starts_at),
                        "minutes": row.minutes,
                        "state": row.state,
                        "reference": row.reference,
                    }
                    for row in office.appointments.values()
                ],
            }
            for key, office in _of(request).offices.items()
        }
    )
