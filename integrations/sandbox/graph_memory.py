"""What the pretend Microsoft knows: organisations, what they allow us, and their Bookings.

The rules are Bookings' own as documented for applications; where Microsoft documents no wording of
a refusal, the wording here is ours. It must not speak HTTP.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid5

from sightsync.lib import clock

READ = "Bookings.Read.All"
WRITE = "BookingsAppointment.ReadWrite.All"
ROLES = (READ, WRITE)
_SPACE = UUID("5a5a5a5a-0000-4000-8000-000000000000")
LEAST_NOTICE = timedelta(minutes=15)
MOST_NOTICE = timedelta(days=365)
SEED_DAYS = 14


class RefusedError(Exception):
    """Graph says no, in its own form of an error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def made_id(*parts: str) -> str:
    """The same id for the same thing in every sandbox."""
    return str(uuid5(_SPACE, "/".join(parts)))


@dataclass(kw_only=True)
class Staff:
    id: str
    name: str
    email: str


@dataclass(kw_only=True)
class Service:
    """What can be booked. With places for more than one, its customers must exist beforehand."""

    id: str
    name: str
    minutes: int
    places: int = 1
    buffer_minutes: int = 0


@dataclass(kw_only=True)
class Booking:
    """One appointment. `version` counts its changes."""

    id: str
    service: Service
    staff_ids: list[str]
    starts_at: datetime
    ends_at: datetime
    customers: list[dict[str, Any]]
    created_at: datetime
    updated_at: datetime
    notes: str = ""
    information: str = ""
    quiet: bool = False
    texts: bool = False
    version: int = 1

    @property
    def taken(self) -> tuple[datetime, datetime]:
        """From when to when its staff cannot be booked."""
        return self.starts_at, self.ends_at + timedelta(minutes=self.service.buffer_minutes)


@dataclass(kw_only=True)
class Absence:
    """Something in a person's own calendar, or a day off."""

    staff_id: str
    starts_at: datetime
    ends_at: datetime
    status: str = "busy"


@dataclass(kw_only=True)
class Business:
    """A shared Bookings calendar; its id is its mailbox. `told` is what Bookings itself would have
    sent to customers.
    """

    id: str
    name: str
    services: list[Service]
    staff: list[Staff]
    opens: time = time(9)
    closes: time = time(17, 30)
    bookings: dict[str, Booking] = field(default_factory=dict)
    customers: dict[str, dict[str, Any]] = field(default_factory=dict)
    absences: list[Absence] = field(default_factory=list)
    told: list[dict[str, str]] = field(default_factory=list)

    def service(self, key: Any) -> Service:
        found = next((each for each in self.services if each.id == key), None)
        if found is None:
            raise RefusedError(400, "BadRequest", "Invalid Service")
        return found

    def booking(self, key: str) -> Booking:
        if key not in self.bookings:
            raise RefusedError(404, "ErrorItemNotFound", "The object was not found in the store.")
        return self.bookings[key]

    def between(self, start: datetime, end: datetime) -> list[Booking]:
        found = [
            each for each in self.bookings.values() if each.starts_at < end and each.ends_at > start
        ]
        return sorted(found, key=lambda each: (each.starts_at, each.id))

    def busy(self, staff_id: str) -> list[tuple[datetime, datetime, str]]:
        """When that person cannot be booked, and why."""
        taken = [
            (*each.taken, "busy") for each in self.bookings.values() if staff_id in each.staff_ids
        ]
        own = [
            (each.starts_at, each.ends_at, each.status)
            for each in self.absences
            if each.staff_id == staff_id
        ]
        return sorted(taken + own)

    def open_on(self, day: date) -> tuple[datetime, datetime] | None:
        if day.weekday() >= 5:
            return None
        return clock.at_london(day, self.opens), clock.at_london(day, self.closes)

    def check(self, wish: Booking, now: datetime) -> None:
        """Bookings' rules for applications. Raises RefusedError."""
        known = {each.id for each in self.staff}
        if not wish.staff_ids or not set(wish.staff_ids) <= known:
            raise RefusedError(400, "BadRequest", "Invalid Staff")
        if wish.ends_at - wish.starts_at != timedelta(minutes=wish.service.minutes):
            raise RefusedError(400, "BadRequest", "Duration does not match the service.")
        hours = self.open_on(clock.london(wish.starts_at).date())
        if hours is None or wish.starts_at < hours[0] or wish.ends_at > hours[1]:
            raise RefusedError(400, "BadRequest", "The time is outside the business hours.")
        if not now + LEAST_NOTICE <= wish.starts_at <= now + MOST_NOTICE:
            raise RefusedError(400, "BadRequest", "The time is outside the lead time.")
        if wish.service.places > 1 and any(
            each.get("customerId") not in self.customers for each in wish.customers
        ):
            raise RefusedError(400, "BadRequest", "Invalid Customer")
        self._check_free(wish)

    def _check_free(self, wish: Booking) -> None:
        """What is taken is not said to be: Graph is known to answer a bare 500."""
        start, end = wish.taken
        others = [each for each in self.bookings.values() if each.id != wish.id]
        clash = any(
            set(each.staff_ids) & set(wish.staff_ids)
            and each.taken[0] < end
            and each.taken[1] > start
            for each in others
        )
        away = any(
            each.staff_id in wish.staff_ids and each.starts_at < end and each.ends_at > start
            for each in self.absences
        )
        if clash or away:
            raise RefusedError(500, "UnknownError", "")

    def put(self, booking: Booking, what: str) -> None:
        self.bookings[booking.id] = booking
        self.tell(booking, what)

    def tell(self, booking: Booking, what: str) -> None:
        for customer in booking.customers:
            if not booking.quiet:
                self.told.append(
                    {"by": "email", "to": str(customer.get("emailAddress")), "of": what}
                )
            if booking.texts:
                self.told.append({"by": "sms", "to": str(customer.get("phone")), "of": what})


