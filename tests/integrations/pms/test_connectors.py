"""Each connector against the sandbox's server: what is read, and what is written."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from integrations import registry
from integrations.models import PMS_KINDS, Connection
from integrations.pms.connector import Connector, Entry, RemotePatient, RemoteStatus
from sightsync.lib.errors import ProviderError, ProviderKind
from tests.sandbox import Sandbox

pytestmark = [pytest.mark.django_db, pytest.mark.parametrize("kind", PMS_KINDS)]
System = Callable[..., Connector]
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


def all_patients(system: Connector, since: datetime | None = None) -> list[RemotePatient]:
    found, cursor = list[RemotePatient](), ""
    while True:
        page = system.patients(since=since, cursor=cursor)
        found += page.items
        cursor = page.next_cursor
        if not cursor:
            return found


def test_the_system_says_what_it_is(kind: str, system: System) -> None:
    connector = system(kind)
    assert connector.test().name.lower() == "acuity opticians"
    assert connector.test().version
    assert [diary.external_id for diary in connector.diaries()] == ["R1", "R2"]
    assert connector.diaries()[0].name == "Room 1, Mrs Sharma"


def test_every_patient_is_read_once_over_all_pages(
    kind: str, system: System, sandbox: Sandbox
) -> None:
    connector = system(kind, patients=450)
    found = all_patients(connector)
    assert len({each.external_id for each in found}) == len(found) == 450
    pages = [row for row in sandbox.log(kind) if row["answer"] == {"rows": 200}]
    assert len(pages) == 2
    assert not [each for each in found if each.problem]


def test_a_reading_goes_on_from_its_cursor_in_a_new_process(kind: str, system: System) -> None:
    first = system(kind, patients=450).patients(since=None)
    rest = system(kind, patients=450).patients(since=None, cursor=first.next_cursor)
    assert first.items[0].external_id not in {each.external_id for each in rest.items}
    assert len(first.items) == len(rest.items) == 200


def test_only_what_changed_since_is_read(
    kind: str, system: System, sandbox: Sandbox, at: Callable[[str], None]
) -> None:
    connector = system(kind)
    as_of = connector.patients(since=None).as_of
    assert as_of == datetime(2026, 11, 18, 10, 4, tzinfo=UTC)
    at("2026-11-18T11:00:00Z")
    changed = sandbox.post(f"/pms/{kind}/change", {"count": 2})["ids"]
    found = all_patients(connector, since=as_of)
    assert [each.external_id for each in found] == [str(each) for each in changed]
    assert found[0].values["last_eye_test_date"] == "2026-11-18"


def test_a_day_is_spelt_year_first_and_a_mobile_comes_before_a_landline(
    kind: str, system: System, sandbox: Sandbox
) -> None:
    connector = system(kind)
    connector.test()
    fields = {
        "first": "Łucja",
        "born": "1957-04-03",
        "last_exam": "2024-02-01",
        "due": "2026-02-01",
        "mobile": "07700 900123",
        "home": "0118 496 0001",
        "email": "Lucja@Example.org",
        "nhs": "999 033 6210",
        "risk": "diabetic",
    }
    one = sandbox.post(f"/pms/{kind}/add", {"fields": fields})["ids"][0]
    found = next(each for each in all_patients(connector) if each.external_id == str(one))
    assert found.values["first_name"] == "Łucja"
    assert found.values["date_of_birth"] == "1957-04-03"
    assert found.values["last_eye_test_date"] == "2024-02-01"
    assert found.values["pms_recall_date"] == "2026-02-01"
    assert found.values["phone_number"] == "07700 900123"
    assert found.values["email"] == "Lucja@Example.org"
    assert found.values["nhs_number"].replace(" ", "") == "9990336210"
    assert "diab" in found.values["risk_category"].lower()


@pytest.mark.parametrize(
    ("fields", "opt_outs", "deceased", "archived"),
    [
        ({}, set(), False, False),
        ({"says_no": ["sms"]}, {"sms"}, False, False),
        ({"says_no": ["sms", "email"]}, {"sms", "email"}, False, False),
        ({"says_no": ["all"]}, {"all"}, False, False),
        ({"state": "deceased"}, set(), True, False),
        ({"state": "archived"}, set(), False, True),
    ],
)
def test_refusals_and_ends_are_read(
    kind: str,
    system: System,
    sandbox: Sandbox,
    fields: dict[str, object],
    opt_outs: set[str],
    deceased: bool,
    archived: bool,
) -> None:
    connector = system(kind)
    connector.test()
    one = sandbox.post(f"/pms/{kind}/add", {"fields": fields})["ids"][0]
    found = next(each for each in all_patients(connector) if each.external_id == str(one))
    assert (found.opt_outs, found.deceased, found.archived) == (opt_outs, deceased, archived)


def test_a_removed_patient_is_not_in_the_list(kind: str, system: System, sandbox: Sandbox) -> None:
    connector = system(kind)
    before = {each.external_id for each in all_patients(connector)}
    gone = {str(each) for each in sandbox.post(f"/pms/{kind}/remove", {"count": 3})["ids"]}
    assert {each.external_id for each in all_patients(connector)} == before - gone
    sandbox.post(f"/pms/{kind}/restore", {"ids": sorted(gone)})
    assert {each.external_id for each in all_patients(connector)} == before


def test_appointments_are_read_with_their_patients_and_what_became_of_them(
    kind: str, system: System, sandbox: Sandbox, at: Callable[[str], None]
) -> None:
    connector = system(kind)
    patient = connector.patients(since=None).items[0].external_id
    upcoming = connector.appointments(since=None)
    assert upcoming.items and all(
        each.starts_at > MONDAY - timedelta(days=5) for each in upcoming.items
    )
    at("2026-11-18T11:00:00Z")
    asked = {"patient": patient, "starts_at": "2026-12-24T14:30:00+00:00", "diary": "R2"}
    number = sandbox.post(f"/pms/{kind}/appointment", asked)["number"]
    (new,) = connector.appointments(since=upcoming.as_of + timedelta(seconds=1)).items
    assert new.starts_at == datetime(2026, 12, 24, 14, 30, tzinfo=UTC)
    assert new.ends_at - new.starts_at == timedelta(minutes=30)
    assert (new.patient_id, new.diary_id, new.status, new.reference) == (
        patient,
        "R2",
        RemoteStatus.BOOKED,
        "",
    )
    for state, status in (
        ("cancelled", RemoteStatus.CANCELLED),
        ("attended", RemoteStatus.ATTENDED),
        ("no_show", RemoteStatus.NO_SHOW),
    ):
        sandbox.post(f"/pms/{kind}/appointment/{number}", {"state": state})
        (same,) = connector.appointments(since=upcoming.as_of + timedelta(seconds=1)).items
        assert (same.external_id, same.status) == (new.external_id, status)


def test_summer_time_is_london_s(
    kind: str, system: System, sandbox: Sandbox, entry: Callable[..., Entry]
) -> None:
    connector = system(kind)
    connector.book(entry("2027-07-01T13:30:00+00:00"))
    row = next(iter(sandbox.get(f"/pms/{kind}").values()))["appointments"][-1]
    assert row["starts_at"] == "2027-07-01T13:30:00.000Z"
    busy = connector.busy(
        start=datetime(2027, 7, 1, tzinfo=UTC), end=datetime(2027, 7, 2, tzinfo=UTC)
    )
    assert [each.starts_at for each in busy] == [datetime(2027, 7, 1, 13, 30, tzinfo=UTC)]


def test_free_and_busy_do_not_meet(kind: str, system: System) -> None:
    connector = system(kind)
    end = MONDAY + timedelta(days=5)
    free = connector.free(start=MONDAY, end=end)
    busy = connector.busy(start=MONDAY, end=end)
    assert free and busy
    assert not {(each.diary_id, each.starts_at) for each in free} & {
        (each.diary_id, each.starts_at) for each in busy
    }
    assert all(each.starts_at >= MONDAY and each.ends_at <= end for each in free)
    one = connector.free(start=MONDAY, end=end, diary_id="R1")
    assert {each.diary_id for each in one} == {"R1"}


def test_a_booking_is_made_moved_found_and_cancelled(
    kind: str, system: System, sandbox: Sandbox, entry: Callable[..., Entry]
) -> None:
    connector = system(kind)
    patient = connector.patients(since=None).items[0].external_id
    wanted = entry("2027-01-11T09:00:00+00:00", patient_id=patient, diary_id="R1")
    assert connector.find(wanted) is None
    made = connector.book(wanted)
    assert made.external_id and made.starts_at == wanted.starts_at
    assert connector.find(wanted) == made
    later = entry("2027-01-11T15:00:00+00:00", minutes=45, patient_id=patient, diary_id="R2")
    moved = connector.move(made, later)
    assert moved.external_id == made.external_id
    assert moved.starts_at == later.starts_at
    (stands,) = connector.busy(start=later.starts_at, end=later.ends_at)
    assert (stands.diary_id, stands.external_id) == ("R2", made.external_id)
    assert stands.ends_at == later.ends_at
    connector.cancel(moved, later)
    assert connector.find(later) is None
    connector.cancel(moved, later)  # what is gone already is taken out


def test_our_reference_comes_back_with_the_appointment(
    kind: str, system: System, entry: Callable[..., Entry]
) -> None:
    connector = system(kind)
    made = connector.book(entry())
    mine = [each for each in connector.appointments(since=None).items if each.reference]
    assert [(each.external_id, each.reference) for each in mine] == [
        (made.external_id, entry().reference)
    ]
    assert mine[0].phone == "+447700900123" and not mine[0].patient_id


def test_a_time_that_is_taken_is_refused_by_name(
    kind: str, system: System, entry: Callable[..., Entry]
) -> None:
    connector = system(kind)
    connector.book(entry(diary_id="R1"))
    other = entry(reference="apt_01HZX0000000000000000000BB", diary_id="R1")
    with pytest.raises(ProviderError) as refused:
        connector.book(other)
    assert (refused.value.kind, refused.value.code) == (ProviderKind.REJECTED, "taken")
    assert connector.find(other) is None


def test_moving_what_is_not_there_is_refused_or_makes_it(
    kind: str, system: System, entry: Callable[..., Entry]
) -> None:
    connector = system(kind)
    made = connector.book(entry())
    connector.cancel(made, entry())
    if kind == "optisoft":
        assert connector.move(made, entry()).starts_at == entry().starts_at
        return
    nothing = type(made)(external_id="AP-99999" if kind == "optix" else "99999")
    with pytest.raises(ProviderError) as refused:
        connector.move(nothing, entry())
    assert (refused.value.kind, refused.value.code) == (ProviderKind.REJECTED, "not_found")


def test_a_key_that_is_not_known_is_refused(kind: str, system: System) -> None:
    connector = system(kind, api_key="wrong-key")
    for ask in (connector.test, connector.diaries, lambda: connector.patients(since=None)):
        with pytest.raises(ProviderError) as refused:
            ask()
        assert (refused.value.kind, refused.value.code) == (ProviderKind.REJECTED, "auth")


def test_the_key_is_in_no_address_and_no_error(kind: str, system: System, sandbox: Sandbox) -> None:
    connector = system(kind, api_key="very-secret-key")
    connector.patients(since=None)
    sandbox.fault(kind, "500", times=None)
    with pytest.raises(ProviderError) as failed:
        connector.patients(since=None)
    assert "very-secret-key" not in str(failed.value) + repr(connector)
    asked = [row["path"] + str(row["params"]) for row in sandbox.log(kind)]
    assert not [each for each in asked if "very-secret-key" in each]


def test_two_keys_are_two_practices(
    kind: str, system: System, connection_to: Callable[..., Connection], entry: Callable[..., Entry]
) -> None:
    one = system(kind, api_key="key-of-one")
    two = registry.connector(connection_to(kind, api_key="key-of-two"))
    one.book(entry(diary_id="R1"))
    assert two.find(entry()) is None
    two.book(entry(diary_id="R1"))
