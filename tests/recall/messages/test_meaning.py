"""A table of what patients write (tests/data/inbound_messages.json)."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recall.messages import meaning
from recall.messages.meaning import Meaning

CASES = json.loads((Path(__file__).parents[2] / "data" / "inbound_messages.json").read_text())


@pytest.mark.parametrize(
    ("body", "expected"),
    [(body, Meaning(name)) for name, bodies in CASES.items() for body in bodies],
)
def test_a_message_means(body, expected):
    assert meaning.of(body) is expected


NOISE = st.text(alphabet=" \t\n.,!?-*_\"'\u200b\u200e\u200f\u2069\ufe0f🛑🙏", max_size=6)


@given(
    word=st.sampled_from(sorted(meaning.CARRIER_STOP)), before=NOISE, after=NOISE, data=st.data()
)
def test_every_word_that_the_carrier_takes_for_stop_is_stop_in_any_case_and_noise(
    word, before, after, data
):
    mixed = "".join(data.draw(st.sampled_from([c.lower(), c.upper()])) for c in word)
    assert meaning.of(before + mixed + after) is Meaning.STOP


@given(st.text(max_size=200))
def test_any_text_has_a_meaning(body):
    assert meaning.of(body) in Meaning


def test_a_long_text_is_read_in_a_blink():
    assert meaning.of("please do not stop " * 400) in Meaning
