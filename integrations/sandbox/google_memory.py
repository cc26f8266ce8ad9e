"""What the sandbox's Google remembers: accounts, their calendars and events, what was permitted.

No requests and no pages; `google_signin` and `google_events` speak.
"""

import base64
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from integrations.sandbox.world import World, stamp, world_of
from sightsync.lib import clock

SCOPE = "https://www.googleapis.com/auth/"
TOKEN_LIFE = timedelta(seconds=3599)
CODE_LIFE = timedelta(minutes=10)
OWNER, READER = "owner", "reader"


class GoogleError(Exception):
    """A refusal in the shape of Google's APIs."""

    def __init__(
        self, status: int, reason: str, message: str, *, domain: str = "global", after: int = 0
    ) -> None:
        super().__init__(reason)
        self.status, self.reason, self.message = status, reason, message
        self.domain, self.after = domain, after

    def response(self) -> web.Response:
        each = {"domain": self.domain, "reason": self.reason, "message": self.message}
        body = {"error": {"code": self.status, "message": self.message, "errors": [each]}}
        headers = {"Retry-After": str(self.after)} if self.after else {}
        return web.json_response(body, status=self.status, headers=headers)


LIMITS = {
    "rateLimitExceeded": "Rate Limit Exceeded",
    "userRateLimitExceeded": "User Rate Limit Exceeded",
    "quotaExceeded": "Calendar usage limits exceeded.",
}
WORDS = {
    **LIMITS,
    "authError": "Invalid Credentials",
    "insufficientPermissions": "Insufficient Permission",
    "requiredAccessLevel": "You need to have writer access to this calendar.",
    "accessNotConfigured": "Google Calendar API has not been used in this project.",
    "notFound": "Not Found",
    "duplicate": "The requested identifier already exists.",
    "deleted": "Resource has been deleted",
    "conditionNotMet": "Precondition Failed",
    "forbidden": "Forbidden",
    "invalid": "Invalid resource id value.",
    "backendError": "Backend Error",
}


def refusal(status: int, reason: str, *, after: int = 0) -> GoogleError:
    domain = "usageLimits" if reason in LIMITS else "global"
    return GoogleError(status, reason, WORDS.get(reason, reason), domain=domain, after=after)


@dataclass(kw_only=True)
class Event:
    """One event; `body` is what its writers said, without what Google adds."""

    id: str
    body: dict[str, Any]
    created: datetime
    updated: datetime
    version: int = 1
    purged: bool = False

    @property
    def cancelled(self) -> bool:
        return self.body.get("status") == "cancelled"

    @property
    def etag(self) -> str:
        return f'"{_number(self.id)}{self.version:04d}"'

    @property
    def span(self) -> tuple[datetime, datetime]:
        return _moment(self.body["start"]), _moment(self.body["end"])

    @property
    def private(self) -> dict[str, str]:
        found: dict[str, str] = self.body.get("extendedProperties", {}).get("private", {})
        return found

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": "calendar#event",
            "etag": self.etag,
            "id": self.id,
            "status": "confirmed",
            "htmlLink": f"https://www.google.com/calendar/event?eid={self.id}",
            "created": stamp(self.created),
            "updated": stamp(self.updated),
            "sequence": self.version - 1,
            "eventType": "default",
            **self.body,
        }


def _number(text: str) -> int:
    """A short number for an id, the same each time."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:5], "big")


def _moment(side: dict[str, str]) -> datetime:
    """A side of an event: an instant, or the London midnight of an all-day event's date."""
    if "date" in side:
        return clock.at_london(datetime.fromisoformat(side["date"]).date(), datetime.min.time())
    found = datetime.fromisoformat(side["dateTime"].replace("Z", "+00:00"))
    return found if found.tzinfo else clock.at_london(found.date(), found.time())


@dataclass(kw_only=True)
class Calendar:
    id: str
    name: str
    role: str = OWNER
    primary: bool = False
    events: dict[str, Event] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        found = {
            "kind": "calendar#calendarListEntry",
            "id": self.id,
            "summary": self.name,
            "timeZone": "Europe/London",
            "accessRole": self.role,
        }
        return {**found, "primary": True} if self.primary else found

    def live(self) -> list[Event]:
        return [event for event in self.events.values() if not event.cancelled]


@dataclass(kw_only=True)
class Account:
    email: str
    name: str
    calendars: dict[str, Calendar]


@dataclass(kw_only=True)
class Grant:
    """What one person has permitted one app. Codes and tokens of it are all listed here."""

    account: Account
    client_id: str
    scopes: frozenset[str]
    refresh_token: str
    access: dict[str, datetime] = field(default_factory=dict)
    revoked: bool = False

    def new_access(self) -> str:
        token = f"ya29.{secrets.token_urlsafe(48)}"
        self.access[token] = clock.real_now() + TOKEN_LIFE
        return token


@dataclass(frozen=True, kw_only=True)
class Code:
    """A code on its way through the browser."""

    account: str
    client_id: str
    redirect_uri: str
    challenge: str
    scopes: frozenset[str]
    until: datetime

    def fits(self, verifier: str) -> bool:
        digest = hashlib.sha256(verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == self.challenge


@dataclass(kw_only=True)
class Refusal:
    """The next `times` requests whose `METHOD path` has `match` in it are refused."""

    status: int
    reason: str
    times: int
    match: str
    after: int


class Google:
    """Everything, made anew at each reset."""

    def __init__(self) -> None:
        self.accounts = {account.email: account for account in _accounts()}
        self.codes: dict[str, Code] = {}
        self.grants: list[Grant] = []
        self.refusals: list[Refusal] = []
        self.page_size = 250

    def grant_of_refresh(self, token: str) -> Grant | None:
        return next((each for each in self.grants if each.refresh_token == token), None)

    def grant_of_access(self, token: str) -> Grant | None:
        return next((each for each in self.grants if token in each.access), None)

    def revoke(self, grant: Grant) -> None:
        """Ends every token that this person gave this app, as Google does."""
        for each in self.grants:
            if each.account is grant.account and each.client_id == grant.client_id:
                each.revoked = True

    def calendars(self) -> Iterator[tuple[Account, Calendar]]:
        for account in self.accounts.values():
            for calendar in account.calendars.values():
                yield account, calendar

    def refused(self, line: str) -> GoogleError | None:
        for each in self.refusals:
            if each.times > 0 and each.match in line:
                each.times -= 1
                return refusal(each.status, each.reason, after=each.after)
        return None


def _accounts() -> list[Account]:
    def account(email: str, name: str, *more: Calendar) -> Account:
        primary = Calendar(id=email, name=email, primary=True)
        return Account(
            email=email, name=name, calendars={each.id: each for each in (primary, *more)}
        )

    def group(key: str, name: str, role: str = OWNER) -> Calendar:
        return Calendar(id=f"{key}@group.calendar.google.com", name=name, role=role)

    return [
        account(
            "diary@acuity.example",
            "Acuity Opticians",
            group("room1.acuity", "Testing room 1"),
            group("room2.acuity", "Testing room 2"),
            group("holidays.uk", "Holidays in United Kingdom", READER),
        ),
        account("m.shah@acuity.example", "Mina Shah", group("clinic.shah", "Mrs Shah’s clinic")),
        account("locum@example.org", "Sam Locum"),
    ]


def google_of(request: web.Request) -> Google:
    return memory_of(world_of(request))


def memory_of(world: World) -> Google:
    return world.room("google", Google)
