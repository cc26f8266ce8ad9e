"""Every way in which Graph and its sign-in can go wrong, and what is known afterwards."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from integrations import connections
from integrations.microsoft_bookings import oauth
from integrations.microsoft_bookings.client import Bookings
from integrations.models import Connection, ConnectionState
from integrations.pms import wire
from integrations.pms.connector import Entry
from practices.journal import Actor
from practices.models import JournalEntry
from sightsync.lib import clock
from sightsync.lib.errors import ProviderError
from tests.integrations.microsoft.conftest import asked, standing_there
from tests.integrations.microsoft.names import TENANT
from tests.sandbox import Sandbox

Make = Callable[..., Entry]
CREATE = "POST /graph/v1.0"
TOKEN = "/oauth2/v2.0/token"
UNKNOWN, TEMPORARY, REJECTED = (
    ProviderError.Kind.UNKNOWN,
    ProviderError.Kind.TEMPORARY,
    ProviderError.Kind.REJECTED,
)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second is all that anybody gets."""
    monkeypatch.setattr(wire, "DEADLINE_S", 0.5)
    monkeypatch.setattr(oauth, "DEADLINE_S", 0.5)


@pytest.mark.parametrize(
    ("mode", "kind", "code", "stands"),
    [
        ("429", TEMPORARY, "slow_down", False),
        ("500", UNKNOWN, "server_error", False),
        ("html", UNKNOWN, "broken_answer", False),
        ("broken_json", UNKNOWN, "broken_answer", True),
        ("drop_after_accept", UNKNOWN, "broken_connection", True),
        ("drop_before_accept", UNKNOWN, "broken_connection", False),
        ("delay", UNKNOWN, "timeout", True),
    ],
)
def test_a_booking_that_goes_wrong_is_told_apart_and_found_by_looking(
    microsoft: Sandbox,
    bookings: Bookings,
    entry: Make,
    hasty: None,
    mode: str,
    kind: ProviderError.Kind,
    code: str,
    stands: bool,
) -> None:
    microsoft.fault("graph", mode, match=CREATE, seconds=1, retry_after=7)
    with pytest.raises(ProviderError) as caught:
        bookings.book(entry())
    assert (caught.value.kind, caught.value.code) == (kind, code)
    assert caught.value.retry_after == (7 if mode == "429" else None)
    assert len(asked(microsoft, "POST", "/appointments")) <= 1
    assert bool(standing_there(microsoft)) is stands
    found = bookings.find(entry())
    assert (found is not None) is stands
    # Whoever writes again, knowing no better, makes no second one.
    bookings.book(entry())
    assert len(standing_there(microsoft)) == 1


@pytest.mark.parametrize(
    ("mode", "code"),
    [
        ("429", "slow_down"),
        ("500", "server_error"),
        ("html", "broken_answer"),
        ("broken_json", "broken_answer"),
        ("drop_after_accept", "unreachable"),
        ("drop_before_accept", "unreachable"),
        ("delay", "unreachable"),
    ],
)
def test_a_sign_in_that_goes_wrong_has_written_nothing_and_is_tried_again(
    microsoft: Sandbox, bookings: Bookings, entry: Make, hasty: None, mode: str, code: str
) -> None:
    microsoft.fault("graph", mode, match=TOKEN, seconds=1, retry_after=7)
    with pytest.raises(ProviderError) as caught:
        bookings.book(entry())
    assert (caught.value.kind, caught.value.code) == (TEMPORARY, code)
    assert asked(microsoft, "POST") == []
    bookings.book(entry())
    assert len(standing_there(microsoft)) == 1


@pytest.mark.parametrize("mode", ["429", "500", "html", "broken_json", "drop_before_accept"])
@pytest.mark.parametrize("what", ["test", "appointments", "busy", "diaries", "find"])
def test_a_reading_that_goes_wrong_says_so(
    microsoft: Sandbox, bookings: Bookings, entry: Make, what: str, mode: str
) -> None:
    readings: dict[str, Callable[[], Any]] = {
        "test": bookings.test,
        "appointments": lambda: bookings.appointments(since=None),
        "busy": lambda: bookings.busy(start=clock.now(), end=clock.now() + timedelta(days=2)),
        "diaries": bookings.diaries,
        "find": lambda: bookings.find(entry()),
    }
    microsoft.fault("graph", mode, match="/graph/v1.0", times=None)
    with pytest.raises(ProviderError) as caught:
        readings[what]()
    assert caught.value.kind is (TEMPORARY if mode == "429" else UNKNOWN)


