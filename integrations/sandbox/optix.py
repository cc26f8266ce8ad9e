"""Speaks Optix, as its connector's folder writes its wire format down."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeVar

from aiohttp import web

from integrations.sandbox.pms_office import DIARIES, STEP, Appt, Office
from integrations.sandbox.pms_people import Px
from integrations.sandbox.pms_vendor import MESSAGES, Vendor, briefly, moment, number_in
from integrations.sandbox.world import stamp

Row = TypeVar("Row", Px, Appt)
routes = web.RouteTableDef()
vendor = Vendor(
    server="optix",
    key_of=lambda request: request.headers.get("Authorization", "").removeprefix("Bearer "),
    refusal=lambda code, status: {"error": {"code": code, "message": MESSAGES.get(code, code)}},
)
_RISKS = {
    "standard": "Routine",
    "diabetic": "Diabetic",
    "glaucoma_suspect": "Glaucoma suspect",
    "myopia_child": "Myopia management",
    "contact_lens": "Contact lens aftercare",
}
_STATES = {
    "booked": "booked",
    "cancelled": "cancelled",
    "attended": "completed",
    "no_show": "dna",
}


def spelt(number: int) -> str:
    return f"PX-{number:06d}"


def number_of(text: Any) -> int:
    return number_in(text, "PX-")


def _patient(px: Px) -> dict[str, Any]:
    everything, no = "all" in px.says_no, px.says_no
    return {
        "id": spelt(px.number),
        "title": px.title or None,
        "firstName": px.first,
        "lastName": px.last,
        "dateOfBirth": px.born and px.born.isoformat(),
        "mobile": px.mobile or None,
        "telephone": px.home or None,
        "email": px.email or None,
        "nhsNumber": px.nhs or None,
        "lastSightTest": px.last_exam and f"{px.last_exam.isoformat()}T00:00:00",
        "recallDate": px.due and px.due.isoformat(),
        "recallType": _RISKS[px.risk],
        "contactPreferences": {
            "phone": None,
            "sms": False if "sms" in no else None,
            "email": "email" not in no,
            "doNotContact": everything,
        },
        "status": px.state,
        "updatedAt": stamp(px.updated_at),
    }


def _appointment(row: Appt) -> dict[str, Any]:
    return {
        "id": f"AP-{row.number}",
        "patientId": spelt(row.patient) if row.patient else None,
        "contactNumber": row.who.get("mobile"),
        "diaryId": row.diary,
        "startsAt": stamp(row.starts_at),
        "endsAt": stamp(row.ends_at),
        "status": _STATES[row.state],
        "externalReference": row.reference or None,
        "updatedAt": stamp(row.updated_at),
    }


def _since(request: web.Request) -> Any:
    since = request.query.get("updatedSince")
    return moment(since) if since else None


def _page(request: web.Request, office: Office, rows: Sequence[Row], spell: Any) -> web.Response:
    """The page after the cursor, which is the number of the last record of the page before."""
    after = int(request.query.get("cursor", "0").removeprefix("after-"))
    size = min(500, int(request.query.get("pageSize", "50")))
    left = [row for row in rows if row.number > after]
    page = left[:size]
    briefly(request, len(page))
    following = None
    if len(left) > size:
        query = {**request.query, "cursor": f"after-{page[-1].number}"}
        following = str(request.url.with_query(query))
    return web.json_response(
        {
            "data": [spell(row) for row in page],
            "links": {"next": following},
            "meta": {"serverTime": stamp(office.now())},
        }
    )


@routes.get("/optix/v2/practice")
@vendor.speaks
async def practice(request: web.Request, office: Office) -> web.StreamResponse:
    return web.json_response({"name": "Acuity Opticians", "version": "Optix 12.4"})


@routes.get("/optix/v2/diaries")
@vendor.speaks
async def diaries(request: web.Request, office: Office) -> web.StreamResponse:
    return web.json_response({"data": [{"id": k, "name": v} for k, v in DIARIES.items()]})


@routes.get("/optix/v2/patients")
@vendor.speaks
async def patients(request: web.Request, office: Office) -> web.StreamResponse:
    return _page(request, office, office.changed(_since(request)), _patient)


@routes.get("/optix/v2/appointments")
@vendor.speaks
async def appointments(request: web.Request, office: Office) -> web.StreamResponse:
    """By our reference, or in a stretch of time, or changed since."""
    asked = request.query
    if "externalReference" in asked:
        rows = office.by_reference(asked["externalReference"])
    elif "from" in asked:
        rows = office.between(moment(asked["from"]), moment(asked["to"]))
    else:
        rows = office.changed_appointments(_since(request))
    return _page(request, office, rows, _appointment)


@routes.get("/optix/v2/slots")
@vendor.speaks
async def slots(request: web.Request, office: Office) -> web.StreamResponse:
    asked = request.query
    found = office.free(moment(asked["from"]), moment(asked["to"]), asked.get("diaryId", ""))
    data = [
        {"diaryId": diary, "startsAt": stamp(start), "endsAt": stamp(start + STEP)}
        for diary, start in found
    ]
    return web.json_response({"data": data})


@routes.post("/optix/v2/appointments")
@vendor.speaks
async def book(request: web.Request, office: Office) -> web.StreamResponse:
    """A reference that has a live appointment gets that one, and 200."""
    body = await request.json()
    reference = str(body.get("externalReference") or "")
    standing = [row for row in office.by_reference(reference) if row.state == "booked"]
    if reference and standing:
        return web.json_response(_appointment(standing[0]))
    start, minutes = _when(body)
    row = office.book(
        patient=number_of(body["patientId"]) if body.get("patientId") else None,
        who=dict(body.get("patient") or {}),
        diary=str(body.get("diaryId") or ""),
        starts_at=start,
        minutes=minutes,
        reference=reference,
    )
    return web.json_response(_appointment(row), status=201)


@routes.patch("/optix/v2/appointments/{id}")
@vendor.speaks
async def move(request: web.Request, office: Office) -> web.StreamResponse:
    row = office.appointment(number_in(request.match_info["id"], "AP-"))
    body = await request.json()
    start, minutes = _when(body)
    diary = str(body.get("diaryId") or "")
    return web.json_response(
        _appointment(office.move(row, diary=diary, starts_at=start, minutes=minutes))
    )


@routes.post("/optix/v2/appointments/{id}/cancel")
@vendor.speaks
async def cancel(request: web.Request, office: Office) -> web.StreamResponse:
    row = office.appointment(number_in(request.match_info["id"], "AP-"))
    office.set_state(row, "cancelled")
    return web.json_response(_appointment(row))


def _when(body: dict[str, Any]) -> tuple[Any, int]:
    start, end = moment(body["startsAt"]), moment(body["endsAt"])
    if end <= start:
        raise ValueError("it ends before it begins")
    return start, (end - start) // timedelta(minutes=1)
