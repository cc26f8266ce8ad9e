"""What is kept of a running call: the dialogue's state, the last answer given, and the transcript.

The state and the answer hold the patient's first name, so they are sealed (encrypted); what the
product asks about a call later stays readable beside them as codes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from recall.models import Attempt, CallTurn
from recall.voice.conversation import Meaning, State, Step, Utterance
from sightsync.lib import clock, crypto


@dataclass(frozen=True, slots=True)
class Memory:
    """`number` counts the answers given; `answer` is the last one, ready to be given again."""

    number: int
    state: State
    answer: str


def read(attempt: Attempt) -> Memory | None:
    """What the call remembers; None before its first words."""
    kept = attempt.dialogue
    if "sealed" not in kept:
        return None
    sealed = json.loads(crypto.decrypt(kept["sealed"]))
    return Memory(
        number=kept["turn"], state=State.from_json(sealed["state"]), answer=sealed["answer"]
    )


def write(attempt: Attempt, number: int, step: Step, answer: str) -> None:
    """Keep the step before it is answered with; inside the transaction that holds the lock."""
    state = step.state
    sealed = json.dumps({"state": state.to_json(), "answer": answer})
    reasons = [intent.reason for intent in step.intents if intent.reason]
    attempt.dialogue = {
        "turn": number,
        "sealed": crypto.encrypt(sealed),
        "stage": state.stage.value,
        "identity_confirmed": state.identity_confirmed,
        "recording_declined": state.recording_declined,
        "reason": reasons[-1] if reasons else attempt.dialogue.get("reason", ""),
    }
    attempt.save(update_fields=["dialogue"])


def note_heard(attempt: Attempt, utterance: Utterance, meaning: Meaning) -> None:
    """A line of the patient's; silence leaves none."""
    if utterance.is_silence():
        return
    _note(
        attempt,
        CallTurn(
            speaker="patient",
            text=utterance.speech,
            digits=utterance.digits[:8],
            confidence=utterance.confidence,
            intent="" if utterance.digits else meaning.kind.value,
        ),
    )


def note_said(attempt: Attempt, words: tuple[str, ...]) -> None:
    if words:
        _note(attempt, CallTurn(speaker="assistant", text=" ".join(words)))


def has_heard_a_person(attempt: Attempt) -> bool:
    """Whether anything was said or pressed on this call that no machine says."""
    lines = CallTurn.objects.filter(attempt=attempt, speaker="patient")
    return lines.exclude(intent="machine").exists()


def _note(attempt: Attempt, line: CallTurn) -> None:
    line.practice_id = attempt.practice_id
    line.attempt = attempt
    line.number = CallTurn.objects.filter(attempt=attempt).count() + 1
    line.at = clock.now()
    line.save(force_insert=True)
