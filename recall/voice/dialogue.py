"""The dialogue of a recall call: a state and what was heard in, words and intents out.

Pure. It owns the order of the talk and its limits: nobody hears why we ring before they have said
who they are, no time is booked that was not offered and agreed, 9 always ends it, and it always
ends. It must not look anything up; it asks by intents.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from recall.voice import script, steps
from recall.voice.calling_window import within
from recall.voice.conversation import (
    CallFacts,
    Flag,
    Intent,
    IntentKind,
    Kind,
    Meaning,
    OfferedSlot,
    Stage,
    State,
    Step,
    Utterance,
    Wish,
)

MAX_TURNS = steps.MAX_TURNS
MAX_SEARCHES = 5
MAX_MISSES = 3
LOW_CONFIDENCE = 0.5

_YES_NO = {"1": Kind.YES, "2": Kind.NO}


def start(facts: CallFacts, slots: Sequence[OfferedSlot] = ()) -> Step:
    """The first thing said. `slots` are kept, unsaid, for the person once we know who it is."""
    state = State(identity_asked=1, found=tuple(slots[: steps.MAX_OFFERED]))
    step = steps.ask(state, script.greeting(facts))
    return step.but(state=replace(step.state, last_said=script.identity(facts)))


def hear(state: State, facts: CallFacts, utterance: Utterance, meaning: Meaning) -> Step:
    """The next step after one answer. A pressed key counts more than what was said with it."""
    if state.stage is Stage.CLOSED:
        return Step(state, (), None, hang_up=True)
    state = replace(state, turns=state.turns + 1)
    flags = meaning.flags
    if "9" in utterance.digits:
        flags = flags | {Flag.OPT_OUT}
    elif utterance.digits:
        meaning = _pressed(state, utterance.digits)
    if ending := _must_end(state, facts, flags):
        return ending
    if Flag.NO_RECORDING in flags:
        step = _without_recording(state, facts, utterance, meaning)
    else:
        step = _answer(state, facts, utterance, meaning)
    return steps.within_limits(step, facts)


def offer(
    state: State, facts: CallFacts, slots: Sequence[OfferedSlot], *, as_wished: bool = True
) -> Step:
    """Offer what was found. `as_wished` is False when nothing fitted what was asked for."""
    if not state.identity_confirmed or state.stage is Stage.CLOSED:
        return steps.give_up(state, facts, "not_identified")
    if not slots:
        return nothing_free(state, facts)
    lead = () if as_wished else script.nothing_then()
    return steps.within_limits(steps.offer(state, slots, lead), facts)


def machine(state: State, facts: CallFacts) -> Step:
    """An answering machine took the call: the practice and its number, and nothing else."""
    return steps.end(state, script.voicemail(facts), Intent(IntentKind.VOICEMAIL))


def not_now(facts: CallFacts) -> Step:
    """The call should not have been connected (an opt-out overtook it): who rang, and no more."""
    return steps.end(State(), script.name_and_number(facts))


def cannot_book(state: State, facts: CallFacts, *, has_appointment: bool) -> Step:
    """The diary refused for another reason than the time: a person has to look at it."""
    words = script.diary_will_be_checked if has_appointment else script.person_will_ring
    return steps.end(
        state, words(facts), steps.staff("says_booked" if has_appointment else "cannot_book")
    )


def nothing_free(state: State, facts: CallFacts) -> Step:
    """No time at all can be offered: a person has to find one."""
    return steps.end(state, script.nothing_free(facts), steps.staff("no_free_times"))


def booked(state: State, facts: CallFacts, slot: OfferedSlot) -> Step:
    """The booking was made."""
    return steps.end(replace(state, chosen=slot), script.booked(facts, slot))


def slot_taken(state: State, facts: CallFacts, next_slots: Sequence[OfferedSlot]) -> Step:
    """Somebody else took the time between the read-back and the booking."""
    state = replace(state, chosen=None)
    if not next_slots:
        step = nothing_free(state, facts)
        return step.but(say=script.slot_gone() + step.say)
    return steps.within_limits(steps.offer(state, next_slots, script.slot_gone()), facts)


# --- what comes before the open question -------------------------------------------------------


def _must_end(state: State, facts: CallFacts, flags: frozenset[Flag]) -> Step | None:
    """The end that safety or the law demands, if any of it was said. Both may apply at once."""
    stop = (Intent(IntentKind.OPT_OUT),) if Flag.OPT_OUT in flags else ()
    if Flag.DECEASED in flags:
        if Flag.BEREAVED in flags and state.identity_confirmed:
            # The patient is on the line and speaks of somebody else's death.
            return steps.end(state, script.bereaved(facts), *stop, steps.staff("bereaved"))
        return steps.end(state, script.deceased(facts), *stop, Intent(IntentKind.DECEASED))
    if Flag.SYMPTOMS in flags:
        words = script.symptoms(facts)
        if stop:
            words = words[:-1] + script.opted_out(facts)
        return steps.end(state, words, *stop, Intent(IntentKind.SYMPTOMS))
    if stop:
        return steps.end(state, script.opted_out(facts), *stop)
    return None


def _without_recording(
    state: State, facts: CallFacts, utterance: Utterance, meaning: Meaning
) -> Step:
    declined = Intent(IntentKind.RECORDING_DECLINED)
    state = replace(state, recording_declined=True)
    if meaning.kind in (Kind.UNCLEAR, Kind.NO):
        step = steps.ask(state, state.last_said, lead=script.recording_off())
    else:
        step = _answer(state, facts, utterance, meaning)
        step = step.but(say=script.recording_off() + step.say)
    return step.but(intents=(declined, *step.intents))


def _answer(state: State, facts: CallFacts, utterance: Utterance, meaning: Meaning) -> Step:
    if utterance.is_silence():
        return _silence(state, facts)
    unsure = utterance.confidence is not None and utterance.confidence < LOW_CONFIDENCE
    if not utterance.digits and unsure:
        return _unclear(state, facts)
    anywhere = _ANYWHERE.get(meaning.kind)
    step = anywhere(state, facts, meaning) if anywhere else None
    if step is None:
        step = _STAGES[state.stage](state, facts, meaning)
    if meaning.kind is Kind.UNCLEAR or step.state.unclear > state.unclear:
        return step
    return step.but(state=replace(step.state, silences=0, unclear=0))


def _pressed(state: State, digits: str) -> Meaning:
    """What the first key means at this question."""
    key = digits[0]
    if key == "*":
        return Meaning(Kind.REPEAT)
    if key == "0":
        return Meaning(Kind.HUMAN, reason="asked")
    if state.stage is Stage.OFFER:
        if key == "4":
            return Meaning(Kind.OTHER_TIMES)
        if key in "123":
            return Meaning(Kind.CHOOSE, slots=(int(key) - 1,))
        return Meaning()
    if state.stage is Stage.CALL_BACK:
        return Meaning()
    return Meaning(_YES_NO.get(key, Kind.UNCLEAR))


def _silence(state: State, facts: CallFacts) -> Step:
    state = replace(state, silences=state.silences + 1)
    if state.silences >= MAX_MISSES:
        return _missed_for_good(state, facts, "silence")
    return steps.ask(state, _keypad_question(state, facts), lead=(script.NOTHING_HEARD,))


def _unclear(state: State, facts: CallFacts, _meaning: Meaning | None = None) -> Step:
    state = replace(state, unclear=state.unclear + 1)
    if state.unclear >= MAX_MISSES:
        return _missed_for_good(state, facts, "unclear")
    return steps.ask(state, _keypad_question(state, facts), lead=(script.SORRY,))


def _missed_for_good(state: State, facts: CallFacts, reason: str) -> Step:
    if state.stage is Stage.CALL_BACK:
        return steps.end(state, script.call_back_noted(None), Intent(IntentKind.CALL_BACK))
    if state.stage is Stage.NUMBER_CHECK:
        return _wrong_person(state, facts)
    return steps.give_up(state, facts, reason)


def _keypad_question(state: State, facts: CallFacts) -> script.Words:
    if state.stage is Stage.IDENTITY:
        return script.identity_by_keypad(facts)
    return state.last_said


# --- meanings that are answered alike at every question ----------------------------------------


def _human(state: State, facts: CallFacts, meaning: Meaning) -> Step:
    return steps.end(state, script.person_will_ring(facts), steps.staff(meaning.reason or "asked"))


def _repeat(state: State, facts: CallFacts, _meaning: Meaning) -> Step:
    return steps.ask(state, state.last_said)


def _who(state: State, facts: CallFacts, _meaning: Meaning) -> Step:
    words = script.who_calls(facts)
    if not state.identity_confirmed:
        words += script.reason_comes_later(facts)
    return steps.ask(state, state.last_said, lead=words)


def _question(state: State, facts: CallFacts, _meaning: Meaning) -> Step:
    return steps.ask(state, state.last_said, lead=script.question_for_practice(facts))


def _hold(state: State, facts: CallFacts, _meaning: Meaning) -> Step:
    """Somebody is being fetched, or is looking for a diary: wait, then ask the same again."""
    if state.stage is Stage.NUMBER_CHECK:
        state = replace(state, stage=Stage.IDENTITY, last_said=script.identity(facts))
    question = state.last_said
    step = steps.ask(state, script.waiting(), seconds=10)
    return step.but(state=replace(step.state, last_said=question))


def _someone_else(state: State, facts: CallFacts, meaning: Meaning) -> Step:
    """Not the patient, or no longer: nothing more is said, and nobody counts as confirmed."""
    state = replace(state, identity_confirmed=False)
    if meaning.window and (window := within(meaning.window, facts)):
        intent = Intent(IntentKind.CALL_BACK, window=window)
    else:
        intent = Intent(IntentKind.NO_DECISION, reason="someone_else")
    return steps.end(state, script.name_and_number(facts), intent)


def _wrong_person(state: State, facts: CallFacts, _meaning: Meaning | None = None) -> Step:
    state = replace(state, identity_confirmed=False)
    return steps.end(state, script.wrong_person(), Intent(IntentKind.WRONG_PERSON))


def _call_back(state: State, facts: CallFacts, meaning: Meaning) -> Step:
    if meaning.window and (window := within(meaning.window, facts)):
        intent = Intent(IntentKind.CALL_BACK, window=window)
        return steps.end(state, script.call_back_noted(window), intent)
    if state.call_back_asked >= 2:
        return steps.end(state, script.call_back_noted(None), Intent(IntentKind.CALL_BACK))
    words = script.call_back_hours(facts) if meaning.window else script.call_back_when()
    asked = state.call_back_asked + 1
    return steps.ask(replace(state, stage=Stage.CALL_BACK, call_back_asked=asked), words)


def _already_booked(state: State, facts: CallFacts, _meaning: Meaning) -> Step:
    return steps.end(state, script.diary_will_be_checked(facts), steps.staff("says_booked"))


def _will_ring(state: State, facts: CallFacts, meaning: Meaning) -> Step:
    intent = Intent(IntentKind.NO_DECISION, reason=meaning.reason or "will_ring")
    return steps.end(state, script.name_and_number(facts), intent)


def _machine(state: State, facts: CallFacts, _meaning: Meaning) -> Step:
    return _unclear(state, facts) if state.identity_confirmed else machine(state, facts)


def _decline(state: State, facts: CallFacts, meaning: Meaning) -> Step:
    """A refusal counts as the patient's only when the patient gave it."""
    if not state.identity_confirmed:
        intent = Intent(IntentKind.NO_DECISION, reason="refused_unidentified")
        return steps.end(state, script.name_and_number(facts), intent)
    intent = Intent(IntentKind.DECLINED, reason=meaning.reason)
    return steps.end(state, script.declined(facts), intent)


