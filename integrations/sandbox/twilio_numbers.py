"""Twilio's numbers for sale, addresses and regulatory bundles, as far as the product uses them.

A review takes a few pretend minutes. Papers of a business whose name has "Refused" in it are
rejected; a number that ends in 13 is sold to somebody else before it can be bought.
"""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from integrations.sandbox.resources import new_sid
from integrations.sandbox.twilio_api import ACCOUNT, TwilioError, account_of, form_of, listing
from integrations.sandbox.world import World, stamp, world_of

routes = web.RouteTableDef()
RULES = "/twilio/v2/RegulatoryCompliance"
REVIEW = timedelta(minutes=5)
SOLD_MEANWHILE = "13"
_TOWNS = {"118": "Reading", "161": "Manchester", "117": "Bristol", "131": "Edinburgh"}


@dataclass
class Shop:
    """What the account has bought, and the papers it handed in."""

    numbers: dict[str, dict[str, Any]] = field(default_factory=dict)
    addresses: dict[str, dict[str, Any]] = field(default_factory=dict)
    papers: dict[str, dict[str, Any]] = field(default_factory=dict)
    bundles: dict[str, dict[str, Any]] = field(default_factory=dict)
    items: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    reviewed_at: dict[str, datetime] = field(default_factory=dict)


def shop_of(world: World) -> Shop:
    return world.room("twilio_numbers", Shop)


@routes.get(ACCOUNT + "/AvailablePhoneNumbers/GB/{kind:Local|Mobile}.json")
async def available(request: web.Request) -> web.Response:
    """The same numbers for the same question; `Contains` narrows them."""
    account_of(request)
    kind, asked = request.match_info["kind"], request.query.get("Contains", "")
    digits = asked.removeprefix("+44").lstrip("0").replace("*", "")
    size = min(30, int(request.query.get("PageSize", 20)))
    rows = [_offer(kind, number) for number in _for_sale(kind, digits, size)]
    taken = {row["phone_number"] for row in shop_of(world_of(request)).numbers.values()}
    return web.json_response(
        {
            "available_phone_numbers": [row for row in rows if row["phone_number"] not in taken],
            "uri": request.path.removeprefix("/twilio"),
        }
    )


def _for_sale(kind: str, digits: str, size: int) -> list[str]:
    """Numbers of Ofcom's ranges for fiction, so that none of them is anybody's."""
    if kind == "Mobile":
        found = [f"+447700900{number:03d}" for number in range(600, 700)]
    else:
        found = [f"+44{area}496{number:04d}" for area in _TOWNS for number in range(600, 640)]
    chosen = [number for number in found if digits in number]
    random.Random(f"{kind}{digits}").shuffle(chosen)  # noqa: S311 - nothing secret
    return chosen[:size]


def _offer(kind: str, number: str) -> dict[str, Any]:
    place = "" if kind == "Mobile" else _TOWNS.get(number[3:6], "")
    return {
        "friendly_name": number,
        "phone_number": number,
        "lata": None,
        "locality": place or None,
        "rate_center": None,
        "latitude": None,
        "longitude": None,
        "region": place or None,
        "postal_code": None,
        "iso_country": "GB",
        "address_requirements": "any",
        "beta": False,
        "capabilities": {"voice": True, "SMS": True, "MMS": False, "fax": False},
    }


@routes.get(ACCOUNT + "/Addresses.json")
async def list_addresses(request: web.Request) -> web.Response:
    account_of(request)
    rows = _named(request, shop_of(world_of(request)).addresses, "FriendlyName")
    return listing(request, "addresses", rows)


@routes.post(ACCOUNT + "/Addresses.json")
async def create_address(request: web.Request) -> web.Response:
    account, form = account_of(request), await form_of(request)
    for name in ("CustomerName", "Street", "City", "Region", "PostalCode", "IsoCountry"):
        if not form.get(name):
            raise TwilioError(400, 21604, f"{name} is required.")
    row = {
        "sid": new_sid("AD"),
        "account_sid": account,
        "friendly_name": str(form.get("FriendlyName", "")),
        "customer_name": str(form["CustomerName"]),
        "iso_country": str(form["IsoCountry"]),
    }
    shop_of(world_of(request)).addresses[row["sid"]] = row
    return web.json_response(row, status=201)


