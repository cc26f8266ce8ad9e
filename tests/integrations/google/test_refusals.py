"""Whatever Google refuses or leaves unsaid: what is known of it then, and who is told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from integrations import connections
from integrations.google_calendar.client import GoogleCalendar, connector_for
from integrations.models import Connection, ConnectionState
from integrations.pms.connector import Entry
from practices.models import JournalEntry
from sightsync.lib.errors import ProviderKind
from tests.integrations.google.conftest import ROOM_1, Connect, Diary, minutes, refused

pytestmark = pytest.mark.django_db
MakeEntry = Callable[..., Entry]


def _state(connection: Connection) -> tuple[str, str]:
    fresh = Connection.objects.get(pk=connection.pk)
    return fresh.state, fresh.error_code


@pytest.mark.parametrize(
    ("status", "reason", "kind", "code"),
    [
        (403, "rateLimitExceeded", ProviderKind.TEMPORARY, "rate_limited"),
        (403, "userRateLimitExceeded", ProviderKind.TEMPORARY, "rate_limited"),
        (403, "quotaExceeded", ProviderKind.TEMPORARY, "rate_limited"),
        (403, "accessNotConfigured", ProviderKind.TEMPORARY, "app_refused"),
        (429, "rateLimitExceeded", ProviderKind.TEMPORARY, "rate_limited"),
        (500, "backendError", ProviderKind.UNKNOWN, "server_error"),
        (503, "backendError", ProviderKind.UNKNOWN, "server_error"),
    ],
)
def test_what_passes_by_itself_leaves_it_connected(
    calendar: GoogleCalendar,
    connection: Connection,
    google: Diary,
    entry: MakeEntry,
    status: int,
    reason: str,
    kind: ProviderKind,
    code: str,
) -> None:
    google.do("refuse", status=status, reason=reason, retry_after=7)
    error = refused(lambda: calendar.book(entry()))
    assert (error.kind, error.code) == (kind, code)
    if code == "rate_limited":
        assert error.retry_after == 7
    assert google.events() == []
    assert _state(connection) == (ConnectionState.CONNECTED, code)
    calendar.book(entry())
    assert _state(connection) == (ConnectionState.CONNECTED, "")


@pytest.mark.parametrize(
    ("status", "reason", "code"),
    [
        (403, "insufficientPermissions", "auth"),
        (403, "requiredAccessLevel", "forbidden"),
        (403, "forbidden", "forbidden"),
    ],
)
def test_what_a_person_must_mend_is_said_so(
    calendar: GoogleCalendar,
    connection: Connection,
    google: Diary,
    entry: MakeEntry,
    status: int,
    reason: str,
    code: str,
) -> None:
    google.do("refuse", status=status, reason=reason)
    error = refused(lambda: calendar.book(entry()))
    assert (error.kind, error.code) == (ProviderKind.REJECTED, code)
    assert _state(connection) == (ConnectionState.NEEDS_ATTENTION, code)


def test_a_wrong_request_is_the_events_fault_and_not_the_connections(
    calendar: GoogleCalendar, connection: Connection, entry: MakeEntry
) -> None:
    wrong = entry(ends_at=entry().starts_at - timedelta(hours=1))
    error = refused(lambda: calendar.book(wrong))
    assert (error.kind, error.code) == (ProviderKind.REJECTED, "bad_request")
    assert _state(connection) == (ConnectionState.CONNECTED, "")


def test_a_token_that_ran_out_is_renewed_and_kept(
    calendar: GoogleCalendar, connection: Connection, google: Diary, entry: MakeEntry
) -> None:
    before = connections.credential(connection)
    google.do("expire")
    calendar.book(entry())
    connection.refresh_from_db()
    after = connections.credential(connection)
    assert after["access_token"] != before["access_token"]
    assert after["refresh_token"] == before["refresh_token"]
    assert len(google.requests("POST", "/token")) == 2  # at the sign-in, and now
    connector_for(connection).find(entry())
    assert len(google.requests("POST", "/token")) == 2


def test_a_token_renewed_late_does_not_undo_a_new_connection(
    connect: Connect, google: Diary, entry: MakeEntry
) -> None:
    old = connector_for(connect())
    google.do("expire")
    new = connect()
    old.book(entry())
    kept = connections.credential(Connection.objects.get(pk=new.pk))
    assert kept == connections.credential(new)


def test_without_looking_at_what_it_replaces_a_late_token_would_win(
    connect: Connect, google: Diary, entry: MakeEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard of the test above, switched off."""
    renew = connections.renew
    monkeypatch.setattr(
        connections,
        "renew",
        lambda *, connection, credential, instead_of: renew(
            connection=connection, credential=credential
        ),
    )
    old = connector_for(connect())
    google.do("expire")
    new = connect()
    old.book(entry())
    kept = connections.credential(Connection.objects.get(pk=new.pk))
    assert kept != connections.credential(new)


