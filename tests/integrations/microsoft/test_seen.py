"""What changed in Bookings, which only a comparison can tell."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from integrations.microsoft_bookings import seen
from integrations.microsoft_bookings.client import Bookings
from integrations.models import Connection, SeenAppointment
from integrations.pms.connector import Entry, RemoteAppointment, RemoteStatus
from sightsync.lib import clock
from sightsync.lib.errors import ProviderError
from tests.integrations.microsoft.conftest import asked
from tests.integrations.microsoft.names import REFERENCE, SHAH
from tests.sandbox import Sandbox

At = Callable[[str | datetime], None]
Make = Callable[..., Entry]
ADA = {
    "start": "2026-11-25T09:00:00Z",
    "name": "Ada Byron",
    "phone": "+447700900777",
    "email": "ada@example.org",
    "staff": "Mrs Shah",
}


def _later(at: At, minutes: int = 5) -> None:
    at(clock.now() + timedelta(minutes=minutes))


@pytest.fixture
def since(bookings: Bookings, at: At) -> datetime:
    """A first reading was used; five minutes have passed."""
    page = bookings.appointments(since=None)
    assert len(page.items) == 20
    assert page.as_of is not None
    _later(at)
    return page.as_of


def test_the_first_reading_is_everything_with_phone_email_and_our_references(
    microsoft: Sandbox, bookings: Bookings, entry: Make
) -> None:
    microsoft.post("/microsoft/bookings", ADA)
    standing = bookings.book(entry())
    page = bookings.appointments(since=None)
    assert page.next_cursor == ""
    assert page.as_of == clock.now()
    found = {each.external_id: each for each in page.items}
    ours = found[standing.external_id]
    assert (ours.reference, ours.diary_id, ours.status) == (REFERENCE, SHAH, RemoteStatus.BOOKED)
    ada = next(each for each in page.items if each.email == "ada@example.org")
    assert (ada.phone, ada.reference, ada.diary_id) == ("+447700900777", "", SHAH)


def test_nothing_changed_is_nothing(bookings: Bookings, since: datetime) -> None:
    assert bookings.appointments(since=since).items == []


def test_new_moved_and_removed_ones_are_told_once(
    microsoft: Sandbox, bookings: Bookings, since: datetime, at: At
) -> None:
    rows = microsoft.get("/microsoft/bookings")["appointments"]
    microsoft.post("/microsoft/bookings", ADA)
    moved = {"id": rows[0]["id"], "start": "2026-11-19T16:00:00Z"}
    microsoft.post("/microsoft/bookings/move", moved)
    microsoft.post("/microsoft/bookings/remove", {"id": rows[1]["id"]})
    page = bookings.appointments(since=since)
    told = {each.external_id: each for each in page.items}
    assert len(told) == 3
    assert f"{told[rows[0]['id']].starts_at:%H:%M}" == "16:00"
    assert told[rows[1]["id"]].status == RemoteStatus.CANCELLED
    assert (
        told[rows[1]["id"]].starts_at.isoformat()[:16] == rows[1]["startDateTime"]["dateTime"][:16]
    )
    _later(at)
    assert bookings.appointments(since=page.as_of).items == []


def test_an_answer_that_was_not_used_comes_again(
    microsoft: Sandbox, bookings: Bookings, since: datetime, at: At
) -> None:
    rows = microsoft.get("/microsoft/bookings")["appointments"]
    microsoft.post("/microsoft/bookings/remove", {"id": rows[1]["id"]})
    microsoft.post("/microsoft/bookings", ADA)
    first = bookings.appointments(since=since).items
    _later(at)
    again = bookings.appointments(since=since).items
    assert sorted(each.external_id for each in again) == sorted(each.external_id for each in first)
    assert len(again) == 2


def test_one_that_comes_back_is_told(
    microsoft: Sandbox, bookings: Bookings, since: datetime, at: At
) -> None:
    made = microsoft.post("/microsoft/bookings", ADA)
    bookings.appointments(since=since)
    _later(at)
    microsoft.post("/microsoft/bookings/remove", {"id": made["id"]})
    gone = bookings.appointments(since=clock.now() - timedelta(minutes=1))
    assert [each.status for each in gone.items] == [RemoteStatus.CANCELLED]
    _later(at)
    microsoft.post("/microsoft/bookings", {**ADA, "id": made["id"]})
    back = bookings.appointments(since=gone.as_of)
    assert [each.status for each in back.items] == [RemoteStatus.BOOKED]


def test_what_was_moved_past_the_horizon_is_moved_and_not_cancelled(
    microsoft: Sandbox, bookings: Bookings, since: datetime, at: At
) -> None:
    rows = microsoft.get("/microsoft/bookings")["appointments"]
    far = {"id": rows[0]["id"], "start": "2027-09-20T10:00:00Z"}
    microsoft.post("/microsoft/bookings/move", far)
    for tries in (1, 2):
        (told,) = bookings.appointments(since=since).items
        assert told.status == RemoteStatus.BOOKED
        assert told.starts_at.year == 2027
        assert len(asked(microsoft, "GET", "/appointments/")) == tries
        _later(at)


def test_without_asking_it_would_look_cancelled(
    microsoft: Sandbox,
    bookings: Bookings,
    since: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The twin of the test above with its guard switched off."""
    monkeypatch.setattr(bookings, "_ask", lambda external_id: None)
    rows = microsoft.get("/microsoft/bookings")["appointments"]
    far = {"id": rows[0]["id"], "start": "2027-09-20T10:00:00Z"}
    microsoft.post("/microsoft/bookings/move", far)
    (told,) = bookings.appointments(since=since).items
    assert told.status == RemoteStatus.CANCELLED


