"""The connector against the pretend Graph, which keeps Bookings' rules."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from integrations import connections, registry
from integrations.microsoft_bookings import client
from integrations.microsoft_bookings.client import Bookings
from integrations.models import Connection
from integrations.pms.connector import Entry, Standing
from sightsync.lib import clock
from sightsync.lib.errors import ProviderError
from tests.integrations.microsoft.conftest import asked, standing_there
from tests.integrations.microsoft.names import BUSINESS, OKAFOR, REFERENCE, SERVICE, SHAH, TENANT
from tests.sandbox import Sandbox

Make = Callable[..., Entry]


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_the_registry_knows_it(connection: Connection) -> None:
    connector = registry.connector(connection)
    assert connector.test().name == "Acuity Opticians"
    assert connector.capabilities.writes_appointments
    assert connector.capabilities.finds_by_reference
    assert not connector.capabilities.reads_patients


def test_one_token_serves_many_requests(microsoft: Sandbox, bookings: Bookings) -> None:
    bookings.test()
    bookings.diaries()
    tokens = [row for row in microsoft.log("graph") if row["path"].endswith("/token")]
    assert len(tokens) == 1
    assert tokens[0]["params"]["scope"] == "https://graph.microsoft.com/.default"
    assert tokens[0]["params"]["grant_type"] == "client_credentials"


def test_staff_are_the_diaries(bookings: Bookings) -> None:
    assert [(each.external_id, each.name) for each in bookings.diaries()] == [
        (SHAH, "Mrs Shah"),
        (OKAFOR, "Mr Okafor"),
    ]


def test_what_can_be_chosen_is_listed(microsoft: Sandbox) -> None:
    found = client.directory(sandbox=True, tenant=TENANT)
    assert [each.name for each in found.businesses()] == ["Acuity Opticians", "Acuity Hearing"]
    services = found.services(BUSINESS)
    assert [(each.name, each.minutes, each.places) for each in services] == [
        ("Eye examination", 30, 1),
        ("Contact lens check", 20, 1),
        ("Myopia evening", 30, 12),
    ]


# --- writing ------------------------------------------------------------------------------------


def test_a_booking_stands_there_with_our_reference_and_tells_nobody(
    microsoft: Sandbox, bookings: Bookings, entry: Make
) -> None:
    standing = bookings.book(entry())
    (row,) = standing_there(microsoft)
    assert row["id"] == standing.external_id
    assert standing.starts_at == _at("2026-11-24T14:30:00Z")
    assert row["startDateTime"]["dateTime"] == "2026-11-24T14:30:00.0000000Z"
    assert row["staffMemberIds"] == [SHAH]
    assert row["serviceId"] == SERVICE
    assert row["customers"][0]["name"] == "Jane Canary"
    assert row["customers"][0]["phone"] == "+447700900123"
    assert REFERENCE in row["serviceNotes"]
    assert "AI recall call" in row["serviceNotes"]
    assert row["optOutOfCustomerEmail"] is True
    assert row["smsNotificationsEnabled"] is False
    assert microsoft.get("/microsoft/bookings")["told"] == []


def test_nothing_clinical_leaves(microsoft: Sandbox, bookings: Bookings, entry: Make) -> None:
    bookings.book(entry(risk="diabetic"))
    assert "diabetic" not in str(microsoft.log("graph"))


def test_the_same_reference_is_not_written_twice(
    microsoft: Sandbox, bookings: Bookings, entry: Make
) -> None:
    first = bookings.book(entry())
    assert bookings.book(entry()) == first
    assert len(asked(microsoft, "POST", "/appointments")) == 1
    assert len(standing_there(microsoft)) == 1


def test_an_older_version_of_the_day_is_moved_and_not_doubled(
    microsoft: Sandbox, bookings: Bookings, entry: Make
) -> None:
    bookings.book(entry())
    bookings.book(entry("2026-11-24T16:00:00Z"))
    (row,) = standing_there(microsoft)
    assert row["startDateTime"]["dateTime"].startswith("2026-11-24T16:00")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"start": "2026-11-24T10:00:00Z", "diary_id": OKAFOR}, "taken"),
        ({"start": "2026-11-24T09:45:00Z", "diary_id": OKAFOR}, "taken"),
        ({"start": "2026-11-24T08:00:00Z"}, "outside_hours"),
        ({"start": "2026-11-28T11:00:00Z"}, "outside_hours"),
        ({"minutes": 20}, "wrong_length"),
        ({"diary_id": ""}, "no_staff"),
        ({"diary_id": "somebody-else"}, "staff_refused"),
        ({"start": "2026-11-18T10:10:00Z"}, "too_late_there"),
    ],
)
def test_what_bookings_does_not_take_is_refused_with_a_reason(
    microsoft: Sandbox, bookings: Bookings, entry: Make, changes: dict[str, str], code: str
) -> None:
    with pytest.raises(ProviderError) as caught:
        bookings.book(entry(**changes))
    assert (caught.value.kind, caught.value.code) == (ProviderError.Kind.REJECTED, code)
    assert standing_there(microsoft) == []


def test_the_next_time_of_the_same_person_is_free(
    microsoft: Sandbox, bookings: Bookings, entry: Make
) -> None:
    bookings.book(entry("2026-11-24T10:30:00Z", diary_id=OKAFOR))
    bookings.book(entry("2026-11-24T09:30:00Z", diary_id=OKAFOR, reference=_other(2)))
    assert len(standing_there(microsoft)) == 2


def test_a_time_in_somebodys_own_calendar_is_a_bare_500_and_so_not_known(
    microsoft: Sandbox, bookings: Bookings, entry: Make
) -> None:
    """As Graph is known to answer; looking then settles that nothing stands there."""
    span = {"start": "2026-11-24T14:00:00Z", "end": "2026-11-24T15:00:00Z"}
    microsoft.post("/microsoft/absences", {"staff": "Mrs Shah", **span})
    with pytest.raises(ProviderError) as caught:
        bookings.book(entry())
    assert (caught.value.kind, caught.value.code) == (ProviderError.Kind.UNKNOWN, "server_error")
    assert bookings.find(entry()) is None


def test_a_move_takes_the_staff_along_and_stays_silent(
    microsoft: Sandbox, bookings: Bookings, entry: Make
) -> None:
    standing = bookings.book(entry())
    moved = bookings.move(standing, entry("2026-11-25T11:00:00Z", diary_id=OKAFOR))
    (row,) = standing_there(microsoft)
    assert moved.external_id == standing.external_id == row["id"]
    assert moved.starts_at == _at("2026-11-25T11:00:00Z")
    assert row["staffMemberIds"] == [OKAFOR]
    assert microsoft.get("/microsoft/bookings")["told"] == []


def test_moving_what_is_gone_says_so(microsoft: Sandbox, bookings: Bookings, entry: Make) -> None:
    standing = bookings.book(entry())
    microsoft.post("/microsoft/bookings/remove", {"id": standing.external_id})
    with pytest.raises(ProviderError) as caught:
        bookings.move(standing, entry("2026-11-25T11:00:00Z"))
    assert (caught.value.kind, caught.value.code) == (ProviderError.Kind.REJECTED, "not_found")


def test_a_cancellation_deletes_and_never_asks_for_cancel(
    microsoft: Sandbox, bookings: Bookings, entry: Make
) -> None:
    standing = bookings.book(entry())
    bookings.cancel(standing, entry())
    bookings.cancel(standing, entry())
    assert standing_there(microsoft) == []
    assert asked(microsoft, "POST", "/cancel") == []
    assert [row["status"] for row in asked(microsoft, "DELETE")] == [204, 404]


def test_a_change_at_the_same_moment_is_written_over_once(
    microsoft: Sandbox, bookings: Bookings, entry: Make
) -> None:
    standing = bookings.book(entry())
    microsoft.post("/microsoft/refusals", {"match": "PATCH", "status": 412})
    bookings.move(standing, entry("2026-11-25T11:00:00Z"))
    assert [row["status"] for row in asked(microsoft, "PATCH")] == [412, 204]
    for _ in range(2):
        microsoft.post("/microsoft/refusals", {"match": "PATCH", "status": 412})
    with pytest.raises(ProviderError) as caught:
        bookings.move(standing, entry("2026-11-25T12:00:00Z"))
    assert caught.value.code == "changed_there"


# --- finding ------------------------------------------------------------------------------------


def test_what_stands_is_found_by_our_reference(bookings: Bookings, entry: Make) -> None:
    assert bookings.find(entry()) is None
    standing = bookings.book(entry())
    assert bookings.find(entry()) == standing
    assert bookings.find(entry(reference=_other(2))) is None


def test_it_is_found_on_another_day_too(bookings: Bookings, entry: Make) -> None:
    standing = bookings.book(entry())
    found = bookings.find(entry("2026-12-01T11:00:00Z"))
    assert found == Standing(external_id=standing.external_id, starts_at=standing.starts_at)


def test_it_is_found_by_the_notes_when_somebody_rewrote_the_rest(
    microsoft: Sandbox, bookings: Bookings, entry: Make
) -> None:
    standing = bookings.book(entry())
    row = {"id": standing.external_id, "information": "Bring your glasses"}
    microsoft.post("/microsoft/bookings/edit", row)
    assert bookings.find(entry()) == standing
    microsoft.post("/microsoft/bookings/edit", {**row, "notes": "Mine now"})
    assert bookings.find(entry()) is None


# --- times --------------------------------------------------------------------------------------


def test_lists_come_in_pages(microsoft: Sandbox, bookings: Bookings) -> None:
    microsoft.post("/microsoft/pages", {"size": 3})
    found = bookings.appointments(since=None)
    assert len(found.items) == 20
    assert len(asked(microsoft, "GET", "/calendarView")) == 7
    assert not any("$filter" in str(row["params"]) for row in microsoft.log("graph"))


def test_a_link_to_another_host_is_not_followed(
    microsoft: Sandbox, bookings: Bookings, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = bookings._graph.send

    def elsewhere(method: str, path: str, **more: object) -> object:
        found = sent(method, path, **more)  # type: ignore[arg-type]
        return {**found, "@odata.nextLink": "https://graph.example.net/v1.0/steal"}

    monkeypatch.setattr(bookings._graph, "send", elsewhere)
    with pytest.raises(ProviderError) as caught:
        bookings.diaries()
    assert caught.value.code == "broken_answer"


def test_busy_are_the_bookings_and_what_else_the_staff_have(
    microsoft: Sandbox, bookings: Bookings, entry: Make
) -> None:
    standing = bookings.book(entry("2026-11-20T09:00:00Z"))
    span = {"start": "2026-11-20T11:00:00Z", "end": "2026-11-20T12:00:00Z"}
    microsoft.post("/microsoft/absences", {"staff": "Mrs Shah", **span})
    start = _at("2026-11-20T00:00:00Z")
    found = bookings.busy(start=start, end=start + timedelta(days=1))
    seen = sorted(
        (f"{each.starts_at:%H:%M}", f"{each.ends_at:%H:%M}", each.diary_id, bool(each.external_id))
        for each in found
    )
    assert seen == [
        ("09:00", "09:30", SHAH, True),
        ("10:00", "10:30", OKAFOR, True),
        ("11:00", "12:00", SHAH, False),
        ("14:30", "15:00", OKAFOR, True),
        ("15:30", "17:30", OKAFOR, False),
    ]
    assert standing.external_id in {each.external_id for each in found}


def test_free_times_are_cut_to_the_length_of_the_service(bookings: Bookings) -> None:
    start = _at("2026-11-24T09:00:00Z")
    free = bookings.free(start=start, end=start + timedelta(hours=3), diary_id=OKAFOR)
    assert [f"{each.starts_at:%H:%M}" for each in free] == [
        "09:00",
        "09:30",
        "10:30",
        "11:00",
        "11:30",
    ]


def test_long_stretches_are_asked_for_in_steps(microsoft: Sandbox, bookings: Bookings) -> None:
    bookings.busy(start=clock.now(), end=clock.now() + timedelta(days=70))
    assert len(asked(microsoft, "POST", "/getStaffAvailability")) == 3


def test_a_service_that_is_gone_is_noticed(connection: Connection) -> None:
    connection.settings["service_id"] = "gone"
    with pytest.raises(ProviderError) as caught:
        Bookings(connection).test()
    assert caught.value.code == "service_gone"
    connection.settings["service_id"], connection.settings["diaries"] = SERVICE, {"gone": "dry_1"}
    with pytest.raises(ProviderError) as caught:
        Bookings(connection).test()
    assert caught.value.code == "staff_gone"


def test_a_disconnected_one_asks_nobody_about_nobody(
    microsoft: Sandbox, connection: Connection
) -> None:
    from practices.journal import Actor

    connections.disconnect(connection=connection, actor=Actor.system("test"))
    connection.refresh_from_db()
    with pytest.raises(ProviderError):
        Bookings(connection).test()
    assert asked(microsoft, "GET") == []


def _other(number: int) -> str:
    return REFERENCE[:-1] + str(number)
