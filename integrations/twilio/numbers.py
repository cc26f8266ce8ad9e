"""Buying and giving back UK numbers through Twilio's own SDK: one request per function.

Twilio sells a UK number only with an address and an approved bundle of papers about the business
(https://www.twilio.com/docs/phone-numbers/regulatory). It has no idempotency key: everything made
here carries our reference as its friendly name, so that it can be looked for before it is made
again. Every failure leaves as `ProviderError`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from integrations.twilio.client import Account, ask

NumberType = Literal["local", "mobile"]
COUNTRY = "GB"
TIMEOUT_S = 10.0
BUSINESS = "business"
MOST_PAPERS = 2_000
"""As many of a kind are looked through for ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A number that can be bought. `place` is where it belongs, blank for a mobile."""

    phone_number: str
    number_type: str
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """What the carrier asks about the business that the number is for."""

    business_name: str
    street: str
    city: str
    postcode: str
    email: str
    registration_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """The papers' review: draft, pending-review, in-review, twilio-approved, twilio-rejected.

    Why papers are rejected is not told here: it is written to their email address.
    """

    sid: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """Where calls and messages to the number are brought."""

    voice_url: str
    sms_url: str


def search(
    *, account: Account, number_type: NumberType, contains: str = "", limit: int = 20
) -> list[Offer]:
    """Numbers for sale that can ring and text; `contains` are digits as people write them."""
    pattern = {"contains": _pattern(contains)} if contains else {}

    def listed(client: Any) -> list[Offer]:
        available = client.available_phone_numbers(COUNTRY)
        source = available.mobile if number_type == "mobile" else available.local
        found = source.list(
            sms_enabled=True, voice_enabled=True, limit=limit, page_size=limit, **pattern
        )
        return [
            Offer(
                phone_number=str(number.phone_number),
                number_type=number_type,
                place=str(number.locality or number.region or ""),
            )
            for number in found
        ]

    return ask(account, TIMEOUT_S, listed)


def _pattern(digits: str) -> str:
    """0118 is +44118..., for the search knows numbers in full."""
    return f"+44{digits[1:]}" if digits.startswith("0") else digits


def find_address(*, account: Account, reference: str) -> str:
    """The id of the address that carries our reference; blank when there is none."""
    return ask(
        account,
        TIMEOUT_S,
        lambda client: _first(client.addresses.list(friendly_name=reference, limit=1)),
    )


def make_address(*, account: Account, reference: str, papers: Papers) -> str:
    return ask(
        account,
        TIMEOUT_S,
        lambda client: str(
            client.addresses.create(
                friendly_name=reference,
                customer_name=papers.business_name,
                street=papers.street,
                city=papers.city,
                region=papers.city,
                postal_code=papers.postcode,
                iso_country=COUNTRY,
            ).sid
        ),
    )


def regulation_for(*, account: Account, number_type: NumberType) -> str:
    """The id of the rules that the papers have to meet."""
    return ask(
        account,
        TIMEOUT_S,
        lambda client: _first(
            _compliance(client).regulations.list(
                iso_country=COUNTRY, number_type=number_type, end_user_type=BUSINESS, limit=1
            )
        ),
    )


def make_end_user(*, account: Account, reference: str, papers: Papers) -> str:
    attributes: Mapping[str, str] = {
        "business_name": papers.business_name,
        "business_registration_number": papers.registration_number,
    }
    return ask(
        account,
        TIMEOUT_S,
        lambda client: str(
            _compliance(client)
            .end_users.create(friendly_name=reference, type=BUSINESS, attributes=dict(attributes))
            .sid
        ),
    )


def find_end_user(*, account: Account, reference: str) -> str:
    """The id of the business that carries our reference; blank when there is none."""
    return ask(
        account,
        TIMEOUT_S,
        lambda client: _named(_compliance(client).end_users.list(limit=MOST_PAPERS), reference),
    )


def find_document(*, account: Account, reference: str) -> str:
    """The id of the proof that carries our reference; blank when there is none."""
    return ask(
        account,
        TIMEOUT_S,
        lambda client: _named(
            _compliance(client).supporting_documents.list(limit=MOST_PAPERS), reference
        ),
    )


def make_document(*, account: Account, reference: str, address_sid: str) -> str:
    """The proof of address: it points to the address that was made."""
    return ask(
        account,
        TIMEOUT_S,
        lambda client: str(
            _compliance(client)
            .supporting_documents.create(
                friendly_name=reference,
                type="business_address",
                attributes={"address_sids": address_sid},
            )
            .sid
        ),
    )


def find_bundle(*, account: Account, reference: str) -> Bundle | None:
    """The newest bundle that carries our reference."""

    def found(client: Any) -> Bundle | None:
        rows = _compliance(client).bundles.list(friendly_name=reference, limit=1)
        return _bundle(rows[0]) if rows else None

    return ask(account, TIMEOUT_S, found)


def make_bundle(
    *,
    account: Account,
    reference: str,
    regulation_sid: str,
    number_type: NumberType,
    email: str,
) -> Bundle:
    return ask(
        account,
        TIMEOUT_S,
        lambda client: _bundle(
            _compliance(client).bundles.create(
                friendly_name=reference,
                email=email,
                regulation_sid=regulation_sid,
                iso_country=COUNTRY,
                number_type=number_type,
                end_user_type=BUSINESS,
            )
        ),
    )


def hand_in(*, account: Account, bundle_sid: str, items: tuple[str, ...]) -> Bundle:
    """Put the papers into the bundle and send it for review. Papers already in it stay in it."""

    def handed(client: Any) -> Bundle:
        bundle = _compliance(client).bundles(bundle_sid)
        inside = {str(item.object_sid) for item in bundle.item_assignments.list(limit=20)}
        for item in items:
            if item not in inside:
                bundle.item_assignments.create(object_sid=item)
        return _bundle(bundle.update(status="pending-review"))

    return ask(account, TIMEOUT_S, handed)


def fetch_bundle(*, account: Account, bundle_sid: str) -> Bundle:
    return ask(
        account, TIMEOUT_S, lambda client: _bundle(_compliance(client).bundles(bundle_sid).fetch())
    )


def buy(
    *,
    account: Account,
    reference: str,
    phone_number: str,
    address_sid: str,
    bundle_sid: str,
    hooks: Hooks,
) -> str:
    """Buy it; its id. UNKNOWN means that it may be ours and paid for: look, never buy again."""
    return ask(
        account,
        TIMEOUT_S,
        lambda client: str(
            client.incoming_phone_numbers.create(
                phone_number=phone_number,
                friendly_name=reference,
                address_sid=address_sid,
                bundle_sid=bundle_sid,
                voice_url=hooks.voice_url,
                voice_method="POST",
                sms_url=hooks.sms_url,
                sms_method="POST",
            ).sid
        ),
    )


def find_number(*, account: Account, phone_number: str) -> str:
    """The id of the number if the account has it; blank when it has not."""
    return ask(
        account,
        TIMEOUT_S,
        lambda client: _first(
            client.incoming_phone_numbers.list(phone_number=phone_number, limit=1)
        ),
    )


def release(*, account: Account, number_sid: str) -> None:
    """Give it back for good. Raises REJECTED with code 20404 when the account has it no more."""
    ask(account, TIMEOUT_S, lambda client: client.incoming_phone_numbers(number_sid).delete())


def _compliance(client: Any) -> Any:
    return client.numbers.v2.regulatory_compliance


def _first(rows: list[Any]) -> str:
    return str(rows[0].sid) if rows else ""


def _named(rows: list[Any], reference: str) -> str:
    """The carrier cannot be asked for these by name."""
    return _first([row for row in rows if row.friendly_name == reference])


def _bundle(row: Any) -> Bundle:
    return Bundle(sid=str(row.sid), status=str(getattr(row.status, "value", row.status)))