@dataclass(kw_only=True)
class Tenant:
    """An organisation. `roles` is what its administrator allows us; empty until they agree."""

    id: str
    name: str
    domain: str
    businesses: list[Business]
    roles: frozenset[str] = frozenset()

    def business(self, key: str) -> Business:
        found = next((each for each in self.businesses if each.id.lower() == key.lower()), None)
        if found is None:
            raise RefusedError(404, "ErrorItemNotFound", "The mailbox was not found.")
        return found


@dataclass
class Microsoft:
    """The server's memory. `codes` and `tokens` are what was handed out; `refusals` are answers
    that a test wants next.
    """

    tenants: list[Tenant]
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    refusals: list[dict[str, Any]] = field(default_factory=list)
    page: int = 20

    def tenant(self, key: str) -> Tenant | None:
        return next((each for each in self.tenants if key.lower() in (each.id, each.domain)), None)

    def token(self, tenant: Tenant) -> str:
        token = f"sandbox.{secrets.token_urlsafe(32)}"
        self.tokens[token] = tenant.id
        return token

    def revoke(self, tenant: Tenant, roles: Iterable[str] = ()) -> None:
        """The administrator changes what we may do; nothing at all ends what was handed out."""
        tenant.roles = frozenset(roles)
        if not tenant.roles:
            self.tokens = {key: each for key, each in self.tokens.items() if each != tenant.id}


def furnish(now: datetime) -> Microsoft:
    """Two organisations; the first has two businesses, and a fortnight that is partly booked."""
    acuity = _business("AcuityOpticians@acuity.example", "Acuity Opticians")
    hearing = _business("AcuityHearing@acuity.example", "Acuity Hearing")
    other = _business("Reception@bellweather.example", "Bellweather Eyecare")
    _fill(acuity, now)
    return Microsoft(
        tenants=[
            _tenant("Acuity Opticians Ltd", "acuity.example", [acuity, hearing]),
            _tenant("Bellweather Eyecare Ltd", "bellweather.example", [other]),
        ]
    )


def _tenant(name: str, domain: str, businesses: list[Business]) -> Tenant:
    return Tenant(id=made_id("tenant", domain), name=name, domain=domain, businesses=businesses)


def _business(mailbox: str, name: str) -> Business:
    domain = mailbox.split("@")[1]
    return Business(
        id=mailbox,
        name=name,
        services=[
            Service(id=made_id(mailbox, "eye"), name="Eye examination", minutes=30),
            Service(id=made_id(mailbox, "lens"), name="Contact lens check", minutes=20),
            Service(id=made_id(mailbox, "talk"), name="Myopia evening", minutes=30, places=12),
        ],
        staff=[
            Staff(id=made_id(mailbox, who), name=who, email=f"{who.split()[-1].lower()}@{domain}")
            for who in ("Mrs Shah", "Mr Okafor")
        ],
    )


_CUSTOMERS = ("Edith Marlow", "Gwen Pryce", "Rupert Vane", "Oona Keane", "Basil Thorne")


def _fill(business: Business, now: datetime) -> None:
    """Every working day the second of the staff has two bookings, and Friday afternoons off."""
    today = clock.london(now).date()
    staff = business.staff[-1]
    for ahead in range(1, SEED_DAYS + 1):
        day = today + timedelta(days=ahead)
        if day.weekday() >= 5:
            continue
        for place, wall in enumerate((time(10), time(14, 30))):
            starts = clock.at_london(day, wall)
            number = (ahead * 2 + place) % len(_CUSTOMERS)
            booking = Booking(
                id=made_id(business.id, starts.isoformat()),
                service=business.services[0],
                staff_ids=[staff.id],
                starts_at=starts,
                ends_at=starts + timedelta(minutes=30),
                customers=[customer(_CUSTOMERS[number], f"+44163296050{number}", "")],
                created_at=now,
                updated_at=now,
            )
            business.bookings[booking.id] = booking
        if day.weekday() == 4:
            business.absences.append(
                Absence(
                    staff_id=staff.id,
                    starts_at=clock.at_london(day, time(15, 30)),
                    ends_at=clock.at_london(day, business.closes),
                    status="outOfOffice",
                )
            )


def customer(name: str, phone: str, email: str) -> dict[str, Any]:
    """As Graph writes a customer of an appointment."""
    return {
        "@odata.type": "#microsoft.graph.bookingCustomerInformation",
        "customerId": made_id("customer", name, phone, email),
        "name": name,
        "emailAddress": email or None,
        "phone": phone or None,
        "notes": None,
        "timeZone": "Europe/London",
        "customQuestionAnswers": [],
    }
