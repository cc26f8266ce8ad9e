"""Choosing what of an organisation's Bookings is used, and parting from it.

Microsoft is asked first and with no transaction open; the rows are written by
`integrations.connections`.
"""

from dataclasses import dataclass

from django.db import transaction

from integrations import connections, reach
from integrations.microsoft_bookings import client, oauth, seen
from integrations.microsoft_bookings.client import Bookings
from integrations.microsoft_bookings.oauth import Organisation
from integrations.microsoft_bookings.payloads import Business, Service, StaffMember
from integrations.models import Connection, Kind
from practices.journal import Actor
from practices.models import Practice, User
from sightsync.lib.errors import ProviderError


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What one business has. Services for several people at once are left out: their customers have
    to exist in Bookings beforehand, and nobody is recalled to an evening class.
    """

    business: Business
    services: list[Service]
    staff: list[StaffMember]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """`diaries` are our diaries' public ids by the ids of Bookings' staff."""

    business: Business
    service: Service
    staff: list[StaffMember]
    diaries: dict[str, str]


def of(practice: Practice) -> Connection | None:
    return connections.of(practice, Kind.MICROSOFT_BOOKINGS)


def organisation(connection: Connection) -> Organisation:
    """Whose Bookings are connected."""
    tenant = str(connections.credential(connection).get("tenant", ""))
    return Organisation(tenant=tenant, domain=str(connection.settings.get("organisation", "")))


def businesses(practice: Practice, home: Organisation) -> list[Business]:
    """Raises ProviderError."""
    found = _directory(practice, home).businesses()
    return sorted(found, key=lambda each: each.name.lower())


def offer(practice: Practice, home: Organisation, business: Business) -> Offer:
    """Raises ProviderError."""
    directory = _directory(practice, home)
    services = [each for each in directory.services(business.id) if each.places == 1]
    return Offer(
        business=business,
        services=sorted(services, key=lambda each: each.name.lower()),
        staff=directory.staff(business.id),
    )


def _directory(practice: Practice, home: Organisation) -> client.Directory:
    return client.directory(sandbox=reach.is_sandbox(practice), tenant=home.tenant)


def save(
    *,
    practice: Practice,
    home: Organisation,
    choice: Choice,
    consented: bool,
    user: User,
    actor: Actor,
) -> Connection:
    """Connect, or change what is connected when nobody `consented` anew. What stands in an earlier
    calendar stays there.
    """
    settings = {
        "organisation": home.domain,
        "business_id": choice.business.id,
        "business_name": choice.business.name,
        "service_id": choice.service.id,
        "service_name": choice.service.name,
        "service_minutes": choice.service.minutes,
        "diaries": choice.diaries,
        "staff_names": {each.id: each.name for each in choice.staff if each.id in choice.diaries},
    }
    before = of(practice)
    used = before.settings.get("business_id") if before else ""
    with transaction.atomic():
        if before is not None and not consented:
            row = before
            connections.configure(connection=row, settings=settings, actor=actor)
            connections.mended(connection=row, actor=actor)
        else:
            row = connections.connect(
                practice=practice,
                kind=Kind.MICROSOFT_BOOKINGS,
                credential={"tenant": home.tenant},
                shown=home.tenant,
                settings=settings,
                user=user,
                actor=actor,
            )
        if used != choice.business.id:
            seen.forget(row)
    return row


def test(*, connection: Connection, actor: Actor) -> str:
    """The name of the business, when all that was chosen is still there. Raises ProviderError."""
    try:
        name = Bookings(connection).test().name
    except ProviderError as error:
        refused = error.kind is ProviderError.Kind.REJECTED
        connections.failed(connection=connection, code=error.code, actor=actor, refused=refused)
        raise
    connections.mended(connection=connection, actor=actor)
    connections.worked(connection)
    return name


def disconnect(*, connection: Connection, actor: Actor) -> bool:
    """Forget the organisation. Appointments stay in Bookings; only an administrator can take the
    consent back, at Microsoft.
    """
    oauth.forget(organisation(connection).tenant)
    return connections.disconnect(connection=connection, actor=actor)