def test_what_is_over_is_not_missed(bookings: Bookings, since: datetime, at: At) -> None:
    at("2026-11-21T10:00:00Z")
    assert bookings.appointments(since=since).items == []
    at("2027-02-01T10:00:00Z")
    assert bookings.appointments(since=since).items == []
    assert SeenAppointment.objects.count() == 0


@pytest.mark.parametrize("mode", ["500", "html", "broken_json", "drop_before_accept"])
def test_half_a_reading_cancels_nobody(
    microsoft: Sandbox, bookings: Bookings, since: datetime, mode: str
) -> None:
    """The second page fails: what stands on it was not looked for."""
    before = list(SeenAppointment.objects.order_by("pk").values())
    microsoft.post("/microsoft/pages", {"size": 5})
    microsoft.fault("graph", mode, match="skiptoken")
    with pytest.raises(ProviderError):
        bookings.appointments(since=since)
    assert list(SeenAppointment.objects.order_by("pk").values()) == before


def test_a_reading_that_comes_late_undoes_nothing(connection: Connection) -> None:
    """Two at once: the one that began earlier does not know what the other has seen."""
    now = clock.now()
    one = _appointment("one", now + timedelta(days=1))
    two = _appointment("two", now + timedelta(days=2))

    def read(minute: int, *found: RemoteAppointment) -> list[RemoteAppointment]:
        reading = seen.Reading(
            at=now + timedelta(minutes=minute),
            start=now,
            end=now + timedelta(days=9),
            found=found,
        )
        return seen.compare(
            connection=connection, reading=reading, since=now, ask=lambda external_id: None
        )

    assert len(read(2, one, two)) == 2
    assert {each.status for each in read(1, one)} == {RemoteStatus.BOOKED}
    assert SeenAppointment.objects.filter(gone_at=None).count() == 2
    assert {each.status for each in read(3, one)} == {RemoteStatus.BOOKED, RemoteStatus.CANCELLED}


def test_nobody_is_named_in_what_is_kept(
    microsoft: Sandbox, bookings: Bookings, since: datetime
) -> None:
    microsoft.post("/microsoft/bookings", ADA)
    bookings.appointments(since=since)
    kept = str(list(SeenAppointment.objects.values()))
    for private in ("Ada", "Byron", "900777", "ada@example.org"):
        assert private not in kept


def test_the_unchanged_cost_one_write(
    bookings: Bookings, since: datetime, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(12):
        bookings.appointments(since=since)


def _appointment(key: str, starts_at: datetime) -> RemoteAppointment:
    return RemoteAppointment(
        external_id=key, starts_at=starts_at, ends_at=starts_at + timedelta(minutes=30)
    )
