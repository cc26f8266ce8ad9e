"""Whatever is said, pressed or mumbled, in any order: the promises of a call hold.

Words are drawn from the table of real phrases and from noise; meanings come from the rules, and in
a second run from a reader that answers at random, as a broken model would.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from recall.voice import dialogue, understanding
from recall.voice.conversation import (
    Flag,
    IntentKind,
    Kind,
    Meaning,
    OfferedSlot,
    State,
    Step,
    Utterance,
    Window,
    Wish,
)
from tests.recall.voice.test_dialogue import FACTS
from tests.recall.voice.test_understanding import NOW, cases

CLINICAL = re.compile(r"\b(?:eyes?|sight|exam\w*|test|due|vision|optic\w*|recall|overdue)\b", re.I)
ENDS = {
    IntentKind.OPT_OUT, IntentKind.SYMPTOMS, IntentKind.NEEDS_STAFF, IntentKind.CALL_BACK,
    IntentKind.DECLINED, IntentKind.WRONG_PERSON, IntentKind.DECEASED, IntentKind.NO_DECISION,
    IntentKind.VOICEMAIL,
}  # fmt: skip

speech = st.one_of(
    st.sampled_from(sorted({case["says"] for case in cases()})),
    st.text(max_size=60),
    st.just(""),
)
utterances = st.builds(
    Utterance,
    speech=speech,
    digits=st.one_of(st.just(""), st.text("0123456789*#", max_size=3)),
    confidence=st.one_of(st.none(), st.floats(0, 1)),
)
meanings = st.builds(
    Meaning,
    kind=st.sampled_from(Kind),
    flags=st.frozensets(st.sampled_from(Flag), max_size=1),
    slots=st.lists(st.integers(-3, 5), max_size=3).map(tuple),
    wish=st.one_of(st.none(), st.just(Wish()), st.just(Wish(weekdays=(1,)))),
    window=st.one_of(st.none(), st.just(Window(NOW, NOW + timedelta(days=3)))),
    reason=st.sampled_from(["", "cost", "asked"]),
)


def slots(seed: int) -> list[OfferedSlot]:
    start = datetime(2026, 11, 24, 9, tzinfo=UTC) + timedelta(days=seed)
    count = seed % 4
    return [OfferedSlot(f"d{seed}-{n}", start + timedelta(hours=n)) for n in range(count)]


class Call:
    """Plays a call and checks every promise at every step."""

    def __init__(self, searches: list[int], losses: list[bool]) -> None:
        self.searches, self.losses = iter(searches), iter(losses)
        self.read_out: set[str] = set()
        self.read_back: OfferedSlot | None = None
        self.confirmed = False
        self.booked = 0
        self.ends = 0
        self.step = self.take(dialogue.start(FACTS, slots(next(self.searches))))

    def hear(self, utterance: Utterance, meaning: Meaning | None) -> None:
        state = State.from_json(json.loads(json.dumps(self.step.state.to_json())))
        if meaning is None:
            meaning = understanding.understand(utterance, state=state, facts=FACTS, now=NOW)
        step = dialogue.hear(state, FACTS, utterance, meaning)
        if "9" in utterance.digits:
            assert IntentKind.OPT_OUT in {intent.kind for intent in step.intents}
            assert step.hang_up
        self.step = self.take(step)

    def take(self, step: Step) -> Step:
        for intent in step.intents:
            self.confirmed |= intent.kind is IntentKind.IDENTITY_CONFIRMED
            self.ends += intent.kind in ENDS
        self.check(step)
        for intent in step.intents:
            if intent.kind is IntentKind.FIND_SLOTS:
                found = slots(next(self.searches, 0))
                return self.take(dialogue.offer(step.state, FACTS, found))
            if intent.kind is IntentKind.BOOK:
                return self.take(self.book(step, intent.slot))
        assert step.hang_up or step.listen, "the call goes on or ends, and says which"
        return step

    def book(self, step: Step, slot: OfferedSlot | None) -> Step:
        assert slot is not None
        assert slot.id in self.read_out
        assert slot == self.read_back
        if next(self.losses, False):
            return dialogue.slot_taken(step.state, FACTS, slots(next(self.searches, 0)))
        self.booked += 1
        return dialogue.booked(step.state, FACTS, slot)

    def check(self, step: Step) -> None:
        said = " ".join(step.say).replace(FACTS.practice_name, "")
        if not self.confirmed:
            assert not CLINICAL.search(said.replace(FACTS.symptom_advice, ""))
        if FACTS.symptom_advice in said:
            assert any(intent.kind is IntentKind.SYMPTOMS for intent in step.intents)
            assert step.hang_up
        if "I can offer" in said:
            self.read_out |= {slot.id for slot in step.state.offered}
        if "Shall I book" in said:
            self.read_back = step.state.chosen


def play(heard: list[tuple[Utterance, Meaning | None]], found: list[int], lost: list[bool]) -> None:
    call = Call(found, lost)
    for utterance, meaning in heard:
        if call.step.hang_up:
            break
        call.hear(utterance, meaning)
    if len(heard) >= dialogue.MAX_TURNS:
        assert call.step.hang_up
    assert call.booked + call.ends <= 2 if call.step.hang_up else call.booked + call.ends == 0
    if call.step.hang_up:
        assert call.booked + call.ends >= 1


searches = st.lists(st.integers(0, 40), min_size=20, max_size=20)
losses = st.lists(st.booleans(), max_size=8)


@settings(max_examples=150, deadline=None)
@given(heard=st.lists(utterances, max_size=15), found=searches, lost=losses)
def test_the_promises_hold_with_the_rules(
    heard: list[Utterance], found: list[int], lost: list[bool]
) -> None:
    play([(utterance, None) for utterance in heard], found, lost)


@settings(max_examples=200, deadline=None)
@given(heard=st.lists(st.tuples(utterances, meanings), max_size=15), found=searches, lost=losses)
def test_the_promises_hold_whatever_is_understood(
    heard: list[tuple[Utterance, Meaning]], found: list[int], lost: list[bool]
) -> None:
    play(list(heard), found, lost)


@settings(max_examples=200, deadline=None)
@given(speech)
def test_understanding_never_fails_and_never_names_a_slot_that_is_not_there(said: str) -> None:
    for state in (State(), State(stage=dialogue.Stage.OFFER, offered=tuple(slots(3)))):
        meaning = understanding.understand(
            Utterance(speech=said), state=state, facts=FACTS, now=NOW
        )
        assert all(0 <= n < len(state.offered) for n in meaning.slots)
