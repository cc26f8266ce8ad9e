"""Settings, Phone number, as the owner sees it."""

import pytest
from django.test import Client

from integrations.models import DedicatedNumber, NumberState
from integrations.numbers import process
from practices.models import Practice, User
from sightsync.lib import clock
from tests.integrations.numbers.conftest import NUMBER, PAPERS

pytestmark = pytest.mark.django_db
PAGE = "/settings/phone-number"


@pytest.fixture
def owner(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def text(answer) -> str:
    return answer.content.decode()


def test_numbers_are_found_and_one_is_ordered(owner: Client, practice: Practice, sandbox) -> None:
    found = text(owner.get(PAGE, {"kind": "local", "contains": "0118"}))
    assert "0118 496 06" in found
    assert "Reading" in found
    papers = owner.get(f"{PAGE}/buy", {"number": NUMBER, "kind": "local"})
    assert "Acuity Opticians" in text(papers)
    wish = {"number": NUMBER, "kind": "local", **PAPERS}
    for _ in range(2):
        assert owner.post(f"{PAGE}/buy", wish).status_code == 302
    assert DedicatedNumber.objects.get().papers["postcode"] == "RG1 2AB"
    assert "Address registered" in text(owner.get(PAGE))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("business_name", "", "Enter the name of the business"),
        ("postcode", "12345", "Enter a UK postcode"),
        ("email", "nobody", "Enter an email address"),
    ],
)
def test_wrong_papers_order_nothing(
    owner: Client, practice: Practice, field: str, value: str, said: str
) -> None:
    answer = owner.post(f"{PAGE}/buy", {"number": NUMBER, "kind": "local", **PAPERS, field: value})
    assert answer.status_code == 400
    assert said in text(answer)
    assert not DedicatedNumber.objects.exists()


@pytest.mark.parametrize("number", ["", "hello", "+15005550006", "+449"])
def test_only_a_uk_number_can_be_ordered(owner: Client, practice: Practice, number: str) -> None:
    owner.post(f"{PAGE}/buy", {"number": number, "kind": "local", **PAPERS})
    assert not DedicatedNumber.objects.exists()


def test_a_carrier_that_is_down_is_said_so(owner: Client, practice: Practice, sandbox) -> None:
    sandbox.fault("twilio", "500", times=5)
    assert "cannot be reached" in text(owner.get(PAGE, {"kind": "mobile"}))


def test_letters_are_no_digits(owner: Client, practice: Practice) -> None:
    assert "Enter digits only" in text(owner.get(PAGE, {"kind": "local", "contains": "abc"}))


def test_refused_papers_say_where_the_reason_is(owner: Client, practice: Practice, order) -> None:
    row = order()
    DedicatedNumber.objects.filter(pk=row.pk).update(
        state=NumberState.REFUSED, reason="papers_refused", next_step_at=None
    )
    assert "owner@acuity.example" in text(owner.get(PAGE))
    assert owner.post(f"{PAGE}/papers", PAPERS).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.papers_edition) == (NumberState.ADDRESS, 2)


def test_an_order_is_stopped(owner: Client, practice: Practice, order) -> None:
    order()
    owner.post(f"{PAGE}/stop")
    assert process.of(practice) is None


def test_a_number_is_given_back_after_a_question(owner: Client, practice: Practice, order) -> None:
    row = order()
    DedicatedNumber.objects.filter(pk=row.pk).update(
        state=NumberState.ACTIVE, active_at=clock.now(), replaces="", next_step_at=None
    )
    assert "Without another number" in text(owner.get(f"{PAGE}/release"))
    row.refresh_from_db()
    assert row.state == NumberState.ACTIVE
    owner.post(f"{PAGE}/release")
    row.refresh_from_db()
    assert row.state == NumberState.RELEASING


def test_a_plan_without_numbers_says_so(owner: Client, practice: Practice) -> None:
    Practice.objects.update(plan="growth")
    assert "Practice and Group plans" in text(owner.get(PAGE))
    owner.post(f"{PAGE}/buy", {"number": NUMBER, "kind": "local", **PAPERS})
    assert not DedicatedNumber.objects.exists()


def test_the_reception_may_not_see_it(bob: User) -> None:
    client = Client()
    client.force_login(bob)
    assert client.get(PAGE).status_code == 403
