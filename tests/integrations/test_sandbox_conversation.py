"""What a sandbox patient makes of what it hears, without any line."""

import pytest

from integrations.sandbox.conversation import Patient, cue_in
from integrations.sandbox.personas import PERSONAS, persona_for


@pytest.mark.parametrize(
    ("heard", "cue"),
    [
        ("Hello. Am I speaking with Tom? Press 1 for yes.", "identity"),
        ("am i speaking to the parent or guardian of Mia?", "identity"),
        ("Sorry, that time has gone. I can offer: press 1 for Monday.", "offer"),
        ("I can offer... That is Monday at 9am. Shall I book it?", "read_back"),
        ("When should we call you back?", "call_back"),
        ("Which day would suit you?", "which_day"),
        ("Thank you. You are booked for Monday.", "booked"),
        ("We will not call you again. Goodbye.", "opted_out"),
        ("Would you like to hear more?", "other"),
        ("", "other"),
    ],
)
def test_the_question_heard_last_counts(heard: str, cue: str) -> None:
    assert cue_in(heard) == cue


def test_a_question_asked_again_and_again_is_answered_by_keypad() -> None:
    patient = Patient(PERSONAS["01"])
    replies = [patient.reply("Am I speaking with Tom?") for _ in range(4)]
    assert [(reply.say, reply.keys) for reply in replies] == [
        ("Yes, speaking.", ""),
        ("Yes, speaking.", ""),
        ("", "1"),
        ("", "1"),
    ]


def test_another_question_starts_the_patience_anew() -> None:
    patient = Patient(PERSONAS["01"])
    for _ in range(2):
        patient.reply("Am I speaking with Tom?")
    assert patient.reply("Shall I book it?").say == "Yes please."
    assert patient.reply("Am I speaking with Tom?").say == "Yes, speaking."


def test_nobody_speaks_where_only_keys_are_taken() -> None:
    reply = Patient(PERSONAS["03"]).reply("I can offer: press 1", takes_speech=False)
    assert (reply.say, reply.keys) == ("", "")


@pytest.mark.parametrize("ending", [f"{number:02d}" for number in range(1, 22)])
def test_the_last_two_digits_name_the_persona(ending: str) -> None:
    assert persona_for(f"+4477009003{ending}").code == ending


def test_other_numbers_are_a_mix_without_the_rare_ones() -> None:
    codes = {persona_for(f"+447700900{number:03d}").code for number in range(122, 200)}
    assert {"01", "06", "07"} <= codes
    assert not codes & {"11", "13", "14", "15", "18", "19", "20", "21"}
