"""Speaks Acuitas, as its connector's folder writes its wire format down."""

from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time, timedelta
from math import ceil
from typing import Any, TypeVar

from aiohttp import web

from integrations.sandbox.pms_office import DIARIES, LONDON, Appt, Office, RefusedError
from integrations.sandbox.pms_people import Px
from integrations.sandbox.pms_vendor import MESSAGES, Vendor, briefly, number_in

Row = TypeVar("Row", Px, Appt)
routes = web.RouteTableDef()
DAY, MOMENT = "%d/%m/%Y", "%d/%m/%Y %H:%M:%S"
_ERRORS = {
    "wrong_key": 1401,
    "unknown_appointment": 1404,
    "slot_taken": 1409,
    "slow_down": 1429,
    "server_error": 1500,
}
_RISKS = {
    "standard": "ROUTINE",
    "diabetic": "DIAB",
    "glaucoma_suspect": "GLAUC SUSP",
    "myopia_child": "MYOPIA CTRL",
    "contact_lens": "CL",
}
_STATES = {"booked": "B", "cancelled": "X", "attended": "C", "no_show": "N"}


def _key_of(request: web.Request) -> str:
    """HTTP Basic: the site is the user, the key is the password."""
    given = request.headers.get("Authorization", "").removeprefix("Basic ")
    site, _, key = b64decode(given, validate=True).decode().partition(":")
    return key if site else ""


def _refusal(code: str, status: int) -> Mapping[str, Any]:
    return {"ErrorNo": _ERRORS.get(code, 1400), "Message": MESSAGES.get(code, code)}


vendor = Vendor(server="acuitas", key_of=_key_of, refusal=_refusal)


def spelt(number: int) -> int:
    return number


def number_of(text: Any) -> int:
    return number_in(text)


def _day(day: Any) -> str:
    return day.strftime(DAY) if day else ""


def _patient(px: Px) -> dict[str, Any]:
    no = px.says_no
    return {
        "PatientNo": px.number,
        "Salutation": px.title,
        "Forename": px.first,
        "Surname": px.last,
        "DOB": _day(px.born),
        "MobileTel": px.mobile,
        "HomeTel": px.home,
        "WorkTel": "",
        "Email": px.email,
        "NHSNo": px.nhs.replace(" ", ""),
        "LastExam": _day(px.last_exam),
        "NextRecall": _day(px.due),
        "RecallCategory": _RISKS[px.risk],
        "TelOk": "",
        "SmsOk": "N" if "sms" in no else "",
        "EmailOk": "N" if "email" in no else "Y",
        "NoContact": "Y" if "all" in no else "N",
        "Deceased": "Y" if px.state == "deceased" else "N",
        "Archived": "Y" if px.state == "archived" else "N",
    }


def _appointment(row: Appt) -> dict[str, Any]:
    start = row.starts_at.astimezone(LONDON)
    return {
        "AppointmentNo": row.number,
        "PatientNo": row.patient or 0,
        "ContactTel": row.who.get("MobileTel", ""),
        "Clinic": row.diary,
        "Date": _day(start),
        "Time": start.strftime("%H:%M"),
        "Mins": row.minutes,
        "Status": _STATES[row.state],
        "WebRef": row.reference,
        "Revision": row.revision,
    }


def _wall(text: str, spelling: str) -> datetime:
    return datetime.strptime(text, spelling).replace(tzinfo=LONDON)


def _since(request: web.Request) -> datetime | None:
    since = request.query.get("modified_from")
    return _wall(since, MOMENT) if since else None


def _days(request: web.Request) -> tuple[datetime, datetime]:
    """From the beginning of the first day to the end of the last."""
    first, last = (_wall(request.query[name], DAY) for name in ("date_from", "date_to"))
    after = (last + timedelta(days=1)).date()
    return first, datetime.combine(after, time(), LONDON)


