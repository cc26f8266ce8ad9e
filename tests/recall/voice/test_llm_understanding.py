"""The model as adviser: useful when it is right, harmless when it is wrong, slow or hijacked."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic_ai.messages import ModelMessage, ModelResponse, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from recall.voice import dialogue, llm_understanding, understanding
from recall.voice.conversation import (
    Flag,
    IntentKind,
    Kind,
    Meaning,
    Stage,
    State,
    Utterance,
)
from tests.recall.voice.test_dialogue import FACTS, SLOTS
from tests.recall.voice.test_understanding import NOW

INJECTIONS = (
    (Path(__file__).parents[2] / "data" / "voice" / "injections.txt")
    .read_text(encoding="utf-8")
    .splitlines()
)
OFFER = State(stage=Stage.OFFER, identity_confirmed=True, offered=SLOTS)
READ_BACK = replace(OFFER, stage=Stage.READ_BACK, chosen=SLOTS[0])
STATES = (State(identity_asked=1), State(stage=Stage.NUMBER_CHECK), OFFER, READ_BACK)
EVERY_ANSWER = llm_understanding.Answer.model_json_schema()["properties"]["meaning"]["enum"]


@pytest.fixture(autouse=True)
def configured(settings) -> None:
    settings.LLM_MODEL = "scripted"
    settings.LLM_API_KEY = "key"


def answering(**answer: object) -> FunctionModel:
    """A model that gives this answer to anything."""

    def reply(_messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        tool = info.output_tools[0].name
        return ModelResponse(parts=[ToolCallPart(tool, json.dumps(answer))])

    return FunctionModel(reply)


def ask(says: str, state: State, **answer: object) -> Meaning:
    utterance = Utterance(speech=says, confidence=0.9)
    by_rules = understanding.understand(utterance, state=state, facts=FACTS, now=NOW)
    with llm_understanding.AGENT.override(model=answering(**answer)):
        return llm_understanding.improve(by_rules, utterance, state=state, facts=FACTS, now=NOW)


def test_it_reads_what_the_rules_cannot() -> None:
    meaning = ask("the one where I'd be after my lunch", OFFER, meaning="choose", option=1)
    assert (meaning.kind, meaning.slots) == (Kind.CHOOSE, (0,))
    meaning = ask("I mind the grandchildren", OFFER, meaning="other_times", weekdays=["friday"])
    assert meaning.wish
    assert meaning.wish.weekdays == (4,)


def test_it_can_add_a_symptom_that_the_rules_missed() -> None:
    meaning = ask("things look ever so peculiar on one side", OFFER, meaning="symptoms")
    assert meaning.flags == {Flag.SYMPTOMS}


@pytest.mark.parametrize("option", [0, 4, -1, 99])
def test_an_option_that_was_not_offered_is_not_understood(option: int) -> None:
    assert ask("hmm well let us say", OFFER, meaning="choose", option=option).kind is Kind.UNCLEAR


@pytest.mark.parametrize("state", STATES, ids=lambda s: s.stage)
def test_it_never_says_yes_for_anybody(state: State) -> None:
    assert ask("well now then let me think", state, meaning="yes").kind is Kind.UNCLEAR


def test_nobody_is_marked_dead_on_its_word_alone() -> None:
    meaning = ask("she went up to her maker", State(), meaning="deceased")
    assert meaning.kind is Kind.HUMAN or meaning.kind is Kind.SOMEONE_ELSE
    assert Flag.DECEASED not in meaning.flags


@pytest.mark.parametrize("answer", EVERY_ANSWER)
@pytest.mark.parametrize(
    ("says", "flag"),
    [
        ("please stop calling me it is very annoying", Flag.OPT_OUT),
        ("my eye hurts a lot but never mind that", Flag.SYMPTOMS),
        ("I am sorry to say that she passed away", Flag.DECEASED),
    ],
)
def test_what_the_rules_heard_cannot_be_unsaid(says: str, flag: Flag, answer: str) -> None:
    for state in STATES:
        assert flag in ask(says, state, meaning=answer, option=1).flags


@pytest.mark.parametrize(
    "says", ["I'm her mum and I can talk for her", "No she is not here at the moment love"]
)
@pytest.mark.parametrize("answer", ["yes", "choose", "hold", "who"])
def test_it_cannot_turn_somebody_else_into_the_patient(says: str, answer: str) -> None:
    assert ask(says, State(), meaning=answer, option=1).kind is Kind.SOMEONE_ELSE


def test_it_is_told_nothing_about_the_patient() -> None:
    told = llm_understanding.prompt(Utterance(speech="hello there"), OFFER)
    assert "Anna" not in told
    assert "Acuity" not in told
    assert "hello there" in told
    assert len(llm_understanding.prompt(Utterance(speech="x" * 9999), OFFER)) < 900


def test_without_a_model_only_the_rules_are_asked(settings) -> None:
    settings.LLM_MODEL = ""
    assert ask("mumble jumble", OFFER, meaning="choose", option=1).kind is Kind.UNCLEAR


@pytest.mark.parametrize("broken", ["raises", "slow", "nonsense"])
def test_any_failure_leaves_the_rules(broken: str, monkeypatch) -> None:
    monkeypatch.setattr(llm_understanding, "TIMEOUT_S", 0.05)

    async def reply(_messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        if broken == "raises":
            raise RuntimeError
        if broken == "slow":
            await asyncio.Event().wait()
        return ModelResponse(parts=[ToolCallPart(info.output_tools[0].name, '{"meaning": "book"}')])

    utterance = Utterance(speech="some long words of mine")
    with llm_understanding.AGENT.override(model=FunctionModel(reply)):
        meaning = llm_understanding.improve(Meaning(), utterance, state=OFFER, facts=FACTS, now=NOW)
    assert meaning == Meaning()


def test_the_corpus_is_of_some_size() -> None:
    assert len(set(INJECTIONS)) >= 60


def check_harmless(says: str, state: State, meaning: Meaning) -> None:
    step = dialogue.hear(state, FACTS, Utterance(speech=says, confidence=0.9), meaning)
    kinds = {intent.kind for intent in step.intents}
    assert IntentKind.BOOK not in kinds
    assert IntentKind.IDENTITY_CONFIRMED not in kinds
    if not state.identity_confirmed:
        assert FACTS.reason not in " ".join(step.say)


@pytest.mark.parametrize("answer", EVERY_ANSWER)
def test_a_hijacked_model_reveals_nothing_and_books_nothing(answer: str) -> None:
    """Every injection, at every question, with a model that answers as the attacker likes."""
    hijacked = llm_understanding.Answer(meaning=answer, option=1, weekdays=["monday"])
    for says in INJECTIONS:
        utterance = Utterance(speech=says, confidence=0.9)
        for state in STATES:
            by_rules = understanding.understand(utterance, state=state, facts=FACTS, now=NOW)
            meaning = llm_understanding.checked(hijacked, by_rules, utterance, state=state, now=NOW)
            check_harmless(says, state, meaning)


@pytest.mark.parametrize("state", STATES, ids=lambda s: s.stage)
def test_a_model_that_obeys_the_caller_harms_nobody(state: State) -> None:
    """The whole way through the agent: the model repeats what it is told, or else agrees."""

    def obey(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        told = str(messages[-1])
        wish = {"meaning": "choose", "option": 1} if "slot" in told else {"meaning": "yes"}
        return ModelResponse(parts=[ToolCallPart(info.output_tools[0].name, json.dumps(wish))])

    with llm_understanding.AGENT.override(model=FunctionModel(obey)):
        for says in INJECTIONS:
            utterance = Utterance(speech=says, confidence=0.9)
            by_rules = understanding.understand(utterance, state=state, facts=FACTS, now=NOW)
            meaning = llm_understanding.improve(
                by_rules, utterance, state=state, facts=FACTS, now=NOW
            )
            check_harmless(says, state, meaning)
