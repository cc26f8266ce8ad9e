"""The table of an attempt's moves, and reports that come twice, late or out of order."""

from itertools import pairwise, permutations, product

import pytest

from recall import states
from recall.models import AttemptState as S
from recall.models import Outcome
from recall.models.attempts import LIVE_STATES


def reachable(start: S) -> set[S]:
    seen: set[S] = set()
    todo = [start]
    while todo:
        state = todo.pop()
        for onward in states.MOVES[state] - seen:
            seen.add(onward)
            todo.append(onward)
    return seen


def test_every_state_is_in_the_table_and_can_end():
    assert set(states.MOVES) == set(S)
    assert {S.DONE, S.FAILED, S.CANCELLED} == states.TERMINAL
    for state in set(S) - states.TERMINAL:
        assert reachable(state) & states.TERMINAL


def test_the_happy_way_is_allowed_and_leads_one_way():
    way = [S.PLANNED, S.CLAIMED, S.SUBMITTING, S.ACCEPTED, S.DONE]
    for old, new in pairwise(way):
        assert states.may_move(old, new)
    assert not states.may_move(S.PLANNED, S.SUBMITTING)
    assert not states.may_move(S.PLANNED, S.ACCEPTED)
    assert not states.may_move(S.CLAIMED, S.ACCEPTED)


def test_what_may_have_been_sent_is_never_planned_again():
    for state in (S.UNKNOWN, S.ACCEPTED):
        assert S.PLANNED not in reachable(state)
        assert S.CLAIMED not in reachable(state)
        assert S.CANCELLED not in states.MOVES[state]


@pytest.mark.parametrize("state", sorted(states.TERMINAL))
def test_a_finished_attempt_stays_finished(state):
    assert not any(states.may_move(state, other) for other in S)


def test_sources_are_the_table_read_backwards():
    for old, new in product(S, S):
        assert (old in states.sources(new)) == states.may_move(old, new)
    assert set(states.sources(S.DONE)) <= set(LIVE_STATES)


def settled(ranks, reports) -> str:
    status = ""
    for report in reports:
        if states.moves_forward(ranks, status, report):
            status = report
    return status


@pytest.mark.parametrize(
    ("ranks", "reports", "end"),
    [
        (states.CALL_RANKS, ["initiated", "ringing", "in-progress", "completed"], "completed"),
        (states.CALL_RANKS, ["queued", "ringing", "busy"], "busy"),
        (states.MESSAGE_RANKS, ["queued", "sent", "delivered", "read"], "read"),
        (states.MESSAGE_RANKS, ["sent", "undelivered", "undelivered"], "undelivered"),
        (states.MESSAGE_RANKS, ["sent", "delivered", "bounced"], "bounced"),
    ],
)
def test_any_order_of_reports_ends_in_the_same_status(ranks, reports, end):
    assert {settled(ranks, order) for order in permutations(reports)} == {end}


def test_an_unheard_of_status_replaces_nothing():
    assert not states.moves_forward(states.CALL_RANKS, "ringing", "levitating")
    assert states.moves_forward(states.CALL_RANKS, "levitating", "ringing")


def test_the_outcome_of_a_call_is_the_most_telling_thing_that_happened():
    assert set(states.OUTCOME_WEIGHTS) == set(Outcome)
    assert states.outcome_counts_more("", Outcome.FAILED)
    assert states.outcome_counts_more(Outcome.BOOKED, Outcome.OPTED_OUT)
    assert states.outcome_counts_more(Outcome.ANSWERED, Outcome.BOOKED)
    assert not states.outcome_counts_more(Outcome.BOOKED, Outcome.ANSWERED)
    assert not states.outcome_counts_more(Outcome.SYMPTOMS, Outcome.BOOKED)
    assert not states.outcome_counts_more(Outcome.BUSY, Outcome.NO_ANSWER)