# --- the questions -----------------------------------------------------------------------------


def _at_identity(state: State, facts: CallFacts, meaning: Meaning) -> Step:
    if meaning.kind is Kind.YES:
        return _confirmed(state, facts)
    if meaning.kind is Kind.NO:
        return steps.ask(replace(state, stage=Stage.NUMBER_CHECK), script.number_check(facts))
    if meaning.kind is Kind.GREETING:
        state = replace(state, identity_asked=state.identity_asked + 1, unclear=state.unclear + 1)
        if state.unclear >= MAX_MISSES:
            return _missed_for_good(state, facts, "unclear")
        return steps.ask(state, script.identity(facts), lead=script.who_calls(facts)[:1])
    return _unclear(state, facts)


def _confirmed(state: State, facts: CallFacts) -> Step:
    state = replace(state, identity_confirmed=True)
    confirmed = Intent(IntentKind.IDENTITY_CONFIRMED)
    why = script.why_we_call(facts)
    step = steps.offer(state, state.found, why) if state.found else steps.find(state, Wish(), why)
    return step.but(intents=(confirmed, *step.intents))


def _at_number_check(state: State, facts: CallFacts, meaning: Meaning) -> Step:
    """They are not the person we asked for; anything but a clear yes means the wrong number."""
    if meaning.kind is Kind.YES:
        return _someone_else(state, facts, meaning)
    return _wrong_person(state, facts)


