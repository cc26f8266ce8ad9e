"""Systems that talk nonsense: it is noticed, nothing is believed, no reading goes on for ever."""

import gzip
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from threading import Event
from typing import Any

import pytest

from integrations import registry
from integrations.models import PMS_KINDS, Connection
from integrations.pms import walk, wire
from integrations.pms.connector import Connector, Entry, Standing
from sightsync.lib.errors import ProviderError, ProviderKind
from tests.integrations.pms.crooked import Crooked

pytestmark = pytest.mark.django_db
each_kind = pytest.mark.parametrize("kind", PMS_KINDS)
LISTS = {"optix": "data", "acuitas": "Patients", "optisoft": "rows"}
IDS = {"optix": "id", "acuitas": "PatientNo", "optisoft": "px_no"}


@pytest.fixture
def connector(
    crooked: Crooked, connection_to: Callable[..., Connection], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Connector]:
    monkeypatch.setattr(wire, "DEADLINE_S", 2.0)
    return lambda kind: registry.connector(connection_to(kind))


def page(kind: str, rows: Any, **more: Any) -> dict[str, Any]:
    """A last page in the vendor's own wrapping."""
    wrapping: dict[str, dict[str, Any]] = {
        "optix": {"links": {"next": None}, "meta": {"serverTime": "2026-11-18T10:04:00Z"}},
        "acuitas": {"Page": 1, "Pages": 1, "Total": 1, "Generated": "18/11/2026 10:04:00"},
        "optisoft": {"total": 1, "offset": 0, "now": 1795000000},
    }
    return {**wrapping[kind], LISTS[kind]: rows, **more}


NO_PAGES: list[Any] = [
    b"<!doctype html><title>Welcome to the guest network</title>",
    b"",
    b"\x00\xff\xfe",
    b'{"data": [',
    b"NaN",
    b"[" * 100_000,
    None,
    [],
    {},
    "data",
    42,
    {"data": None, "Patients": None, "rows": None},
    {"data": {}, "Patients": {}, "rows": {}},
    {"data": ["a"], "Patients": ["a"], "rows": ["a"]},
    {"data": [[]], "Patients": [[]], "rows": [[]]},
]


@each_kind
@pytest.mark.parametrize("says", NO_PAGES, ids=range(len(NO_PAGES)))
def test_a_page_that_is_none_is_never_an_empty_one(
    kind: str, says: Any, crooked: Crooked, connector: Callable[..., Connector], entry: Any
) -> None:
    crooked.says = says
    system, wanted = connector(kind), entry()
    for ask in (
        lambda: system.patients(since=None),
        lambda: system.appointments(since=None),
        lambda: system.busy(start=wanted.starts_at, end=wanted.ends_at),
        lambda: system.free(start=wanted.starts_at, end=wanted.ends_at),
        system.diaries,
        system.test,
        lambda: system.book(wanted),
    ):
        with pytest.raises(ProviderError) as failed:
            ask()
        assert (failed.value.kind, failed.value.code) == (ProviderKind.UNKNOWN, "broken_answer")


@each_kind
@pytest.mark.parametrize("ident", [None, "", " ", {}, [], True, 1.5, "x" * 65])
def test_a_patient_without_a_usable_id_is_counted_and_not_kept(
    kind: str, ident: Any, crooked: Crooked, connector: Callable[..., Connector]
) -> None:
    crooked.says = page(kind, [{IDS[kind]: ident}, {IDS[kind]: 7}])
    first, second = connector(kind).patients(since=None).items
    assert (first.external_id, first.problem) == ("", "no_id")
    assert (second.external_id, second.problem) == ("7", "")


@each_kind
def test_a_patient_of_the_wrong_types_is_one_with_a_problem(
    kind: str, crooked: Crooked, connector: Callable[..., Connector]
) -> None:
    nested = {"deep": ["er"]}
    names = ("firstName", "Forename", "first_names")
    crooked.says = page(
        kind,
        [
            {IDS[kind]: "A1", **dict.fromkeys(names, nested)},
            {IDS[kind]: "A2", "contactPreferences": 5, "SmsOk": nested, "flags": "NO_SMS"},
            {IDS[kind]: "A3", **dict.fromkeys(names, 12)},
        ],
    )
    found = connector(kind).patients(since=None).items
    assert [(each.external_id, each.problem) for each in found] == [
        ("A1", "unreadable"),
        ("A2", "unreadable"),
        ("A3", ""),
    ]
    assert found[2].values["first_name"] == "12"


@each_kind
def test_fields_that_are_missing_are_blank(
    kind: str, crooked: Crooked, connector: Callable[..., Connector]
) -> None:
    crooked.says = page(kind, [{IDS[kind]: "A1"}])
    (found,) = connector(kind).patients(since=None).items
    assert not found.problem and set(found.values.values()) == {""}
    assert not (found.opt_outs or found.deceased or found.archived)


