"""A practice whose pretend Google account is connected, and the people who work in Google."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from integrations import connections
from integrations.google_calendar import oauth
from integrations.google_calendar.account import DEFAULTS
from integrations.google_calendar.client import GoogleCalendar, connector_for
from integrations.models import Connection, Kind
from integrations.pms.connector import Entry
from practices.journal import Actor
from practices.models import Practice, User
from sightsync.lib import clock
from sightsync.lib.errors import ProviderError
from tests.sandbox import Sandbox

ACCOUNT = "diary@acuity.example"
ROOM_1 = "room1.acuity@group.calendar.google.com"
ROOM_2 = "room2.acuity@group.calendar.google.com"
ACTOR = Actor.system("test")
CHOSEN = {**DEFAULTS, "calendar_id": ROOM_1, "calendar_name": "Testing room 1"}


def press_allow(
    url: str, *, account: str = ACCOUNT, granted: tuple[str, ...] = oauth.SCOPES, answer: str = ""
) -> str:
    """Does on Google's page what a person does; gives the address the browser is sent back to."""
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    form: dict[str, Any] = {**asked, "authuser": account, "granted": list(granted)}
    page = url.partition("?")[0]
    back = httpx.post(page, data={**form, "answer": answer or "allow"}, trust_env=False)
    assert back.status_code == 302, back.text
    return back.headers["Location"]


def sign_in(practice: Practice, account: str = ACCOUNT) -> oauth.Tokens:
    app = oauth.app_for(practice)
    assert app is not None
    verifier = oauth.new_verifier()
    back = press_allow(oauth.authorize_url(app, state="s", verifier=verifier), account=account)
    code = parse_qs(urlsplit(back).query)["code"][0]
    return oauth.exchange(app, code=code, verifier=verifier)


class Diary:
    """The pretend Google, as those see it who work in it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def events(self, calendar: str = ROOM_1) -> list[dict[str, Any]]:
        found = self.sandbox.get("/calendars/google")["calendars"].get(calendar, [])
        return [event for event in found if event["status"] != "cancelled"]

    def everything(self, calendar: str = ROOM_1) -> list[dict[str, Any]]:
        return self.sandbox.get("/calendars/google")["calendars"][calendar]

    def grants(self) -> list[dict[str, Any]]:
        return self.sandbox.get("/calendars/google")["grants"]

    def do(self, what: str, **wish: Any) -> Any:
        return self.sandbox.post(f"/calendars/google/{what}", wish)

    def requests(self, method: str = "", part: str = "") -> list[dict[str, Any]]:
        return [
            row
            for row in self.sandbox.log("google")
            if part in row["path"] and method in ("", row["method"])
        ]


@pytest.fixture
def google(sandbox: Sandbox) -> Diary:
    return Diary(sandbox)


Connect = Callable[..., Connection]


@pytest.fixture
def connect(google: Diary, practice: Practice, alice: User) -> Connect:
    """Connects alice's practice; `settings` over the usual ones."""

    def make(account: str = ACCOUNT, **settings: Any) -> Connection:
        return connections.connect(
            practice=practice,
            kind=Kind.GOOGLE_CALENDAR,
            credential=sign_in(practice, account).credential(),
            shown=account,
            settings={**CHOSEN, "account": account, **settings},
            user=alice,
            actor=ACTOR,
        )

    return make


@pytest.fixture
def connection(connect: Connect) -> Connection:
    return connect()


@pytest.fixture
def calendar(connection: Connection) -> GoogleCalendar:
    return connector_for(connection)


@pytest.fixture
def entry() -> Callable[..., Entry]:
    """Jane's appointment on Tuesday 24 November at half past two."""

    def make(**changes: Any) -> Entry:
        starts_at: datetime = changes.pop("starts_at", datetime.fromisoformat("2026-11-24T14:30Z"))
        values: dict[str, Any] = {
            "reference": "apt_01kaw0000000000000000000aa",
            "starts_at": starts_at,
            "ends_at": starts_at + timedelta(minutes=30),
            "first_name": "Jane",
            "last_name": "Smith",
            "risk": "diabetic",
            "booked_by_call": True,
        }
        return Entry(**{**values, **changes})

    return make


def minutes(moment: str) -> datetime:
    """An instant of that week: `24 14:30` is on the 24th, London time."""
    day, wall = moment.split()
    hour, minute = (int(part) for part in wall.split(":"))
    date = datetime(2026, 11, int(day)).date()
    return clock.at_london(date, datetime(2026, 1, 1, hour, minute).time())


def refused(ask: Callable[[], Any]) -> ProviderError:
    """What is said when it is not done."""
    with pytest.raises(ProviderError) as found:
        ask()
    return found.value