def _at_offer(state: State, facts: CallFacts, meaning: Meaning) -> Step:
    if meaning.kind is Kind.YES and len(state.offered) == 1:
        return _chosen(state, facts, (0,))
    if meaning.kind is Kind.CHOOSE:
        return _chosen(state, facts, meaning.slots)
    if meaning.kind is Kind.OTHER_TIMES:
        return _other_times(state, facts, meaning.wish)
    if meaning.kind is Kind.NO:
        return _decline(state, facts, meaning)
    return _unclear(state, facts)


def _at_read_back(state: State, facts: CallFacts, meaning: Meaning) -> Step:
    if meaning.kind is Kind.YES and state.chosen is not None:
        book = Intent(IntentKind.BOOK, slot=state.chosen)
        return Step(replace(state, stage=Stage.BOOKING), (), None, (book,))
    if meaning.kind is Kind.NO:
        return steps.offer(replace(state, chosen=None), state.offered)
    if meaning.kind is Kind.CHOOSE:
        return _chosen(state, facts, meaning.slots)
    if meaning.kind is Kind.OTHER_TIMES:
        return _other_times(state, facts, meaning.wish)
    return _unclear(state, facts)


def _at_call_back(state: State, facts: CallFacts, meaning: Meaning) -> Step:
    if meaning.kind is Kind.NO:
        return _decline(state, facts, meaning)
    return _call_back(state, facts, meaning)