@each_kind
def test_nothing_of_what_they_send_can_be_longer_than_it_may_or_hold_a_nul(
    kind: str, crooked: Crooked, connector: Callable[..., Connector]
) -> None:
    names = dict.fromkeys(("firstName", "Forename", "first_names"), "\0" + "Jo" * 10_000)
    crooked.says = page(kind, [{IDS[kind]: "A\x001", **names}])
    (found,) = connector(kind).patients(since=None).items
    assert found.external_id == "A1"
    assert found.values["first_name"] == "Jo" * 250


@each_kind
@pytest.mark.parametrize(
    "row",
    [
        {},
        {"id": "A1", "status": "booked", "startsAt": "tomorrow", "endsAt": "2026-11-18T10:00:00Z"},
        {
            "id": "A1",
            "status": "booked",
            "startsAt": "2026-11-18T10:00:00",
            "endsAt": "2026-11-18T11:00:00",
        },
        {
            "id": "A1",
            "status": "booked",
            "startsAt": "2026-11-18T10:00:00Z",
            "endsAt": "2026-11-18T09:00:00Z",
        },
        {"AppointmentNo": 1, "Status": "B", "Date": "11/18/2026", "Time": "10:00", "Mins": 30},
        {"AppointmentNo": 1, "Status": "?", "Date": "18/11/2026", "Time": "10:00", "Mins": 30},
        {"AppointmentNo": 1, "Status": "B", "Date": "18/11/2026", "Time": "10:00", "Mins": -5},
        {"appt": 1, "state": 0, "start": 1e300, "mins": 30},
        {"appt": 1, "state": 9, "start": 1795000000, "mins": 30},
        {"appt": 1, "state": 0, "start": "soon", "mins": 30},
        {"appt": 1, "state": 0, "start": 1795000000, "mins": 10**9},
    ],
)
def test_appointments_none_of_which_can_be_read_are_nonsense(
    kind: str, row: Any, crooked: Crooked, connector: Callable[..., Connector]
) -> None:
    crooked.says = {**page(kind, [row]), "Appointments": [row]}
    with pytest.raises(ProviderError) as failed:
        connector(kind).appointments(since=None)
    assert failed.value.code == "broken_answer"


@each_kind
def test_ten_megabytes_are_not_read_to_the_end(
    kind: str, crooked: Crooked, connector: Callable[..., Connector]
) -> None:
    crooked.says = b'{"data": "' + b"x" * 10 * 1024 * 1024 + b'"}'
    with pytest.raises(ProviderError) as failed:
        connector(kind).patients(since=None)
    assert (failed.value.kind, failed.value.code) == (ProviderKind.UNKNOWN, "too_large")


@each_kind
def test_a_small_answer_that_unpacks_to_a_large_one_is_not_unpacked(
    kind: str, crooked: Crooked, connector: Callable[..., Connector]
) -> None:
    crooked.says = gzip.compress(b'{"data": "' + b"x" * 50 * 1024 * 1024 + b'"}')
    crooked.headers = {"Content-Encoding": "gzip"}
    with pytest.raises(ProviderError) as failed:
        connector(kind).patients(since=None)
    assert failed.value.code == "broken_answer"


def _again(kind: str) -> Callable[[str], Any]:
    """The same page for ever, and each time a next one."""
    more: dict[str, dict[str, Any]] = {
        "optix": {"links": {"next": "/v2/patients?cursor=again"}},
        "acuitas": {"Pages": 10**9},
        "optisoft": {"total": 10**9},
    }
    return lambda path: page(kind, [{IDS[kind]: 1}], **more[kind])