def test_a_revoked_permission_is_shown_once_and_asks_to_connect_again(
    calendar: GoogleCalendar, connection: Connection, google: Diary, entry: MakeEntry
) -> None:
    google.do("revoke")
    for _ in range(2):
        error = refused(lambda: calendar.book(entry()))
        assert (error.kind, error.code) == (ProviderKind.REJECTED, "auth")
    assert _state(connection) == (ConnectionState.NEEDS_ATTENTION, "auth")
    assert JournalEntry.objects.filter(action="connection.failed").count() == 1


def test_the_old_connections_refusal_is_not_the_new_ones(
    connect: Connect, google: Diary, entry: MakeEntry
) -> None:
    """A worker that began before somebody connected again must not spoil what was mended."""
    old = connector_for(connect())
    google.do("revoke")
    connection = connect()
    assert refused(lambda: old.book(entry())).kind == ProviderKind.TEMPORARY
    assert _state(connection) == (ConnectionState.CONNECTED, "")


def test_a_deleted_calendar_is_named_as_the_reason(
    calendar: GoogleCalendar, connection: Connection, google: Diary, entry: MakeEntry
) -> None:
    standing = calendar.book(entry())
    google.do("remove", calendar=ROOM_1)
    for ask in (
        lambda: calendar.book(entry()),
        lambda: calendar.move(standing, entry()),
        lambda: calendar.busy(start=minutes("24 09:00"), end=minutes("25 09:00")),
        lambda: calendar.test(),
    ):
        assert refused(ask).code == "no_calendar"
    calendar.cancel(standing, entry())  # gone with its calendar
    assert _state(connection)[0] == ConnectionState.NEEDS_ATTENTION


def test_a_calendar_that_became_read_only_is_named_as_the_reason(
    calendar: GoogleCalendar, connection: Connection, google: Diary, entry: MakeEntry
) -> None:
    google.do("role", calendar=ROOM_1, role="reader")
    assert refused(lambda: calendar.book(entry())).code == "forbidden"


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("drop_before_accept", ProviderKind.UNKNOWN),
        ("broken_json", ProviderKind.UNKNOWN),
        ("html", ProviderKind.UNKNOWN),
        ("500", ProviderKind.UNKNOWN),
        ("429", ProviderKind.TEMPORARY),
    ],
)
def test_nonsense_and_silence_are_told_from_a_no(
    calendar: GoogleCalendar, google: Diary, entry: MakeEntry, mode: str, kind: ProviderKind
) -> None:
    google.sandbox.fault("google", mode, match="POST /google/calendar")
    assert refused(lambda: calendar.book(entry())).kind == kind
    calendar.book(entry())
    assert len(google.events()) == 1


@pytest.mark.parametrize("mode", ["drop_before_accept", "broken_json", "html", "500", "429"])
def test_a_refresh_that_fails_has_written_nothing(
    calendar: GoogleCalendar, google: Diary, entry: MakeEntry, mode: str
) -> None:
    google.do("expire")
    google.sandbox.fault("google", mode, match="/google/token")
    assert refused(lambda: calendar.book(entry())).kind == ProviderKind.TEMPORARY
    assert google.requests("POST", "/events")[-1:] == [] or google.events() == []


def test_a_google_that_is_not_there_was_not_written_to(
    calendar: GoogleCalendar, connection: Connection, entry: MakeEntry, settings: Any
) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:9"
    error = refused(lambda: calendar.book(entry()))
    assert (error.kind, error.code) == (ProviderKind.TEMPORARY, "cannot_connect")
    assert _state(connection) == (ConnectionState.CONNECTED, "cannot_connect")
