"""Plans, opening a practice and letting people in."""

import itertools

import pytest
from allauth.account.models import EmailAddress

from practices import access, plans, selectors, team
from practices.journal import Actor
from practices.models import JournalEntry, Membership, Practice, Role, User
from sightsync.lib import ids
from sightsync.lib.errors import AppError

ACTOR = Actor.operator("test")


@pytest.mark.parametrize(
    ("plan", "calls", "own_number"),
    [
        ("starter", 300, False),
        ("growth", 750, False),
        ("practice", 1500, True),
        ("group", 5000, True),
    ],
)
def test_plans(plan: str, calls: int, own_number: bool) -> None:
    assert plans.monthly_limit(plan) == calls
    assert plans.has_dedicated_number(plan) is own_number


@pytest.mark.django_db
def test_a_new_practices_owner_can_sign_in_at_once() -> None:
    opened = team.create_practice(name=" Hill Opticians ", owner_email="Ann@Hill.org", actor=ACTOR)
    assert opened.practice.name == "Hill Opticians"
    assert opened.owner.check_password(opened.password)
    assert EmailAddress.objects.get(user=opened.owner).verified
    assert selectors.owners(opened.practice).get().user.email == "ann@hill.org"
    actions = JournalEntry.objects.order_by("id").values_list("action", flat=True)
    assert list(actions) == ["practice.created", "person.added"]


@pytest.mark.django_db
def test_a_sandbox_practice_has_a_number_for_fiction_and_a_live_one_none() -> None:
    first = team.create_practice(name="A", owner_email="a@example.org", actor=ACTOR).practice
    live = team.create_practice(
        name="B", owner_email="b@example.org", mode="live", actor=ACTOR
    ).practice
    assert first.caller_number.startswith("+441")
    assert first.caller_number[6:10] == "4960"
    assert live.caller_number == ""


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": ""}, "bad_name"),
        ({"name": "x" * 121}, "bad_name"),
        ({"owner_email": "not an address"}, "bad_email"),
        ({"owner_email": "ALICE@example.org"}, "person_exists"),
        ({"plan": "platinum"}, "bad_plan"),
        ({"mode": "dry"}, "bad_mode"),
    ],
)
def test_bad_input_opens_nothing(alice: User, change: dict[str, str], code: str) -> None:
    before = (Practice.objects.count(), User.objects.count(), JournalEntry.objects.count())
    wanted = {"name": "Hill", "owner_email": "ann@hill.org", **change}
    with pytest.raises(AppError) as caught:
        team.create_practice(actor=ACTOR, **wanted)
    assert caught.value.code == code
    after = (Practice.objects.count(), User.objects.count(), JournalEntry.objects.count())
    assert after == before


def test_passwords_are_long_and_differ() -> None:
    some = {team.random_password() for _ in range(50)}
    assert len(some) == 50
    assert all(len(password) == 19 for password in some)


@pytest.mark.django_db
def test_a_practice_is_found_by_either_form_of_its_id(practice: Practice) -> None:
    assert selectors.find_practice(practice.public_id.lower()) == practice
    assert selectors.find_practice(str(practice.pk)) == practice
    for text in (
        "nonsense",
        ids.encode("prc", ids.new()),
        practice.public_id.replace("prc", "pat"),
    ):
        with pytest.raises(AppError):
            selectors.find_practice(text)


def test_each_role_may_what_the_one_below_may() -> None:
    ladder = [access.PERMISSIONS[role] for role in (Role.VIEWER, Role.STAFF, Role.MANAGER)]
    ladder.append(access.PERMISSIONS[Role.OWNER])
    for lower, upper in itertools.pairwise(ladder):
        assert lower < upper
    assert not access.may("nobody", "today.view")


@pytest.mark.django_db
def test_a_role_taken_away_counts_at_the_next_request(alice: User, client) -> None:  # type: ignore[no-untyped-def]
    client.force_login(alice)
    assert client.get("/patients").status_code == 200
    Membership.objects.filter(user=alice).delete()
    assert client.get("/patients").status_code == 403
