"""The one table of how an attempt may move, and the orders in which providers report progress.

Pure: it says what is allowed. Performing a move, as one conditional UPDATE, is `attempts.claim`'s.
"""

from types import MappingProxyType

from recall.models import AttemptState, Outcome

_S = AttemptState

# From `submitting` on, the request may have left: such an attempt never becomes `planned` again
# but by a provider's clear "not now" (429), and never by a worker's death, which is `unknown`.
MOVES = MappingProxyType(
    {
        # Claimed by a worker, or no longer wanted.
        _S.PLANNED: frozenset({_S.CLAIMED, _S.CANCELLED}),
        # Back to planned: a rule that passes later said no, or the worker died before submitting.
        _S.CLAIMED: frozenset({_S.SUBMITTING, _S.PLANNED, _S.CANCELLED}),
        # Cancelled: the last look at opt-outs and the stop switch, with nothing sent yet.
        # Done: a callback that overtook the provider's own answer to our request.
        _S.SUBMITTING: frozenset(
            {_S.ACCEPTED, _S.UNKNOWN, _S.PLANNED, _S.CANCELLED, _S.DONE, _S.FAILED}
        ),
        _S.ACCEPTED: frozenset({_S.DONE, _S.FAILED}),
        # Settled by a callback, a look-up at the provider or a person.
        _S.UNKNOWN: frozenset({_S.ACCEPTED, _S.DONE, _S.FAILED}),
        _S.DONE: frozenset(),
        _S.FAILED: frozenset(),
        _S.CANCELLED: frozenset(),
    }
)

TERMINAL = frozenset(state for state, onwards in MOVES.items() if not onwards)


def may_move(old: str, new: str) -> bool:
    """Whether an attempt may go from one state to another. Staying where it is is no move."""
    return new in MOVES[AttemptState(old)]


def sources(new: str) -> tuple[AttemptState, ...]:
    """The states from which `new` can be reached: the IN list of the UPDATE that performs it."""
    return tuple(state for state, onwards in MOVES.items() if new in onwards)


# Twilio's call statuses, https://www.twilio.com/docs/voice/api/call-resource#call-status-values
CALL_RANKS = MappingProxyType(
    {
        "queued": 0,
        "initiated": 1,
        "ringing": 2,
        "in-progress": 3,
        "completed": 9,
        "busy": 9,
        "no-answer": 9,
        "failed": 9,
        "canceled": 9,
    }
)

# Twilio's message statuses, https://www.twilio.com/docs/messaging/api/message-resource, and ours
# for email. A mail server may take a message and bounce it days later: bounced is past delivered.
MESSAGE_RANKS = MappingProxyType(
    {
        "accepted": 0,
        "scheduled": 0,
        "queued": 1,
        "sending": 2,
        "sent": 3,
        "delivered": 5,
        "read": 9,
        "undelivered": 9,
        "failed": 9,
        "canceled": 9,
        "bounced": 9,
    }
)


def moves_forward(ranks: "MappingProxyType[str, int]", old: str, new: str) -> bool:
    """Whether a reported status is news: strictly later than what is known. Blank `old` is nothing.

    Reports come twice, late and out of order. A status nobody knows never replaces one we know.
    """
    if new not in ranks:
        return False
    return not old or ranks[new] > ranks.get(old, -1)


# What one attempt can bring, from the least telling to the most. The talk decides before the
# carrier's "completed" comes, and a wish to be left alone counts whatever else was said.
_OUTCOMES_BY_WEIGHT = (
    (Outcome.FAILED,),
    (Outcome.SENT, Outcome.NO_ANSWER, Outcome.BUSY),
    (Outcome.UNDELIVERED,),
    (Outcome.DELIVERED, Outcome.VOICEMAIL, Outcome.HUNG_UP),
    (Outcome.READ, Outcome.ANSWERED),
    (Outcome.CALL_BACK,),
    (Outcome.DECLINED, Outcome.NEEDS_STAFF),
    (Outcome.WRONG_PERSON,),
    (Outcome.BOOKED,),
    (Outcome.DECEASED, Outcome.SYMPTOMS),
    (Outcome.OPTED_OUT,),
)
OUTCOME_WEIGHTS = MappingProxyType(
    {outcome: weight for weight, row in enumerate(_OUTCOMES_BY_WEIGHT) for outcome in row}
)


def outcome_counts_more(old: str, new: str) -> bool:
    """Whether `new` says more than `old`; blank `old` says nothing. Equals keep the first."""
    return not old or OUTCOME_WEIGHTS[Outcome(new)] > OUTCOME_WEIGHTS[Outcome(old)]
