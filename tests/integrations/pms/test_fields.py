"""Field maps: which of their fields is read for each of ours."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from integrations import registry
from integrations.models import Connection
from integrations.pms import fields
from integrations.pms.fields import UnreadableError
from tests.integrations.pms.crooked import Crooked


@pytest.mark.parametrize(
    ("path", "good"),
    [
        ("mobile", True),
        ("contact.mobile", True),
        ("a.b.c", True),
        ("mobile, telephone", True),
        ("mobile,telephone,contact.work", True),
        ("NHS-No_2", True),
        ("", False),
        (".", False),
        ("a.", False),
        (".a", False),
        ("a..b", False),
        ("a b", False),
        ("a,", False),
        ("a, , b", False),
        ("a,b,c,d,e,f", False),
        ("$.a", False),
        ("a[0]", False),
        ("a" * 201, False),
    ],
)
def test_a_path_names_fields_and_nothing_else(path: str, good: bool) -> None:
    assert fields.is_path(path) is good


def test_what_the_practice_chose_stands_before_the_folder_s_own() -> None:
    default = {"first_name": "firstName", "email": "email"}
    assert fields.merged(default, {"email": "mail"}) == {"first_name": "firstName", "email": "mail"}
    for nonsense in (None, [], "email", {"email": 5}, {"email": ""}, {"email": "a b"}, {"no": "a"}):
        assert fields.merged(default, nonsense) == default


def test_of_several_the_first_that_holds_something_counts() -> None:
    record = {"a": "", "b": None, "c": {"d": " here "}, "e": "too late"}
    found = fields.values(record, {"email": "a, b, c.d, e"}, str)
    assert found == {"email": "here"}


@pytest.mark.parametrize(
    ("record", "number"),
    [
        ({"m": "07700 900123", "h": "0118 496 0001"}, "07700 900123"),
        ({"m": "0118 496 0001", "h": "+44 7700 900123"}, "+44 7700 900123"),
        ({"m": "", "h": "0118 496 0001"}, "0118 496 0001"),
        ({"m": "ask", "h": "0118 496 0001"}, "ask / 0118 496 0001"),
        ({"m": 7700900123, "h": None}, "7700900123"),
        ({}, ""),
    ],
)
def test_a_mobile_is_taken_before_a_landline(record: dict[str, object], number: str) -> None:
    assert fields.values(record, {"phone_number": "m, h"}, str) == {"phone_number": number}


def test_a_wall_time_is_london_s_and_the_first_of_two() -> None:
    spelling = "%d/%m/%Y %H:%M"
    assert fields.wall("01/07/2026 09:00", spelling) == datetime(2026, 7, 1, 8, tzinfo=UTC)
    assert fields.wall("01/12/2026 09:00", spelling) == datetime(2026, 12, 1, 9, tzinfo=UTC)
    assert fields.wall("25/10/2026 01:30", spelling) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("value", [None, "", "soon", 5, True, "0001-01-01T00:00:00Z", "2026-01-01"])
def test_what_is_no_moment_is_refused(value: object) -> None:
    with pytest.raises(UnreadableError):
        fields.instant(value)


@pytest.mark.parametrize("value", [None, "5", True, 1e300, float("nan"), float("inf"), -(10**12)])
def test_what_is_no_number_of_seconds_is_refused(value: object) -> None:
    with pytest.raises(UnreadableError):
        fields.epoch(value)


@pytest.mark.parametrize(("value", "good"), [(1, True), (1440, True), (0, False), (1441, False)])
def test_an_appointment_is_a_minute_to_a_day_long(value: int, good: bool) -> None:
    if good:
        assert fields.minutes(value) == timedelta(minutes=value)
        return
    with pytest.raises(UnreadableError):
        fields.minutes(value)


def test_a_day_that_is_none_stays_for_the_import_to_name() -> None:
    assert fields.spelt("03/04/1957", "%d/%m/%Y") == "1957-04-03"
    assert fields.spelt("13/13/1957", "%d/%m/%Y") == "13/13/1957"
    assert fields.spelt("1957", "%d/%m/%Y") == "1957"


@pytest.mark.django_db
def test_a_connection_reads_by_the_map_of_its_settings(
    crooked: Crooked, connection_to: Callable[..., Connection]
) -> None:
    crooked.says = {
        "data": [{"id": 1, "firstName": "No", "names": {"given": "Jane"}, "work": "07700900123"}],
        "links": {"next": None},
    }
    chosen = {"first_name": "names.given", "phone_number": "mobile, work"}
    connector = registry.connector(connection_to("optix", field_map=chosen))
    (found,) = connector.patients(since=None).items
    assert found.values["first_name"] == "Jane"
    assert found.values["phone_number"] == "07700900123"
