"""Our appointments in a Google calendar: written once, moved, taken out, however it answers."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database

from integrations import connections
from integrations.google_calendar import payloads
from integrations.google_calendar.client import GoogleCalendar, connector_for
from integrations.models import Connection, ConnectionState
from integrations.pms.connector import Entry
from practices.models import JournalEntry
from sightsync.lib.errors import ProviderError, ProviderKind
from tests.integrations.google.conftest import ROOM_1, ROOM_2, Connect, Diary, minutes

pytestmark = pytest.mark.django_db
MakeEntry = Callable[..., Entry]


def test_a_booking_is_an_event_with_the_patients_name(
    calendar: GoogleCalendar, google: Diary, entry: MakeEntry
) -> None:
    standing = calendar.book(entry())
    [event] = google.events()
    assert event["id"] == standing.external_id == payloads.event_id(entry().reference)
    assert event["etag"] == standing.version
    assert event["summary"] == "Jane Smith"
    assert event["start"] == {
        "dateTime": "2026-11-24T14:30:00+00:00",
        "timeZone": "Europe/London",
    }
    assert event["end"]["dateTime"] == "2026-11-24T15:00:00+00:00"
    assert event["description"].startswith("Booked by AI recall call.")
    assert "iabetic" not in str(event)
    assert event["extendedProperties"]["private"]["sightsync"] == entry().reference


def test_times_are_londons_in_summer_too(
    calendar: GoogleCalendar, google: Diary, entry: MakeEntry
) -> None:
    calendar.book(entry(starts_at=minutes("24 14:30").replace(month=7)))
    assert google.events()[0]["start"]["dateTime"] == "2026-07-24T15:30:00+01:00"


def test_initials_and_risk_are_the_practices_choice(
    connect: Connect, google: Diary, entry: MakeEntry
) -> None:
    calendar = connector_for(connect(title="initials", risk_in_description=True))
    calendar.book(entry(booked_by_call=False))
    [event] = google.events()
    assert event["summary"] == "J. S."
    assert "Smith" not in str(event)
    assert "Risk category: Diabetic" in event["description"]
    assert "AI recall call" not in event["description"]


def test_writing_twice_makes_one_event(
    calendar: GoogleCalendar, google: Diary, entry: MakeEntry
) -> None:
    first = calendar.book(entry())
    assert calendar.book(entry()) == first
    assert len(google.events()) == 1
    assert [row["status"] for row in google.requests("POST", "/events")] == [200, 409]


def test_an_answer_that_was_lost_is_no_second_event(
    calendar: GoogleCalendar, google: Diary, entry: MakeEntry
) -> None:
    google.sandbox.fault("google", "drop_after_accept", match="POST /google/calendar")
    with pytest.raises(ProviderError) as lost:
        calendar.book(entry())
    assert lost.value.kind == ProviderKind.UNKNOWN
    found = calendar.find(entry())
    assert found is not None
    assert calendar.book(entry()) == found
    assert len(google.events()) == 1


def test_the_id_is_googles_alphabet_and_of_the_reference_alone() -> None:
    key = payloads.event_id("apt_1")
    assert set(key) <= set("0123456789abcdefghijklmnopqrstuv")
    assert 5 <= len(key) <= 1024
    assert key == payloads.event_id("apt_1") != payloads.event_id("apt_2")


def test_a_move_changes_the_time_and_keeps_what_staff_wrote(
    calendar: GoogleCalendar, google: Diary, entry: MakeEntry
) -> None:
    standing = calendar.book(entry())
    google.do("edit", calendar=ROOM_1, event=standing.external_id, body={"summary": "Jane (steps)"})
    moved = calendar.move(standing, entry(starts_at=minutes("25 09:00")))
    [event] = google.events()
    assert event["start"]["dateTime"] == "2026-11-25T09:00:00+00:00"
    assert event["summary"] == "Jane (steps)"
    assert moved.version == event["etag"]
    assert [row["status"] for row in google.requests("PATCH")] == [412, 200]


def test_an_event_deleted_by_hand_stands_again_when_the_appointment_moves(
    calendar: GoogleCalendar, google: Diary, entry: MakeEntry
) -> None:
    standing = calendar.book(entry())
    google.do("remove", calendar=ROOM_1, event=standing.external_id)
    moved = calendar.move(standing, entry(starts_at=minutes("25 09:00")))
    assert [event["id"] for event in google.events()] == [moved.external_id]
    assert google.events()[0]["start"]["dateTime"] == "2026-11-25T09:00:00+00:00"


@pytest.mark.parametrize("purged", [False, True])
def test_a_deleted_event_is_taken_up_again_or_has_a_successor(
    calendar: GoogleCalendar, google: Diary, entry: MakeEntry, purged: bool
) -> None:
    """The id of a deleted event stays taken; some are never given back."""
    standing = calendar.book(entry())
    google.do("remove", calendar=ROOM_1, event=standing.external_id)
    google.do("edit", calendar=ROOM_1, event=standing.external_id, purged=purged)
    again = calendar.book(entry())
    [event] = google.events()
    assert event["id"] == again.external_id
    assert event["summary"] == "Jane Smith"
    assert (again.external_id != standing.external_id) == purged
    assert calendar.find(entry()) == again
    calendar.cancel(again, entry())
    assert google.events() == []
    assert calendar.find(entry()) is None


def test_cancelling_takes_it_out_and_twice_is_once(
    calendar: GoogleCalendar, google: Diary, entry: MakeEntry
) -> None:
    standing = calendar.book(entry())
    calendar.cancel(standing, entry())
    calendar.cancel(standing, entry())
    assert google.events() == []
    assert [row["status"] for row in google.requests("DELETE")] == [204, 410]


def test_an_event_of_the_calendar_chosen_before_is_moved_and_cancelled_too(
    calendar: GoogleCalendar, connection: Connection, google: Diary, entry: MakeEntry
) -> None:
    first = calendar.book(entry())
    second = calendar.book(entry(reference="apt_2"))
    connection.settings = {
        **connection.settings,
        "calendar_id": ROOM_2,
        "earlier_calendars": [ROOM_1],
    }
    calendar = connector_for(connection)
    calendar.move(first, entry(starts_at=minutes("25 09:00")))
    calendar.cancel(second, entry(reference="apt_2"))
    assert google.events(ROOM_1) == []
    assert len(google.events(ROOM_2)) == 1


# --- what Google refuses --------------------------------------------------------------------------


def _refused(ask: Callable[[], Any]) -> ProviderError:
    with pytest.raises(ProviderError) as found:
        ask()
    return found.value


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
    error = _refused(lambda: calendar.book(entry()))
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
    error = _refused(lambda: calendar.book(entry()))
    assert (error.kind, error.code) == (ProviderKind.REJECTED, code)
    assert _state(connection) == (ConnectionState.NEEDS_ATTENTION, code)


def test_a_wrong_request_is_the_events_fault_and_not_the_connections(
    calendar: GoogleCalendar, connection: Connection, entry: MakeEntry
) -> None:
    wrong = entry(ends_at=entry().starts_at - timedelta(hours=1))
    error = _refused(lambda: calendar.book(wrong))
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


def test_a_revoked_permission_is_shown_once_and_asks_to_connect_again(
    calendar: GoogleCalendar, connection: Connection, google: Diary, entry: MakeEntry
) -> None:
    google.do("revoke")
    for _ in range(2):
        error = _refused(lambda: calendar.book(entry()))
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
    assert _refused(lambda: old.book(entry())).kind == ProviderKind.TEMPORARY
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
        assert _refused(ask).code == "no_calendar"
    calendar.cancel(standing, entry())  # gone with its calendar
    assert _state(connection)[0] == ConnectionState.NEEDS_ATTENTION


def test_a_calendar_that_became_read_only_is_named_as_the_reason(
    calendar: GoogleCalendar, connection: Connection, google: Diary, entry: MakeEntry
) -> None:
    google.do("role", calendar=ROOM_1, role="reader")
    assert _refused(lambda: calendar.book(entry())).code == "forbidden"


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
    assert _refused(lambda: calendar.book(entry())).kind == kind
    calendar.book(entry())
    assert len(google.events()) == 1


@pytest.mark.parametrize("mode", ["drop_before_accept", "broken_json", "html", "500", "429"])
def test_a_refresh_that_fails_has_written_nothing(
    calendar: GoogleCalendar, google: Diary, entry: MakeEntry, mode: str
) -> None:
    google.do("expire")
    google.sandbox.fault("google", mode, match="/google/token")
    assert _refused(lambda: calendar.book(entry())).kind == ProviderKind.TEMPORARY
    assert google.requests("POST", "/events")[-1:] == [] or google.events() == []


def test_a_google_that_is_not_there_was_not_written_to(
    calendar: GoogleCalendar, connection: Connection, entry: MakeEntry, settings: Any
) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:9"
    error = _refused(lambda: calendar.book(entry()))
    assert (error.kind, error.code) == (ProviderKind.TEMPORARY, "cannot_connect")
    assert _state(connection) == (ConnectionState.CONNECTED, "cannot_connect")


# --- busy times -----------------------------------------------------------------------------------


def test_busy_times_are_others_and_not_our_own(
    calendar: GoogleCalendar, google: Diary, entry: MakeEntry
) -> None:
    calendar.book(entry())  # 14:30 to 15:00
    for start, end, body in (
        ("24 10:00", "24 11:00", {}),
        ("24 14:45", "24 16:00", {}),  # half under our own event
        ("24 12:00", "24 12:30", {"transparency": "transparent"}),
        ("26 09:00", "26 10:00", {}),  # after the window
    ):
        google.do(
            "events",
            calendar=ROOM_1,
            start=minutes(start).isoformat(),
            end=minutes(end).isoformat(),
            title="Canary",
            body=body,
        )
    found = calendar.busy(start=minutes("24 09:00"), end=minutes("25 09:00"))
    assert [(each.starts_at, each.ends_at) for each in found] == [
        (minutes("24 10:00"), minutes("24 11:00")),
        (minutes("24 14:45"), minutes("24 16:00")),
    ]


def test_our_event_moved_by_hand_keeps_its_new_time_busy(
    calendar: GoogleCalendar, google: Diary, entry: MakeEntry
) -> None:
    standing = calendar.book(entry())
    sides = {
        "start": {"dateTime": "2026-11-24T16:00:00+00:00"},
        "end": {"dateTime": "2026-11-24T16:30:00+00:00"},
    }
    google.do("edit", calendar=ROOM_1, event=standing.external_id, body=sides)
    [found] = calendar.busy(start=minutes("24 09:00"), end=minutes("25 09:00"))
    assert (found.starts_at, found.ends_at) == (minutes("24 16:00"), minutes("24 16:30"))


def test_no_title_is_asked_for_with_the_busy_times(calendar: GoogleCalendar, google: Diary) -> None:
    calendar.busy(start=minutes("24 09:00"), end=minutes("25 09:00"))
    [asked] = google.requests("GET", "/events")
    assert "summary" not in asked["params"]["fields"]
    assert "email" not in asked["params"]["fields"]


def test_a_long_horizon_is_asked_for_in_parts(calendar: GoogleCalendar, google: Diary) -> None:
    start = minutes("24 09:00")
    later = start + timedelta(days=150)
    google.do(
        "events",
        calendar=ROOM_1,
        start=later.isoformat(),
        end=(later + timedelta(hours=1)).isoformat(),
    )
    found = calendar.busy(start=start, end=start + timedelta(days=170))
    assert [each.starts_at for each in found] == [later]
    assert len(google.requests("POST", "/freeBusy")) == 3


def test_long_lists_come_in_pages(calendar: GoogleCalendar, google: Diary) -> None:
    google.do("pages", size=1)
    assert [each.name for each in calendar.diaries()] == [
        "diary@acuity.example",
        "Testing room 1",
        "Testing room 2",
    ]
    for hour in (10, 11, 12):
        google.do(
            "events",
            calendar=ROOM_1,
            start=minutes(f"24 {hour}:00").isoformat(),
            end=minutes(f"24 {hour}:30").isoformat(),
        )
    assert len(calendar.busy(start=minutes("24 09:00"), end=minutes("25 09:00"))) == 3


# --- what must not get out ------------------------------------------------------------------------


def test_no_token_and_no_patient_is_logged_or_kept_in_the_clear(
    calendar: GoogleCalendar,
    connection: Connection,
    google: Diary,
    entry: MakeEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    kept = connections.credential(connection)
    google.do("expire")
    google.sandbox.fault("google", "500", match="POST /google/calendar")
    error = _refused(lambda: calendar.book(entry()))
    google.do("revoke")
    second = _refused(lambda: calendar.find(entry()))
    secrets = [kept["access_token"], kept["refresh_token"], "ya29.", "1//0", "Smith"]
    with database.cursor() as cursor:
        cursor.execute("SELECT t::text FROM integrations_connection t")
        row = cursor.fetchone()[0]
    said = caplog.text + row + "".join(f"{each!r} {each}" for each in (error, second))
    assert not [secret for secret in secrets if secret in said]


def test_a_live_practice_without_a_registered_app_says_so(
    connection: Connection, settings: Any, entry: MakeEntry
) -> None:
    settings.LIVE, settings.GOOGLE_CLIENT_ID = True, ""
    connection.practice.mode = "live"
    connector = connector_for(connection)
    assert connector.capabilities.writes_appointments
    assert _refused(lambda: connector.book(entry())).code == "app_refused"
