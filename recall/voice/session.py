"""One call, turn by turn: the engine between the carrier's requests and our rows.

A turn is answered once. Its number is in the address that the carrier posts to, and the last answer
is kept, so a repeated request changes nothing and hears the same. What was said is written down
before it is answered. The model is asked before any lock is taken.
"""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import transaction

from integrations.twilio import payloads
from practices.journal import Actor
from recall.attempts import callbacks, carriers, moves, outcomes
from recall.models import Attempt, Outcome, TaskKind
from recall.voice import (
    acts,
    call_facts,
    dialogue,
    memory,
    safety,
    script,
    twiml,
    understanding,
)
from recall.voice.conversation import Kind, Meaning, Step, Utterance
from recall.voice.words import bare, plain
from sightsync.lib import clock

logger = logging.getLogger(__name__)

OPT_OUT_KEY = "9"
CALL = Actor.system("call")


class CallGoneError(Exception):
    """There is no such call any more."""


def begin(*, attempt: Attempt, sid: str) -> str:
    """The first words, as TwiML. Raises `callbacks.NotOursError` for another call's id."""
    callbacks.proven(attempt.pk, sid)
    with transaction.atomic():
        current = _lock(attempt)
        kept = memory.read(current)
        if kept is not None:
            return kept.answer
        facts = call_facts.of(current)
        step = dialogue.start(facts) if _may_talk(current) else dialogue.not_now(facts)
        return _answer(current, 0, step)


def turn(*, attempt: Attempt, number: int, heard: payloads.Turn) -> str:
    """The answer to turn `number` (from 1), as TwiML."""
    callbacks.proven(attempt.pk, heard.sid)
    attempt.refresh_from_db(fields=["dialogue", "answered_by"])
    kept = memory.read(attempt)
    if kept is None:
        return begin(attempt=attempt, sid=heard.sid)
    if number <= kept.number:
        return kept.answer
    utterance = Utterance(heard.speech, heard.digits, heard.confidence)
    meaning = _understand(attempt, kept, utterance)
    with transaction.atomic():
        current = _lock(attempt)
        kept = memory.read(current)
        if kept is None or number <= kept.number:
            return kept.answer if kept else ""
        memory.note_heard(current, utterance, meaning)
        step = _next(current, kept, utterance, meaning)
        return _answer(current, number, step)


def machine_heard(*, attempt: Attempt, report: payloads.AnsweredBy) -> None:
    """What machine detection reports, beside the talk. A voice that answered us is a person's."""
    callbacks.proven(attempt.pk, report.sid)
    with transaction.atomic():
        current = _lock(attempt)
        word = "human" if memory.has_heard_a_person(current) else report.word
        current.answered_by = word[:20]
        current.save(update_fields=["answered_by"])


def broken(*, attempt: Attempt, heard: payloads.Turn, number: int) -> str:
    """The answer when ours failed: who called and how to stop the calls. An opt-out in the request
    that failed is not lost.
    """
    try:
        if _wants_no_more(heard):
            return _opt_out_now(attempt)
        _note_broken(attempt)
    except Exception:
        # The outermost handler already runs: whatever else breaks, the person hears who rang.
        logger.exception("a broken call could not be noted", extra={"attempt": attempt.pk})
    facts = call_facts.of(attempt)
    return twiml.failure(facts, f"{_address(attempt, number)}&broken=1")


def after_broken(*, attempt: Attempt, heard: payloads.Turn) -> str:
    """The answer to the one key that a broken call still takes."""
    if _wants_no_more(heard):
        return _opt_out_now(attempt)
    return twiml.closing(script.name_and_number(call_facts.of(attempt)))


def _opt_out_now(attempt: Attempt) -> str:
    with transaction.atomic():
        outcomes.record(
            attempt=attempt,
            outcome=Outcome.OPTED_OUT,
            actor=CALL,
            facts={"summary": "Asked not to be contacted again."},
        )
    return twiml.closing(script.opted_out(call_facts.of(attempt)))


def _lock(attempt: Attempt) -> Attempt:
    current = moves.lock(attempt.pk)
    if current is None:
        raise CallGoneError
    return current


def _may_talk(attempt: Attempt) -> bool:
    """Whether the patient may still be spoken to: an opt-out may have overtaken the ringing."""
    patient = attempt.patient
    return not (
        patient.opted_out
        or "voice" in patient.opted_out_channels
        or patient.deceased_at
        or patient.erased_at
    )


def _understand(attempt: Attempt, kept: memory.Memory, utterance: Utterance) -> Meaning:
    facts, now = call_facts.of(attempt), clock.now()
    by_rules = understanding.understand(utterance, state=kept.state, facts=facts, now=now)
    if utterance.digits or utterance.is_silence():
        return by_rules
    if not settings.LLM_MODEL:
        return by_rules
    # The libraries of language models take seconds to load: nobody waits for them without a model.
    from recall.voice import llm_understanding

    return llm_understanding.improve(by_rules, utterance, state=kept.state, facts=facts, now=now)


def _next(attempt: Attempt, kept: memory.Memory, utterance: Utterance, meaning: Meaning) -> Step:
    facts = call_facts.of(attempt)
    if utterance.is_silence() and _is_machine(attempt):
        step = dialogue.machine(kept.state, facts)
    else:
        step = dialogue.hear(kept.state, facts, utterance, meaning)
        _note_person(attempt, utterance, meaning)
    return acts.perform(attempt=attempt, facts=facts, step=step)


def _is_machine(attempt: Attempt) -> bool:
    found = payloads.AnsweredBy(sid="", word=attempt.answered_by)
    return found.is_machine and not memory.has_heard_a_person(attempt)


def _note_person(attempt: Attempt, utterance: Utterance, meaning: Meaning) -> None:
    if utterance.is_silence() or meaning.kind is Kind.MACHINE or attempt.answered_by == "human":
        return
    attempt.answered_by = "human"
    attempt.save(update_fields=["answered_by"])


def _answer(attempt: Attempt, number: int, step: Step) -> str:
    answer = twiml.render(step, _address(attempt, number + 1))
    memory.note_said(attempt, step.say)
    memory.write(attempt, number, step, answer)
    return answer


def _address(attempt: Attempt, number: int) -> str:
    return f"{carriers.address(attempt, 'turn')}?n={number}"


def _wants_no_more(heard: payloads.Turn) -> bool:
    return OPT_OUT_KEY in heard.digits or safety.is_opt_out(bare(plain(heard.speech)))


def _note_broken(attempt: Attempt) -> None:
    with transaction.atomic():
        outcomes.record(
            attempt=attempt,
            outcome=Outcome.ANSWERED,
            actor=CALL,
            facts={
                "summary": "The call broke off. They heard who called and how to opt out.",
                "task": TaskKind.CALL_FAILED,
            },
        )
