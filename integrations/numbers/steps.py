"""What each step of buying a number asks of the carrier, and what it learns. It writes no rows.

Raises ProviderError as the carrier's client does.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, cast

from django.conf import settings

from integrations import reach
from integrations.models import DedicatedNumber, NumberState
from integrations.twilio import client, numbers
from integrations.twilio.client import Account
from sightsync.lib import clock
from sightsync.lib.errors import ProviderError

NOW = timedelta(0)
REVIEW_EVERY = timedelta(minutes=10)
UNKNOWN_FOR = 6
"""Looks at a purchase of unknown fate before it counts as not made: the carrier's own list is late
by seconds, not by minutes."""
LOOK_EVERY = timedelta(seconds=30)
SOLD, NO_BUNDLE, GONE = "21422", "21649", "20404"
NumberType = Literal["local", "mobile"]


@dataclass(frozen=True, slots=True)
class Learnt:
    """The state from now on, when to go on (None: not by itself), and the columns to set."""

    state: str
    wait: timedelta | None = NOW
    values: dict[str, Any] = field(default_factory=dict)


def account_of(row: DedicatedNumber) -> Account:
    return client.account_for(sandbox=reach.is_sandbox(row.practice))


def papers_of(row: DedicatedNumber) -> numbers.Papers:
    return numbers.Papers(**row.papers)


def address(row: DedicatedNumber) -> Learnt:
    """Register the business's address, unless an earlier try did."""
    account, reference = account_of(row), _edition(row)
    found = numbers.find_address(account=account, reference=reference)
    sid = found or numbers.make_address(account=account, reference=reference, papers=papers_of(row))
    return Learnt(NumberState.BUNDLE, values={"address_sid": sid})


def bundle(row: DedicatedNumber) -> Learnt:
    """Put the papers together and hand them in; what an earlier try has made is used."""
    account, reference, papers = account_of(row), _edition(row), papers_of(row)
    kind = cast(NumberType, row.number_type)
    found = numbers.find_bundle(account=account, reference=reference)
    if found is None:
        rules = numbers.regulation_for(account=account, number_type=kind)
        found = numbers.make_bundle(
            account=account,
            reference=reference,
            regulation_sid=rules,
            number_type=kind,
            email=papers.email,
        )
    if found.status == "draft":
        end_user = numbers.find_end_user(
            account=account, reference=reference
        ) or numbers.make_end_user(account=account, reference=reference, papers=papers)
        document = numbers.find_document(
            account=account, reference=reference
        ) or numbers.make_document(
            account=account, reference=reference, address_sid=row.address_sid
        )
        numbers.hand_in(account=account, bundle_sid=found.sid, items=(end_user, document))
    return Learnt(NumberState.REVIEW, wait=REVIEW_EVERY, values={"bundle_sid": found.sid})


def review(row: DedicatedNumber) -> Learnt:
    """Ask how the review stands."""
    found = numbers.fetch_bundle(account=account_of(row), bundle_sid=row.bundle_sid)
    if found.status == "twilio-approved":
        return Learnt(NumberState.BUYING)
    if found.status == "twilio-rejected":
        return Learnt(NumberState.REFUSED, wait=None, values={"reason": "papers_refused"})
    return Learnt(NumberState.REVIEW, wait=REVIEW_EVERY)


def buy(row: DedicatedNumber) -> Learnt:
    """The one request that costs money. That it leaves is written down first."""
    taken = DedicatedNumber.objects.filter(
        pk=row.pk, state=NumberState.BUYING, submitted_at=None, lease_until=row.lease_until
    ).update(submitted_at=clock.now())
    if not taken:
        return look(row)
    base = settings.PUBLIC_BASE_URL
    sid = numbers.buy(
        account=account_of(row),
        reference=row.public_id,
        phone_number=row.phone_number,
        address_sid=row.address_sid,
        bundle_sid=row.bundle_sid,
        hooks=numbers.Hooks(
            voice_url=f"{base}/hooks/twilio/inbound/voice",
            sms_url=f"{base}/hooks/twilio/inbound/message",
        ),
    )
    return Learnt(NumberState.ACTIVE, wait=None, values={"number_sid": sid})


def look(row: DedicatedNumber) -> Learnt:
    """Settle a purchase of unknown fate: ours, or known not to have been made."""
    sid = numbers.find_number(account=account_of(row), phone_number=row.phone_number)
    if sid:
        return Learnt(NumberState.ACTIVE, wait=None, values={"number_sid": sid})
    if row.tries >= UNKNOWN_FOR:
        return Learnt(NumberState.BUYING, values={"tries": 0, "submitted_at": None})
    return Learnt(NumberState.UNKNOWN, wait=LOOK_EVERY, values={"tries": row.tries + 1})


def give_back(row: DedicatedNumber) -> Learnt:
    """Release it; one that the account has no more is released."""
    try:
        numbers.release(account=account_of(row), number_sid=row.number_sid)
    except ProviderError as error:
        if error.code not in (GONE, "404"):
            raise
    return Learnt(NumberState.RELEASED, wait=None)


def refused(row: DedicatedNumber, code: str) -> Learnt:
    """The carrier said no for good."""
    if row.state == NumberState.BUYING and code == SOLD:
        return Learnt(NumberState.FAILED, wait=None, values={"reason": "sold"})
    if row.state == NumberState.BUYING and code == NO_BUNDLE:
        # The papers ran out meanwhile: they are looked at again before the number is asked for.
        values = {"reason": code, "submitted_at": None}
        return Learnt(NumberState.REVIEW, wait=REVIEW_EVERY, values=values)
    if row.state in (NumberState.RELEASING, NumberState.UNKNOWN, NumberState.REVIEW):
        # Nothing is wrong with the number: somebody has to look at the account.
        return Learnt(row.state, wait=timedelta(hours=1), values={"reason": code})
    if row.state in (NumberState.ADDRESS, NumberState.CHOSEN, NumberState.BUNDLE):
        return Learnt(NumberState.REFUSED, wait=None, values={"reason": code})
    return Learnt(NumberState.FAILED, wait=None, values={"reason": code})


def _edition(row: DedicatedNumber) -> str:
    """What the papers of this purchase are called; corrected ones are new ones."""
    edition = row.papers_edition
    return f"{row.public_id}/{edition}" if edition > 1 else row.public_id