@routes.get(ACCOUNT + "/IncomingPhoneNumbers.json")
async def list_numbers(request: web.Request) -> web.Response:
    account_of(request)
    rows = _named(request, shop_of(world_of(request)).numbers, "PhoneNumber", "phone_number")
    return listing(request, "incoming_phone_numbers", rows)


@routes.post(ACCOUNT + "/IncomingPhoneNumbers.json")
async def buy(request: web.Request) -> web.Response:
    account, form = account_of(request), await form_of(request)
    shop, number = shop_of(world_of(request)), str(form.get("PhoneNumber", ""))
    if number.endswith(SOLD_MEANWHILE) or any(
        row["phone_number"] == number for row in shop.numbers.values()
    ):
        raise TwilioError(400, 21422, f"{number} is not available.")
    if str(form.get("AddressSid", "")) not in shop.addresses:
        raise TwilioError(400, 21631, "Phone number requires an address.")
    bundle = shop.bundles.get(str(form.get("BundleSid", "")))
    if bundle is None or _status(world_of(request), bundle) != "twilio-approved":
        raise TwilioError(400, 21649, "Bundle required.")
    row = {
        "sid": new_sid("PN"),
        "account_sid": account,
        "friendly_name": str(form.get("FriendlyName", number)),
        "phone_number": number,
        "voice_url": str(form.get("VoiceUrl", "")),
        "sms_url": str(form.get("SmsUrl", "")),
        "address_sid": str(form["AddressSid"]),
        "bundle_sid": str(form["BundleSid"]),
        "status": "in-use",
    }
    shop.numbers[row["sid"]] = row
    return web.json_response(row, status=201)


@routes.delete(ACCOUNT + "/IncomingPhoneNumbers/{sid:PN[0-9a-f]+}.json")
async def give_back(request: web.Request) -> web.Response:
    account_of(request)
    if shop_of(world_of(request)).numbers.pop(request.match_info["sid"], None) is None:
        raise TwilioError(404, 20404, "The requested resource was not found")
    return web.Response(status=204)


# --- papers -------------------------------------------------------------------------------------


@routes.get(RULES + "/Regulations")
async def regulations(request: web.Request) -> web.Response:
    account = account_of(request)
    kind = request.query.get("NumberType", "local")
    row = {
        "sid": f"RN{'0' * 31}{1 if kind == 'local' else 2}",
        "friendly_name": f"United Kingdom: {kind} - Business",
        "iso_country": request.query.get("IsoCountry", "GB"),
        "number_type": kind,
        "end_user_type": request.query.get("EndUserType", "business"),
        "account_sid": account,
        "requirements": {},
    }
    return _results(request, [row])


@routes.post(RULES + "/EndUsers")
async def create_end_user(request: web.Request) -> web.Response:
    return await _paper(request, "IT")


@routes.post(RULES + "/SupportingDocuments")
async def create_document(request: web.Request) -> web.Response:
    return await _paper(request, "RD")


@routes.get(RULES + "/EndUsers")
async def list_end_users(request: web.Request) -> web.Response:
    return _papers(request, "IT")


@routes.get(RULES + "/SupportingDocuments")
async def list_documents(request: web.Request) -> web.Response:
    return _papers(request, "RD")


def _papers(request: web.Request, prefix: str) -> web.Response:
    """All of a kind: the real one knows no search by name either."""
    account_of(request)
    rows = shop_of(world_of(request)).papers.values()
    return _results(request, [row for row in rows if row["sid"].startswith(prefix)])


async def _paper(request: web.Request, prefix: str) -> web.Response:
    account, form = account_of(request), await form_of(request)
    row = {
        "sid": new_sid(prefix),
        "account_sid": account,
        "friendly_name": str(form.get("FriendlyName", "")),
        "type": str(form.get("Type", "")),
        "attributes": form.get("Attributes", "{}"),
    }
    shop_of(world_of(request)).papers[row["sid"]] = row
    return web.json_response(row, status=201)