def _page(
    request: web.Request,
    office: Office,
    key: str,
    rows: Sequence[Row],
    spell: Callable[[Row], dict[str, Any]],
) -> web.Response:
    number = int(request.query.get("page", "1"))
    size = min(250, int(request.query.get("per_page", "50")))
    if number < 1 or size < 1:
        raise ValueError("pages count from one")
    page = rows[(number - 1) * size : number * size]
    briefly(request, len(page))
    return web.json_response(
        {
            "Page": number,
            "Pages": ceil(len(rows) / size),
            "Total": len(rows),
            "Generated": office.now().astimezone(LONDON).strftime(MOMENT),
            key: [spell(row) for row in page],
        }
    )


@routes.get("/acuitas/api/practice")
@vendor.speaks
async def practice(request: web.Request, office: Office) -> web.StreamResponse:
    return web.json_response({"PracticeName": "ACUITY OPTICIANS", "Version": "8.2.114"})


@routes.get("/acuitas/api/clinics")
@vendor.speaks
async def clinics(request: web.Request, office: Office) -> web.StreamResponse:
    found = [{"Code": code, "Description": name} for code, name in DIARIES.items()]
    return web.json_response({"Clinics": found})


@routes.get("/acuitas/api/patients")
@vendor.speaks
async def patients(request: web.Request, office: Office) -> web.StreamResponse:
    return _page(request, office, "Patients", office.changed(_since(request)), _patient)


@routes.get("/acuitas/api/appointments")
@vendor.speaks
async def appointments(request: web.Request, office: Office) -> web.StreamResponse:
    """By our reference, or of some days, or modified since."""
    if "web_ref" in request.query:
        rows = office.by_reference(request.query["web_ref"])
    elif "date_from" in request.query:
        rows = office.between(*_days(request))
    else:
        rows = office.changed_appointments(_since(request))
    return _page(request, office, "Appointments", rows, _appointment)


@routes.get("/acuitas/api/diary/free")
@vendor.speaks
async def free(request: web.Request, office: Office) -> web.StreamResponse:
    slots = []
    for diary, moment in office.free(*_days(request), request.query.get("clinic", "")):
        start = moment.astimezone(LONDON)
        slots.append(
            {"Clinic": diary, "Date": _day(start), "Time": start.strftime("%H:%M"), "Mins": 30}
        )
    return web.json_response({"Free": slots})


@routes.post("/acuitas/api/appointments")
@vendor.speaks
async def book(request: web.Request, office: Office) -> web.StreamResponse:
    """Always a new one, whatever its WebRef."""
    body = await request.json()
    row = _refused_as_400(
        lambda: office.book(
            patient=number_of(body["PatientNo"]) if body.get("PatientNo") else None,
            who=dict(body.get("NewPatient") or {}),
            reference=str(body.get("WebRef") or ""),
            **_when(body),
        )
    )
    return web.json_response(_appointment(row), status=201)


@routes.put("/acuitas/api/appointments/{number}")
@vendor.speaks
async def move(request: web.Request, office: Office) -> web.StreamResponse:
    row = _named(request, office)
    wanted = _when(await request.json())
    return web.json_response(_appointment(_refused_as_400(lambda: office.move(row, **wanted))))


@routes.delete("/acuitas/api/appointments/{number}")
@vendor.speaks
async def cancel(request: web.Request, office: Office) -> web.StreamResponse:
    office.set_state(_named(request, office), "cancelled")
    return web.Response(status=204)


def _when(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "diary": str(body.get("Clinic") or ""),
        "starts_at": _wall(f"{body['Date']} {body['Time']}", f"{DAY} %H:%M"),
        "minutes": int(body["Mins"]),
    }


def _named(request: web.Request, office: Office) -> Appt:
    number = number_in(request.match_info["number"])
    return _refused_as_400(lambda: office.appointment(number))


def _refused_as_400(question: Callable[[], Appt]) -> Appt:
    try:
        return question()
    except RefusedError as refused:
        raise RefusedError(refused.code, 400) from refused