def _in_between(state: State, facts: CallFacts, _meaning: Meaning) -> Step:
    """A search or a booking was cut short by a fault: a person has to look at it."""
    return steps.end(state, script.person_will_ring(facts), steps.staff("interrupted"))


def _chosen(state: State, facts: CallFacts, positions: Sequence[int]) -> Step:
    slots = [state.offered[n] for n in positions if 0 <= n < len(state.offered)]
    if not slots or len(slots) != len(positions):
        return _unclear(state, facts)
    if len(slots) > 1:
        return steps.offer(state, slots)
    state = replace(state, stage=Stage.READ_BACK, chosen=slots[0])
    return steps.ask(state, script.read_back(slots[0]))


def _other_times(state: State, facts: CallFacts, wish: Wish | None) -> Step:
    if state.searches >= MAX_SEARCHES:
        return steps.end(state, script.person_will_ring(facts), steps.staff("no_time_agreed"))
    if wish is None or wish.is_empty():
        last = max(slot.local().date() for slot in state.offered)
        wish = Wish(from_date=last + timedelta(days=1))
    return steps.find(state, wish)


_Handler = Callable[[State, CallFacts, Meaning], Step]

_ANYWHERE: dict[Kind, _Handler] = {
    Kind.HUMAN: _human,
    Kind.REPEAT: _repeat,
    Kind.WHO: _who,
    Kind.QUESTION: _question,
    Kind.HOLD: _hold,
    Kind.SOMEONE_ELSE: _someone_else,
    Kind.WRONG_PERSON: _wrong_person,
    Kind.CALL_BACK: _call_back,
    Kind.ALREADY_BOOKED: _already_booked,
    Kind.WILL_RING: _will_ring,
    Kind.DECLINE: _decline,
    Kind.MACHINE: _machine,
}

_STAGES: dict[Stage, _Handler] = {
    Stage.IDENTITY: _at_identity,
    Stage.NUMBER_CHECK: _at_number_check,
    Stage.OFFER: _at_offer,
    Stage.READ_BACK: _at_read_back,
    Stage.CALL_BACK: _at_call_back,
    Stage.FINDING: _in_between,
    Stage.BOOKING: _in_between,
}
