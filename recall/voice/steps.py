"""The parts that every move of the dialogue is built from: ask, search, offer, end, and the limits.

Pure. Which part is used when is the dialogue's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from recall.voice import script
from recall.voice.conversation import (
    CallFacts,
    Intent,
    IntentKind,
    Listen,
    OfferedSlot,
    Stage,
    State,
    Step,
    Wish,
)

MAX_TURNS = 12
MAX_OFFERED = 3


def find(state: State, wish: Wish, say: script.Words = ()) -> Step:
    state = replace(state, stage=Stage.FINDING, searches=state.searches + 1, chosen=None)
    return Step(state, say, None, (Intent(IntentKind.FIND_SLOTS, wish=wish),))


def offer(state: State, slots: Sequence[OfferedSlot], lead: script.Words = ()) -> Step:
    offered = tuple(slots[:MAX_OFFERED])
    state = replace(state, stage=Stage.OFFER, offered=offered, found=(), chosen=None)
    return ask(state, script.offer(offered), lead=lead)


def ask(state: State, question: script.Words, *, lead: script.Words = (), seconds: int = 5) -> Step:
    listen = Listen(hints=script.hints(state.stage, state.offered), seconds=seconds)
    return Step(replace(state, last_said=question), lead + question, listen)


def end(state: State, words: script.Words, *intents: Intent) -> Step:
    return Step(replace(state, stage=Stage.CLOSED), words, None, intents, hang_up=True)


def give_up(state: State, facts: CallFacts, reason: str) -> Step:
    intent = Intent(IntentKind.NO_DECISION, reason=reason)
    return end(state, script.giving_up(facts), intent)


def staff(reason: str) -> Intent:
    return Intent(IntentKind.NEEDS_STAFF, reason=reason)


def within_limits(step: Step, facts: CallFacts) -> Step:
    """End politely when another answer would be one too many."""
    goes_on = step.listen is not None or step.state.stage is Stage.FINDING
    if not goes_on or step.state.turns < MAX_TURNS:
        return step
    kept = tuple(i for i in step.intents if i.kind in _KEPT)
    end = give_up(step.state, facts, "too_long")
    return end.but(intents=kept + end.intents)


_KEPT = frozenset({IntentKind.IDENTITY_CONFIRMED, IntentKind.RECORDING_DECLINED})
