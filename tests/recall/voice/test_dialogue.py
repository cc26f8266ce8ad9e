"""The dialogue as conversations: what is heard, what is said, what is asked of the world."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from recall.voice import dialogue, script
from recall.voice.conversation import (
    CallFacts,
    Flag,
    IntentKind,
    Kind,
    Meaning,
    OfferedSlot,
    Stage,
    State,
    Step,
    Utterance,
    Window,
    Wish,
)

FACTS = CallFacts(
    practice_name="Acuity Opticians",
    practice_phone="+441134960123",
    practice_phone_spoken=script.spoken_phone("+441134960123"),
    patient_first_name="Anna",
    reason="a routine eye examination",
    symptom_advice="If your sight has changed suddenly, ring us now, or call 111.",
    recording=True,
)
SLOTS = (
    OfferedSlot("a", datetime(2026, 11, 24, 14, 30, tzinfo=UTC)),
    OfferedSlot("b", datetime(2026, 11, 25, 9, 0, tzinfo=UTC)),
    OfferedSlot("c", datetime(2026, 11, 26, 11, 15, tzinfo=UTC)),
)
TOMORROW = Window(datetime(2026, 11, 24, 12, tzinfo=UTC), datetime(2026, 11, 24, 18, tzinfo=UTC))


def meaning(kind: Kind, **fields: object) -> tuple[Utterance, Meaning]:
    return Utterance(speech="words", confidence=0.9), Meaning(kind, **fields)


def key(digit: str) -> tuple[Utterance, Meaning]:
    return Utterance(digits=digit), Meaning()


SILENCE = (Utterance(), Meaning())
MUMBLE = (Utterance(speech="mmm", confidence=0.2), Meaning(Kind.YES))
YES = meaning(Kind.YES)
NO = meaning(Kind.NO)


def talk(*heard: tuple[Utterance, Meaning], facts: CallFacts = FACTS) -> list[Step]:
    """Play the answers in order; slots are found and bookings succeed at once."""
    steps = [dialogue.start(facts, SLOTS)]
    for utterance, meant in heard:
        state = State.from_json(json.loads(json.dumps(steps[-1].state.to_json())))
        assert state == steps[-1].state
        steps.append(dialogue.hear(state, facts, utterance, meant))
    return steps


def asked(steps: list[Step]) -> list[str]:
    """Every intent of the talk, in order, with its reason."""
    intents = [intent for step in steps for intent in step.intents]
    return [f"{i.kind}:{i.reason}" if i.reason else str(i.kind) for i in intents]


def test_the_first_sentence_names_the_practice_and_the_machine() -> None:
    first = dialogue.start(FACTS, SLOTS).say[0]
    assert "Acuity Opticians" in first
    assert "automated assistant" in first


def test_the_recording_notice_is_said_only_when_recorded() -> None:
    assert "recorded" in " ".join(dialogue.start(FACTS, SLOTS).say)
    quiet = replace(FACTS, recording=False)
    assert "record" not in " ".join(dialogue.start(quiet, SLOTS).say)


CONVERSATIONS = [
    ("books the first", [YES, key("1"), key("1")], ["identity_confirmed", "book"]),
    (
        "books the second by voice",
        [YES, meaning(Kind.CHOOSE, slots=(1,)), YES],
        ["identity_confirmed", "book"],
    ),
    ("declines", [YES, meaning(Kind.DECLINE)], ["identity_confirmed", "declined"]),
    (
        "declines with a reason",
        [YES, meaning(Kind.DECLINE, reason="cost")],
        ["identity_confirmed", "declined:cost"],
    ),
    ("says no to the offer", [YES, NO], ["identity_confirmed", "declined"]),
    ("refuses before saying who", [meaning(Kind.DECLINE)], ["no_decision:refused_unidentified"]),
    ("presses 9 first", [key("9")], ["opt_out"]),
    ("presses 9 at the offer", [YES, key("9")], ["identity_confirmed", "opt_out"]),
    ("presses 0", [key("0")], ["needs_staff:asked"]),
    ("other days by key", [YES, key("4")], ["identity_confirmed", "find_slots"]),
    ("is nobody of that name", [meaning(Kind.WRONG_PERSON)], ["wrong_person"]),
    ("says no twice", [NO, NO], ["wrong_person"]),
    ("says no and nothing more", [NO, SILENCE, SILENCE, SILENCE], ["wrong_person"]),
    ("is somebody else there", [NO, YES], ["no_decision:someone_else"]),
    ("is the patient's mother", [meaning(Kind.SOMEONE_ELSE)], ["no_decision:someone_else"]),
    (
        "is the mother who said yes too soon",
        [YES, meaning(Kind.SOMEONE_ELSE)],
        ["identity_confirmed", "no_decision:someone_else"],
    ),
    ("fetches her", [meaning(Kind.HOLD), YES], ["identity_confirmed"]),
    ("asks for tomorrow", [meaning(Kind.CALL_BACK, window=TOMORROW)], ["call_back"]),
    (
        "is asked when",
        [YES, meaning(Kind.CALL_BACK), meaning(Kind.CALL_BACK, window=TOMORROW)],
        ["identity_confirmed", "call_back"],
    ),
    (
        "never says when",
        [YES, meaning(Kind.CALL_BACK), meaning(Kind.UNCLEAR), meaning(Kind.UNCLEAR)],
        ["identity_confirmed", "call_back"],
    ),
    ("says nothing", [SILENCE, SILENCE, SILENCE], ["no_decision:silence"]),
    ("mumbles, then keys", [MUMBLE, key("1"), MUMBLE, key("2")], ["identity_confirmed"]),
    ("mumbles on", [MUMBLE, MUMBLE, MUMBLE], ["no_decision:unclear"]),
    ("is booked already", [YES, meaning(Kind.ALREADY_BOOKED)],
     ["identity_confirmed", "needs_staff:says_booked"]),
    ("chooses what was not offered", [YES, meaning(Kind.CHOOSE, slots=(7,))],
     ["identity_confirmed"]),
    ("takes it back", [YES, key("1"), key("2"), key("3"), key("1")],
     ["identity_confirmed", "book"]),
]  # fmt: skip


@pytest.mark.parametrize(("_name", "heard", "intents"), CONVERSATIONS, ids=lambda v: str(v)[:30])
def test_a_conversation_asks_for_exactly_this(
    _name: str, heard: list[tuple[Utterance, Meaning]], intents: list[str]
) -> None:
    assert asked(talk(*heard)) == intents


FLAGGED = [
    ({Flag.OPT_OUT}, ["opt_out"]),
    ({Flag.SYMPTOMS}, ["symptoms"]),
    ({Flag.SYMPTOMS, Flag.OPT_OUT}, ["opt_out", "symptoms"]),
    ({Flag.DECEASED}, ["deceased"]),
    ({Flag.DECEASED, Flag.OPT_OUT}, ["opt_out", "deceased"]),
    ({Flag.DECEASED, Flag.SYMPTOMS}, ["deceased"]),
    ({Flag.DECEASED, Flag.BEREAVED}, ["deceased"]),
]


@pytest.mark.parametrize(("flags", "intents"), FLAGGED)
@pytest.mark.parametrize("confidence", [0.1, 0.9, None])
def test_what_safety_demands_ends_the_call_at_once(
    flags: set[Flag], intents: list[str], confidence: float | None
) -> None:
    said = Utterance(speech="words", confidence=confidence)
    last = talk((said, Meaning(Kind.YES, flags=frozenset(flags))))[-1]
    assert asked([last]) == intents
    assert last.hang_up


def test_a_symptom_at_the_read_back_books_nothing_and_gives_the_practices_advice() -> None:
    said = (Utterance(speech="words"), Meaning(Kind.YES, flags=frozenset({Flag.SYMPTOMS})))
    last = talk(YES, key("1"), said)[-1]
    assert FACTS.symptom_advice in last.say
    assert asked([last]) == ["symptoms"]


def test_a_patient_who_speaks_of_another_death_is_left_in_peace_and_not_marked_dead() -> None:
    flags = frozenset({Flag.DECEASED, Flag.BEREAVED})
    steps = talk(YES, (Utterance(speech="my husband died"), Meaning(flags=flags)))
    assert asked(steps) == ["identity_confirmed", "needs_staff:bereaved"]
    assert "sorry for your loss" in " ".join(steps[-1].say)


def test_no_recording_is_noted_and_the_question_stays_open() -> None:
    flags = frozenset({Flag.NO_RECORDING})
    step = talk((Utterance(speech="no recording"), Meaning(Kind.UNCLEAR, flags=flags)))[-1]
    assert asked([step]) == ["recording_declined"]
    assert step.state.stage is Stage.IDENTITY
    assert "Am I speaking with Anna?" in step.say


def test_a_greeting_confirms_nobody() -> None:
    step = talk(meaning(Kind.GREETING))[-1]
    assert not step.state.identity_confirmed
    assert "Am I speaking with Anna?" in step.say


def test_a_star_repeats_the_open_question() -> None:
    steps = talk(YES, key("*"))
    assert steps[-1].say == steps[-1].state.last_said
    assert "I can offer" in steps[-1].say[0]


def test_the_agreed_words_are_said() -> None:
    steps = talk(YES, key("1"))
    offer = " ".join(steps[1].say)
    assert "I can offer" in offer
    assert "press 1 for Tuesday 24 November at 2:30pm" in offer
    assert "press 3 for Thursday 26 November at 11:15am" in offer
    assert "press 4 for other days" in offer
    assert "Shall I book" in " ".join(steps[2].say)
    assert "You are booked" in " ".join(dialogue.booked(steps[2].state, FACTS, SLOTS[0]).say)
    assert "We will not call you again" in " ".join(talk(key("9"))[-1].say)
    assert "When should we call" in " ".join(talk(meaning(Kind.CALL_BACK))[-1].say)


def test_a_guardian_is_asked_for_as_a_guardian() -> None:
    facts = replace(FACTS, contact_is_guardian=True, patient_first_name="Tom")
    steps = talk(YES, facts=facts)
    assert "Am I speaking to the parent or guardian of Tom?" in steps[0].say
    assert "Tom is due a routine eye examination." in " ".join(steps[1].say)


def test_days_with_several_times_are_narrowed_to_those_times() -> None:
    steps = talk(YES, meaning(Kind.CHOOSE, slots=(1, 2)))
    assert steps[-1].state.offered == SLOTS[1:]
    assert steps[-1].state.stage is Stage.OFFER


def test_a_taken_slot_leads_to_the_next_ones() -> None:
    steps = talk(YES, key("1"), key("1"))
    later = OfferedSlot("z", SLOTS[0].starts_at + timedelta(days=7))
    step = dialogue.slot_taken(steps[-1].state, FACTS, [later])
    assert step.state.offered == (later,)
    assert "just been taken" in step.say[0]


def test_nothing_free_at_all_goes_to_staff() -> None:
    state = talk(YES, key("1"), key("1"))[-1].state
    assert asked([dialogue.slot_taken(state, FACTS, [])]) == ["needs_staff:no_free_times"]


def test_a_search_that_misses_says_so_and_offers_what_there_is() -> None:
    state = talk(YES, meaning(Kind.OTHER_TIMES, wish=Wish(weekdays=(0,))))[-1].state
    step = dialogue.offer(state, FACTS, SLOTS, as_wished=False)
    assert step.say[0] == script.nothing_then()[0]
    assert step.state.offered == SLOTS


def test_other_days_without_a_wish_means_after_the_last_offered_day() -> None:
    step = talk(YES, key("4"))[-1]
    assert step.intents[0].wish == Wish(from_date=date(2026, 11, 27))


def test_a_call_back_in_the_evening_is_answered_with_our_hours() -> None:
    evening = Window(datetime(2026, 11, 24, 19, tzinfo=UTC), datetime(2026, 11, 24, 21, tzinfo=UTC))
    step = talk(meaning(Kind.CALL_BACK, window=evening))[-1]
    assert "between 9am and 6pm" in " ".join(step.say)
    assert step.listen


def test_the_call_ends_at_the_turn_cap_even_when_everything_is_a_repeat() -> None:
    steps = talk(*[key("*")] * dialogue.MAX_TURNS)
    assert steps[-1].hang_up
    assert steps[-1].intents[0].kind is IntentKind.NO_DECISION
    assert all(not step.hang_up for step in steps[:-1])


def test_a_booking_agreed_in_the_last_turn_still_counts() -> None:
    repeats = [key("*")] * (dialogue.MAX_TURNS - 3)
    assert asked(talk(YES, key("1"), *repeats, key("1")))[-1] == "book"


def test_nothing_is_said_after_the_end() -> None:
    closed = talk(key("9"))[-1].state
    step = dialogue.hear(closed, FACTS, *YES)
    assert (step.say, step.intents, step.hang_up) == ((), (), True)


def test_slots_are_not_offered_to_somebody_unconfirmed() -> None:
    state = dialogue.start(FACTS, SLOTS).state
    assert dialogue.offer(state, FACTS, SLOTS).hang_up


def test_times_are_said_on_londons_clock() -> None:
    assert script.say_time(datetime(2027, 3, 29, 8, 0, tzinfo=UTC)) == "Monday 29 March at 9am"
    assert script.say_clock(time(12, 5)) == "12:05pm"
    assert script.spoken_phone("+441134960123") == "0 1 1 3, 4 9 6, 0 1 2 3"


def test_the_voicemail_says_the_practice_and_its_number_only() -> None:
    words = " ".join(script.voicemail(FACTS))
    assert FACTS.practice_phone_spoken in words
    assert "Anna" not in words
    assert "due" not in words
    assert "eye" not in words
