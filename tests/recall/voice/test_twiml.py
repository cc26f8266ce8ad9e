"""Steps as TwiML: how it listens, and that it never ends in silence."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from recall.voice import dialogue, twiml
from tests.recall.voice.test_dialogue import FACTS, SLOTS, YES, key, talk

ACTION = "https://example.org/hooks/twilio/voice/c_1/turn?n=1&x=2"


def test_a_question_listens_for_speech_and_keys_and_is_always_followed_up() -> None:
    root = ElementTree.fromstring(twiml.render(dialogue.start(FACTS, SLOTS), ACTION))
    gather = root.find("Gather")
    assert gather is not None
    assert gather.attrib["input"] == "speech dtmf"
    assert gather.attrib["action"] == ACTION
    assert gather.attrib["actionOnEmptyResult"] == "true"
    assert gather.attrib["speechTimeout"] == "auto"
    assert gather.attrib["bargeIn"] == "true"
    assert gather.attrib["language"] == "en-GB"
    assert [child.tag for child in root] == ["Gather", "Redirect"]


def test_the_offer_tells_the_recogniser_its_days_and_times() -> None:
    hints = ElementTree.fromstring(twiml.render(talk(YES)[-1], ACTION))[0].attrib["hints"]
    assert "Tuesday 24 November" in hints
    assert "2:30pm" in hints


def test_the_end_hangs_up() -> None:
    root = ElementTree.fromstring(twiml.render(talk(key("9"))[-1], ACTION))
    assert [child.tag for child in root] == ["Say", "Hangup"]


@pytest.mark.parametrize("write", [twiml.failure, twiml.inbound])
def test_the_emergency_words_take_one_key_and_hang_up(write) -> None:
    root = ElementTree.fromstring(write(FACTS, ACTION))
    assert [child.tag for child in root] == ["Gather", "Hangup"]
    assert root[0].attrib["input"] == "dtmf"


def test_a_practices_name_cannot_break_the_markup() -> None:
    facts = replace(FACTS, practice_name="Eyes & <Hangup/> Co")
    root = ElementTree.fromstring(twiml.voicemail(facts))
    assert "Eyes & <Hangup/> Co" in (root[0].text or "")