def test_nobody_listening_is_known_not_to_be_taken(
    bookings: Bookings, entry: Make, settings: Any, connection: Connection
) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:9"
    with pytest.raises(ProviderError) as caught:
        Bookings(connection).book(entry())
    assert (caught.value.kind, caught.value.code) == (TEMPORARY, "unreachable")


# --- permissions --------------------------------------------------------------------------------


def test_a_token_that_is_over_is_replaced_and_nothing_is_lost(
    microsoft: Sandbox, bookings: Bookings, entry: Make
) -> None:
    bookings.test()
    microsoft.post("/microsoft/tokens/end", {})
    bookings.book(entry())
    assert len(standing_there(microsoft)) == 1
    statuses = [row["status"] for row in microsoft.log("graph") if row["path"].endswith("/token")]
    assert statuses == [200, 200]


def test_a_consent_that_was_taken_back_needs_an_administrator(
    microsoft: Sandbox, bookings: Bookings, entry: Make
) -> None:
    bookings.test()
    microsoft.post("/microsoft/consent", {"roles": []})
    with pytest.raises(ProviderError) as caught:
        bookings.book(entry())
    assert (caught.value.kind, caught.value.code) == (REJECTED, "auth")
    assert asked(microsoft, "POST", "/appointments") == []
    microsoft.post("/microsoft/consent", {})
    bookings.book(entry())
    assert len(standing_there(microsoft)) == 1


@pytest.mark.parametrize(
    ("roles", "code"),
    [
        (["Bookings.Read.All"], "no_write_permission"),
        (["BookingsAppointment.ReadWrite.All"], "no_read_permission"),
    ],
)
def test_a_missing_permission_is_named_and_marks_the_connection(
    microsoft: Sandbox, connection: Connection, entry: Make, roles: list[str], code: str
) -> None:
    microsoft.post("/microsoft/consent", {"roles": roles})
    bookings = Bookings(connection)
    with pytest.raises(ProviderError) as caught:
        bookings.test() if code == "no_read_permission" else bookings.book(entry())
    assert (caught.value.kind, caught.value.code) == (REJECTED, code)
    connection.refresh_from_db()
    assert connection.state == ConnectionState.NEEDS_ATTENTION
    assert connection.error_code == code
    entries = JournalEntry.objects.filter(action="connection.failed")
    assert [each.facts["code"] for each in entries] == [code]
    # What works beside it does not hide it.
    connections.worked(connection)
    connection.refresh_from_db()
    assert connection.error_code == code
    connections.mended(connection=connection, actor=Actor.system("test"))


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, REJECTED, "refused"),
        (404, REJECTED, "not_found"),
        (409, REJECTED, "taken"),
        (429, TEMPORARY, "slow_down"),
        (503, UNKNOWN, "server_error"),
        (408, UNKNOWN, "server_error"),
        (302, REJECTED, "redirect"),
    ],
)
def test_every_status_has_its_meaning(
    microsoft: Sandbox,
    bookings: Bookings,
    entry: Make,
    status: int,
    kind: ProviderError.Kind,
    code: str,
) -> None:
    microsoft.post("/microsoft/refusals", {"match": "POST", "status": status, "code": "Whatever"})
    with pytest.raises(ProviderError) as caught:
        bookings.book(entry())
    assert (caught.value.kind, caught.value.code) == (kind, code)


def test_a_person_is_in_no_error_and_no_log(
    microsoft: Sandbox, bookings: Bookings, entry: Make, caplog: pytest.LogCaptureFixture
) -> None:
    microsoft.fault("graph", "broken_json", match=CREATE)
    with pytest.raises(ProviderError) as caught:
        bookings.book(entry())
    microsoft.fault("graph", "broken_json", match=TOKEN)
    oauth.forget(TENANT)
    with pytest.raises(ProviderError):
        bookings.test()
    said = f"{caught.value!r} {caught.value.message} {caplog.text}"
    assert "Canary" not in said
    assert "access_token" not in said


def test_the_real_secret_never_goes_to_the_sandbox(
    microsoft: Sandbox, bookings: Bookings, settings: Any
) -> None:
    settings.MICROSOFT_CLIENT_ID, settings.MICROSOFT_CLIENT_SECRET = "real-name", "real-secret"
    bookings.test()
    assert "real-" not in str(microsoft.log("graph"))
    assert oauth.World(sandbox=False).client == ("real-name", "real-secret")
    assert oauth.World(sandbox=False).address(f"{oauth.LOGIN}/x") == f"{oauth.LOGIN}/x"
