"""Buying a number and giving it back: resumable at every step, bought once."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from integrations.models import DedicatedNumber, NumberState
from integrations.numbers import process
from practices.models import JournalEntry, Practice, User
from sightsync.lib import clock
from sightsync.lib.errors import AppError
from tests.integrations.numbers.conftest import ACTOR, NUMBER, PAPERS
from tests.threads import at_once

pytestmark = pytest.mark.django_db
Order = Callable[..., DedicatedNumber]


def go_on(row: DedicatedNumber, steps: int = 12) -> DedicatedNumber:
    """Take steps as the tick would, each when its time has come."""
    for _ in range(steps):
        row.refresh_from_db()
        if row.next_step_at is None:
            break
        later = max(row.next_step_at, clock.now())
        clock.use(lambda moment=later: moment)
        assert process.due(clock.now()) == [row.pk]
        process.step(row.pk)
    row.refresh_from_db()
    return row


def bought(sandbox) -> list[dict]:
    return [
        row
        for row in sandbox.log("twilio")
        if row["method"] == "POST" and row["path"].endswith("/IncomingPhoneNumbers.json")
    ]


def test_a_number_is_bought_and_used(order: Order, practice: Practice, sandbox) -> None:
    row = go_on(order())
    assert row.state == NumberState.ACTIVE
    assert row.replaces == "+441184960001"
    practice.refresh_from_db()
    assert practice.caller_number == NUMBER
    (request,) = bought(sandbox)
    assert request["params"]["VoiceUrl"].endswith("/hooks/twilio/inbound/voice")
    assert request["params"]["SmsUrl"].endswith("/hooks/twilio/inbound/message")
    actions = list(JournalEntry.objects.order_by("id").values_list("action", flat=True))
    assert [action for action in actions if action.startswith("number.")] == [
        "number.chosen",
        "number.bundle",
        "number.review",
        "number.buying",
        "number.active",
    ]
    assert "Acuity" not in str(list(JournalEntry.objects.values_list("facts", flat=True)))


def test_it_is_given_back_and_the_old_number_is_used_again(
    order: Order, practice: Practice, sandbox
) -> None:
    row = go_on(order())
    assert process.release(number=row, actor=ACTOR)
    practice.refresh_from_db()
    assert practice.caller_number == "+441184960001"
    row = go_on(row)
    assert row.state == NumberState.RELEASED
    assert process.of(practice) is None
    assert not process.release(number=row, actor=ACTOR)


def test_refused_papers_wait_for_a_person_and_can_be_corrected(order: Order, sandbox) -> None:
    row = go_on(order(business_name="Refused Ltd"))
    assert (row.state, row.reason) == (NumberState.REFUSED, "papers_refused")
    assert process.due(clock.now() + timedelta(days=9)) == []
    assert process.correct(number=row, papers=PAPERS, actor=ACTOR)
    assert go_on(row).state == NumberState.ACTIVE


def test_a_number_that_is_sold_meanwhile_ends_the_order(
    order: Order, practice: Practice, sandbox
) -> None:
    row = go_on(order("+441184960613"))
    assert (row.state, row.reason) == (NumberState.FAILED, "sold")
    practice.refresh_from_db()
    assert practice.caller_number == "+441184960001"
    assert process.of(practice) is None


@pytest.mark.parametrize("mode", ["drop_after_accept", "broken_json", "html"])
def test_a_purchase_of_unknown_fate_is_found_and_never_repeated(
    order: Order, sandbox, mode: str
) -> None:
    row = order()
    wish = {"accept": True} if mode == "html" else {}
    sandbox.fault("twilio", mode, match="POST /twilio/2010-04-01/Accounts/AC", times=0)
    sandbox.fault("twilio", mode, match="VoiceUrl", **wish)
    row = go_on(row)
    assert row.state == NumberState.ACTIVE
    assert len(bought(sandbox)) == 1


def test_a_purchase_that_was_not_made_is_made_once_that_is_known(order: Order, sandbox) -> None:
    sandbox.fault("twilio", "drop_before_accept", match="VoiceUrl")
    row = go_on(order(), steps=20)
    assert row.state == NumberState.ACTIVE
    assert len(bought(sandbox)) == 2


@pytest.mark.parametrize("mode", ["429", "500", "drop_after_accept", "broken_json", "html"])
@pytest.mark.parametrize("match", ["Addresses", "Bundles", "EndUsers", "ItemAssignments"])
def test_every_other_step_is_taken_again(order: Order, sandbox, mode: str, match: str) -> None:
    sandbox.fault("twilio", mode, match=match)
    row = go_on(order(), steps=20)
    assert row.state == NumberState.ACTIVE
    assert len(bought(sandbox)) == 1


def test_a_hand_in_that_broke_off_uses_the_papers_it_has_made(order: Order, sandbox) -> None:
    sandbox.fault("twilio", "500", times=1, match="ItemAssignments")
    assert go_on(order()).state == NumberState.ACTIVE
    made = [row["path"] for row in sandbox.log("twilio") if row["method"] == "POST"]
    for paper in ("/EndUsers", "/SupportingDocuments", "/Bundles"):
        assert len([path for path in made if path.endswith(paper)]) == 1


def test_a_worker_that_died_while_buying_leaves_nothing_bought_twice(
    order: Order, sandbox, monkeypatch
) -> None:
    row = go_on(order(), steps=3)
    assert row.state == NumberState.BUYING

    class Killed(BaseException):
        pass

    def die(name: str) -> None:
        if name == "number.after_request":
            raise Killed

    monkeypatch.setattr("sightsync.lib.failpoints.hit", die)
    with pytest.raises(Killed):
        process.step(row.pk)
    monkeypatch.undo()
    assert process.due(clock.now()) == []  # its lease still runs
    DedicatedNumber.objects.filter(pk=row.pk).update(lease_until=clock.real_now())
    assert go_on(row).state == NumberState.ACTIVE
    assert len(bought(sandbox)) == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_take_a_step_once(order: Order, sandbox) -> None:
    row = order()
    taken = at_once([lambda: process.step(row.pk)] * 2)
    assert sorted(taken, key=str) == [False, True]
    made = [entry for entry in sandbox.log("twilio") if entry["path"].endswith("/Addresses.json")]
    assert [entry["method"] for entry in made].count("POST") == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_lease_both_take_it(order: Order, sandbox, monkeypatch) -> None:
    row = order()
    monkeypatch.setattr(process, "_claim", lambda key: DedicatedNumber.objects.get(pk=key))
    assert at_once([lambda: process.step(row.pk)] * 2) == [True, True]


def test_an_order_can_be_stopped_until_it_is_bought(order: Order, sandbox) -> None:
    row = order()
    assert process.abandon(number=row, actor=ACTOR)
    assert process.due(clock.now() + timedelta(days=9)) == []
    row = go_on(order())
    assert not process.abandon(number=row, actor=ACTOR)


def test_a_plan_without_a_number_gets_none(practice: Practice, order: Order) -> None:
    practice.plan = "growth"
    with pytest.raises(AppError) as refusal:
        order()
    assert refusal.value.status == 403
    assert not DedicatedNumber.objects.exists()


def test_asking_twice_orders_once(order: Order, practice: Practice, alice: User) -> None:
    assert order().pk == order().pk
    with pytest.raises(AppError) as refusal:
        order("+441184960616")
    assert refusal.value.status == 409