@each_kind
def test_a_list_without_end_ends(
    kind: str,
    crooked: Crooked,
    connector: Callable[..., Connector],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(walk, "MOST_PAGES", 12)
    crooked.says = _again(kind)
    system, cursor = connector(kind), ""
    with pytest.raises(ProviderError) as failed:
        for _ in range(100):
            cursor = system.patients(since=None, cursor=cursor).next_cursor
    assert failed.value.code == "broken_answer"
    assert len(crooked.asked) <= 14


@each_kind
def test_busy_times_without_end_end(
    kind: str,
    crooked: Crooked,
    connector: Callable[..., Connector],
    entry: Callable[..., Entry],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(walk, "MOST_PAGES", 12)
    rows = [
        {
            "id": "A1",
            "status": "booked",
            "startsAt": "2026-11-18T10:00:00Z",
            "endsAt": "2026-11-18T10:30:00Z",
            "AppointmentNo": 1,
            "Status": "B",
            "Date": "18/11/2026",
            "Time": "10:00",
            "Mins": 30,
            "appt": 1,
            "state": 0,
            "start": 1795000000,
            "mins": 30,
        }
    ]
    crooked.says = lambda path: {**_again(kind)(path), LISTS[kind]: rows, "Appointments": rows}
    with pytest.raises(ProviderError) as failed:
        connector(kind).busy(start=entry().starts_at, end=entry().ends_at)
    assert failed.value.code == "broken_answer"
    assert len(crooked.asked) <= 14


@each_kind
def test_a_next_page_behind_an_empty_one_is_nonsense(
    kind: str, crooked: Crooked, connector: Callable[..., Connector]
) -> None:
    crooked.says = lambda path: {**_again(kind)(path), LISTS[kind]: []}
    with pytest.raises(ProviderError) as failed:
        connector(kind).patients(since=None)
    assert failed.value.code == "broken_answer"


def test_a_link_to_somewhere_else_is_not_followed(
    crooked: Crooked, connector: Callable[..., Connector]
) -> None:
    elsewhere = {"next": "http://169.254.169.254/latest?cursor=c2"}
    crooked.says = page("optix", [{"id": 1}], links=elsewhere)
    system = connector("optix")
    cursor = system.patients(since=None).next_cursor
    assert cursor == "c2"
    crooked.says = page("optix", [{"id": 2}])
    system.patients(since=None, cursor=cursor)
    assert crooked.asked == [
        "/optix/v2/patients?pageSize=200",
        "/optix/v2/patients?pageSize=200&cursor=c2",
    ]


@each_kind
@pytest.mark.parametrize(
    ("status", "known", "code"),
    [
        (301, ProviderKind.REJECTED, "redirect"),
        (302, ProviderKind.REJECTED, "redirect"),
        (400, ProviderKind.REJECTED, "refused"),
        (401, ProviderKind.REJECTED, "auth"),
        (403, ProviderKind.REJECTED, "auth"),
        (404, ProviderKind.REJECTED, "not_found"),
        (408, ProviderKind.UNKNOWN, "server_error"),
        (409, ProviderKind.REJECTED, "taken"),
        (418, ProviderKind.REJECTED, "refused"),
        (422, ProviderKind.REJECTED, "refused"),
        (500, ProviderKind.UNKNOWN, "server_error"),
        (502, ProviderKind.UNKNOWN, "server_error"),
        (503, ProviderKind.UNKNOWN, "server_error"),
    ],
)
def test_a_status_says_what_is_known(
    kind: str,
    status: int,
    known: ProviderKind,
    code: str,
    crooked: Crooked,
    connector: Callable[..., Connector],
    entry: Callable[..., Entry],
) -> None:
    crooked.status, crooked.says = status, {"Message": "Jane Doe is booked then"}
    crooked.headers = {"Location": "http://169.254.169.254/"}
    with pytest.raises(ProviderError) as failed:
        connector(kind).book(entry())
    assert (failed.value.kind, failed.value.code) == (known, code)
    assert "Jane" not in str(failed.value)
    assert len([path for path in crooked.asked if not path.endswith("/session")]) == 1


@each_kind
def test_a_404_of_any_web_server_does_not_mean_that_an_appointment_is_gone(
    kind: str,
    crooked: Crooked,
    connector: Callable[..., Connector],
    entry: Callable[..., Entry],
) -> None:
    crooked.status, crooked.says = 404, {"error": "no such page"}
    system = connector(kind)
    for ask in (
        lambda: system.cancel(Standing(external_id="1"), entry()),
        lambda: system.find(entry()),
    ):
        with pytest.raises(ProviderError) as failed:
            ask()
        assert failed.value.code == "not_found"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("-5", 0.0),
        ("999999", 3600.0),
        ("inf", 3600.0),
        ("nan", None),
        ("soon", None),
        ("Wed, 21 Oct 2099 07:28:00 GMT", 3600.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("", None),
    ],
)
def test_a_wait_is_read_in_seconds_or_as_a_date_and_is_never_long(
    header: str, seconds: float | None, crooked: Crooked, connector: Callable[..., Connector]
) -> None:
    crooked.status, crooked.headers = 429, {"Retry-After": header}
    with pytest.raises(ProviderError) as failed:
        connector("optix").test()
    assert failed.value.kind == ProviderKind.TEMPORARY
    assert failed.value.retry_after == seconds


@pytest.mark.parametrize("where", ["headers", "body"])
def test_an_answer_that_drips_does_not_outlast_the_deadline(
    where: str,
    crooked: Crooked,
    connection_to: Callable[..., Connection],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire, "DEADLINE_S", 0.6)
    over = Event()

    def drip(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        if where == "body":
            request.send_header("Content-Length", "1000")
            request.end_headers()
        request.flush_headers()
        for _ in range(100):
            try:
                request.wfile.write(b"x-a: b\r\n" if where == "headers" else b" ")
                request.wfile.flush()
            except OSError:
                over.set()
                return
            over.wait(0.05)

    crooked.sends = drip
    with pytest.raises(ProviderError) as failed:
        registry.connector(connection_to("optix")).test()
    assert failed.value.code == "timeout"
    assert over.wait(3)