@routes.get(RULES + "/Bundles")
async def list_bundles(request: web.Request) -> web.Response:
    account_of(request)
    world = world_of(request)
    rows = _named(request, shop_of(world).bundles, "FriendlyName")
    return _results(request, [{**row, "status": _status(world, row)} for row in reversed(rows)])


@routes.post(RULES + "/Bundles")
async def create_bundle(request: web.Request) -> web.Response:
    account, form = account_of(request), await form_of(request)
    row = {
        "sid": new_sid("BU"),
        "account_sid": account,
        "regulation_sid": str(form.get("RegulationSid", "")),
        "friendly_name": str(form.get("FriendlyName", "")),
        "status": "draft",
        "email": str(form.get("Email", "")),
    }
    shop_of(world_of(request)).bundles[row["sid"]] = row
    return web.json_response(row, status=201)


@routes.get(RULES + "/Bundles/{sid:BU[0-9a-f]+}")
async def fetch_bundle(request: web.Request) -> web.Response:
    row = _bundle(request)
    return web.json_response({**row, "status": _status(world_of(request), row)})


@routes.post(RULES + "/Bundles/{sid:BU[0-9a-f]+}")
async def update_bundle(request: web.Request) -> web.Response:
    row, form, world = _bundle(request), await form_of(request), world_of(request)
    if form.get("Status") == "pending-review":
        if len(shop_of(world).items.get(row["sid"], [])) < 2:
            raise TwilioError(400, 22214, "The bundle is not complete.")
        row["status"] = "pending-review"
        shop_of(world).reviewed_at[row["sid"]] = world.clock.now() + REVIEW
    return web.json_response(row)


@routes.get(RULES + "/Bundles/{sid:BU[0-9a-f]+}/ItemAssignments")
async def list_items(request: web.Request) -> web.Response:
    row = _bundle(request)
    return _results(request, shop_of(world_of(request)).items.get(row["sid"], []))


@routes.post(RULES + "/Bundles/{sid:BU[0-9a-f]+}/ItemAssignments")
async def add_item(request: web.Request) -> web.Response:
    row, form = _bundle(request), await form_of(request)
    item = {
        "sid": new_sid("BV"),
        "bundle_sid": row["sid"],
        "account_sid": row["account_sid"],
        "object_sid": str(form.get("ObjectSid", "")),
        "date_created": stamp(world_of(request).clock.now()),
    }
    shop_of(world_of(request)).items.setdefault(row["sid"], []).append(item)
    return web.json_response(item, status=201)


def _bundle(request: web.Request) -> dict[str, Any]:
    account_of(request)
    row = shop_of(world_of(request)).bundles.get(request.match_info["sid"])
    if row is None:
        raise TwilioError(404, 20404, "The requested resource was not found")
    return row


def _status(world: World, row: dict[str, Any]) -> str:
    """Reviewed once its minutes are over."""
    shop = shop_of(world)
    until = shop.reviewed_at.get(row["sid"])
    if row["status"] != "pending-review" or until is None or world.clock.now() < until:
        return str(row["status"])
    papers = [shop.papers.get(item["object_sid"], {}) for item in shop.items.get(row["sid"], [])]
    refused = any("Refused" in str(paper.get("attributes")) for paper in papers)
    return "twilio-rejected" if refused else "twilio-approved"


def _named(
    request: web.Request, rows: dict[str, dict[str, Any]], query: str, key: str = "friendly_name"
) -> list[dict[str, Any]]:
    wanted = request.query.get(query)
    return [row for row in rows.values() if wanted is None or row[key] == wanted]


def _results(request: web.Request, rows: list[dict[str, Any]]) -> web.Response:
    """A list as Twilio's newer products give it."""
    meta = {
        "page": 0,
        "page_size": 50,
        "first_page_url": str(request.url),
        "previous_page_url": None,
        "url": str(request.url),
        "next_page_url": None,
        "key": "results",
    }
    return web.json_response({"results": rows, "meta": meta})
