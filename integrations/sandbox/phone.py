"""The patient's phone as a page: what every number received and said, and a box to reply."""

import zlib
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from aiohttp import web
from django.template.loader import render_to_string

from integrations.sandbox import phone_words, twilio_calls, twilio_messages
from integrations.sandbox.letters import Mail
from integrations.sandbox.people import Entry, Person
from integrations.sandbox.world import World, world_of
from sightsync.lib import clock

routes = web.RouteTableDef()
MOST_PEOPLE = 150
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self';"
    " img-src 'self' data:; connect-src 'self'; frame-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
# An email is shown as a mail program shows it: no script, no remote picture, links in a new tab.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self';"
    " sandbox allow-popups allow-popups-to-escape-sandbox"
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One person in the list on the left."""

    key: str
    name: str
    persona: str
    last: str
    icon: str
    at: str
    count: int
    busy: bool


@routes.get("/sandbox")
@routes.get("/")
async def home(request: web.Request) -> web.Response:
    raise web.HTTPFound("/sandbox/phone")


@routes.get("/sandbox/phone")
async def phone(request: web.Request) -> web.Response:
    world = world_of(request)
    wanted = request.query.get("number", "")
    search = request.query.get("q", "").strip()
    people = _people(world, search)
    person = world.people.by_key.get(wanted) or (people[0] if people else None)
    today = clock.london(world.clock.now()).date()
    entries = (
        [phone_words.show(entry, today) for entry in reversed(person.entries)] if person else []
    )
    text = render_to_string(
        "sandbox/phone.html",
        {
            "rows": [_row(each, today) for each in people[:MOST_PEOPLE]],
            "left_out": max(0, len(people) - MOST_PEOPLE),
            "search": search,
            "person": person,
            "chosen": bool(wanted),
            "number": phone_words.number(person.key) if person else "",
            "can_reply": bool(person and person.practice_number),
            "practice_number": phone_words.number(person.practice_number) if person else "",
            "entries": entries,
            "now": phone_words.full_time(world.clock.now()),
            "version": _version(people, person),
        },
    )
    return web.Response(
        text=text,
        content_type="text/html",
        headers={"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-store"},
    )


@routes.post("/sandbox/phone/reply")
async def reply(request: web.Request) -> web.Response:
    """The box under the name: write by SMS or WhatsApp, or ring the practice."""
    if request.headers.get("Origin") not in (None, f"http://{request.host}"):
        raise web.HTTPForbidden(text="Reply from the phone page itself.")
    world, form = world_of(request), await request.post()
    person = world.people.by_key.get(str(form.get("number", "")))
    if person is None or not person.practice_number:
        raise web.HTTPNotFound(text="Nobody has contacted this number yet.")
    channel, body = str(form.get("channel", "sms")), str(form.get("body", "")).strip()
    if channel == "voice":
        await twilio_calls.ring_in(world, from_=person.key, to=person.practice_number)
    elif body:
        prefix = "whatsapp:" if channel == "whatsapp" else ""
        await twilio_messages.receive(
            world, from_=prefix + person.key, to=prefix + person.practice_number, body=body
        )
    raise web.HTTPSeeOther(f"/sandbox/phone?number={quote(person.key)}")


@routes.get("/sandbox/mail/{id:[0-9]+}")
async def mail(request: web.Request) -> web.Response:
    """The body of an email, for the frame on the page."""
    found = _mail(request)
    context = {"html": found.part("html"), "text": phone_words.linked(found.part("plain"))}
    return web.Response(
        text=render_to_string("sandbox/mail.html", context),
        content_type="text/html",
        headers={"Content-Security-Policy": MAIL_POLICY},
    )


@routes.get("/sandbox/mail/{id:[0-9]+}/{part:[0-9]+}")
async def attachment(request: web.Request) -> web.Response:
    parts = _mail(request).attachments
    index = int(request.match_info["part"])
    if index >= len(parts):
        raise web.HTTPNotFound
    content = parts[index].get_payload(decode=True)
    name = quote(parts[index].get_filename() or f"attachment-{index + 1}")
    return web.Response(
        body=content if isinstance(content, bytes) else b"",
        content_type="application/octet-stream",
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}"},
    )


def _mail(request: web.Request) -> Mail:
    mails, index = world_of(request).mails, int(request.match_info["id"]) - 1
    if not 0 <= index < len(mails):
        raise web.HTTPNotFound
    return mails[index]


def _people(world: World, search: str) -> list[Person]:
    """Who has been reached, the last one first."""
    digits = "".join(letter for letter in search if letter.isdigit()).lstrip("0")
    words = search.lower()

    def fits(person: Person) -> bool:
        in_number = bool(digits) and digits in person.key
        return (
            not search or in_number or words in f"{person.key} {person.email} {person.name}".lower()
        )

    found = [person for person in world.people.by_key.values() if person.shown and fits(person)]
    return sorted(found, key=lambda person: person.last_order, reverse=True)


def _row(person: Person, today: date) -> Row:
    last: Entry | None = person.entries[-1] if person.entries else None
    return Row(
        key=person.key,
        name=person.name or phone_words.number(person.key),
        persona=person.persona.title,
        last=phone_words.snippet(last) if last else "",
        icon=phone_words.icon(last) if last else "smartphone",
        at=phone_words.short_time(last.at, today) if last else "",
        count=len(person.entries),
        busy=any(entry.call is not None and not entry.call.is_over for entry in person.entries),
    )


def _version(people: list[Person], person: Person | None) -> str:
    """Changes whenever the page would; the script fetches the page again and compares."""
    facts: list[Any] = [(each.key, each.last_order, len(each.entries)) for each in people]
    for entry in person.entries if person else []:
        call = entry.call
        facts.append((entry.status, call.status if call else "", len(call.lines) if call else 0))
    return f"{zlib.crc32(repr(facts).encode()):08x}"
