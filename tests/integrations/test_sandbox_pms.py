"""The patients of the sandbox's practice management systems: untidy, and the same every time."""

from collections import Counter
from datetime import date

import pytest

from integrations.sandbox import pms_office, pms_people
from integrations.sandbox.pms_people import population
from patients import nhs_number, phone
from tests.sandbox import Sandbox

TODAY = date(2026, 11, 18)


@pytest.fixture(scope="module")
def people() -> list[pms_people.Px]:
    return list(population("optix", pms_office.PATIENTS, TODAY).values())


def test_they_are_the_same_every_time(people: list[pms_people.Px]) -> None:
    assert list(population("optix", pms_office.PATIENTS, TODAY).values()) == people
    assert next(iter(population("acuitas", 1, TODAY).values())) != people[0]


def test_some_of_them_are_trouble(people: list[pms_people.Px]) -> None:
    assert len(people) == 5000
    count = Counter[str]()
    for each in people:
        count["no number"] += not each.mobile and not each.home
        count["landline only"] += not each.mobile and bool(each.home)
        count["bad number"] += each.mobile in pms_people.BAD_NUMBERS
        count["no email"] += not each.email
        count["opted out"] += "all" in each.says_no
        count["some channels"] += bool(each.says_no - {"all"})
        count["deceased"] += each.state == "deceased"
        count["archived"] += each.state == "archived"
        count["never examined"] += each.last_exam is None
        count["child"] += each.born is not None and (TODAY - each.born).days < 18 * 365
    shared = Counter(each.mobile for each in people if each.mobile)
    count["two on one number"] = sum(1 for times in shared.values() if times > 1)
    assert all(20 <= times <= 2100 for times in count.values()), count


def test_every_other_number_is_one_that_can_be_kept(people: list[pms_people.Px]) -> None:
    for each in people:
        if each.mobile and each.mobile not in pms_people.BAD_NUMBERS:
            assert phone.parse(each.mobile).kind == phone.Kind.MOBILE
        if each.home:
            assert phone.parse(each.home).is_drama
        if each.nhs:
            assert nhs_number.parse(each.nhs).digits.startswith("999")


@pytest.mark.parametrize("number", pms_people.BAD_NUMBERS)
def test_the_bad_numbers_are_bad(number: str) -> None:
    with pytest.raises(phone.Rejection):
        phone.parse(number)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/pms/optix/change", {"key": "one", "fields": {"shoe_size": 44}}),
        ("/pms/nobody/change", {"key": "one"}),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(
    path: str, body: dict[str, object], sandbox: Sandbox
) -> None:
    with pytest.raises(Exception, match=r"40[04]"):
        sandbox.post(path, body)


def test_two_cannot_be_booked_at_one_time(sandbox: Sandbox) -> None:
    body = {
        "key": "one",
        "patient": "PX-000002",
        "starts_at": "2027-01-11T09:00:00+00:00",
        "diary": "R1",
    }
    sandbox.post("/pms/optix/appointment", body)
    with pytest.raises(Exception, match="409"):
        sandbox.post("/pms/optix/appointment", body)
