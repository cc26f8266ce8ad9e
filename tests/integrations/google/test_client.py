"""Our appointments in a Google calendar: written once, moved, taken out, however it answers."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database

from integrations import connections
from integrations.google_calendar import payloads
from integrations.google_calendar.client import GoogleCalendar, connector_for
from integrations.models import Connection
from integrations.pms.connector import Entry
from sightsync.lib import crypto
from sightsync.lib.errors import ProviderError, ProviderKind
from tests.integrations.google.conftest import ROOM_1, ROOM_2, Connect, Diary, minutes, refused

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


def test_with_an_id_made_up_each_time_there_would_be_two(
    calendar: GoogleCalendar, google: Diary, entry: MakeEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard of the test above, switched off."""
    fresh = payloads.event_id
    monkeypatch.setattr(payloads, "event_id", lambda *_: fresh(crypto.random_token()))
    google.sandbox.fault("google", "drop_after_accept", match="POST /google/calendar")
    refused(lambda: calendar.book(entry()))
    calendar.book(entry())
    assert len(google.events()) == 2


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


@pytest.mark.parametrize("version_known", [True, False])
@pytest.mark.parametrize("purged", [False, True])
def test_an_event_deleted_by_hand_stands_again_when_the_appointment_moves(
    calendar: GoogleCalendar, google: Diary, entry: MakeEntry, purged: bool, version_known: bool
) -> None:
    standing = calendar.book(entry())
    google.do("remove", calendar=ROOM_1, event=standing.external_id)
    google.do("edit", calendar=ROOM_1, event=standing.external_id, purged=purged)
    known = standing if version_known else replace(standing, version="")
    moved = calendar.move(known, entry(starts_at=minutes("25 09:00")))
    assert [event["id"] for event in google.events()] == [moved.external_id]
    assert google.events()[0]["start"]["dateTime"] == "2026-11-25T09:00:00+00:00"


def test_a_read_only_calendar_keeps_its_events_and_gets_no_second_one(
    calendar: GoogleCalendar, connection: Connection, google: Diary, entry: MakeEntry
) -> None:
    standing = calendar.book(entry())
    google.do("role", calendar=ROOM_1, role="reader")
    error = refused(lambda: calendar.move(standing, entry(starts_at=minutes("25 09:00"))))
    assert error.code == "forbidden"
    assert len(google.everything()) == 1


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
    error = refused(lambda: calendar.book(entry()))
    google.do("revoke")
    second = refused(lambda: calendar.find(entry()))
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
    assert refused(lambda: connector.book(entry())).code == "app_refused"
