"""Words that make a service message marketing, or tell of somebody's health."""

import json
from pathlib import Path

import pytest

from recall.messages import linter
from recall.messages.linter import Fault

CASES = json.loads((Path(__file__).parents[2] / "data" / "message_words.json").read_text())


@pytest.mark.parametrize("text", CASES["promotion"])
def test_promotion_is_marked(text):
    assert Fault.PROMOTION in {found.fault for found in linter.marked(text)}


@pytest.mark.parametrize("text", CASES["condition"])
def test_a_condition_is_marked(text):
    assert Fault.CONDITION in {found.fault for found in linter.marked(text)}


@pytest.mark.parametrize("text", CASES["fine"])
def test_plain_service_words_are_not(text):
    assert linter.marked(text) == []


def test_a_marked_word_says_where_it_stands():
    (found,) = linter.marked("Come for your glaucoma check")
    assert (found.word, found.start, found.end) == ("glaucoma", 14, 22)
