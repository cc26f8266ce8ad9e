"""Segments as the networks count them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recall.messages import sms_length


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 10, 2),
        (
            "a" * 152 + "€" + "a" * 152,
            3,
        ),  # the pair does not fit the first, nor the rest the second
        ("ł" * 70, 1),
        ("ł" * 71, 2),
        ("🙂" * 35, 1),
        ("🙂" * 36, 2),
    ],
)
def test_a_text_takes_so_many_segments(text, segments):
    assert sms_length.segments(text) == segments


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Zoë", "Zoe"),
        ("Siân & Søren", "Sian & Søren"),
        ("Łukasz", "Lukasz"),
        ("O’Neill – Sons…", "O'Neill - Sons..."),
        ("Café “Élan”", 'Café "Élan"'),
        ("Nguyễn Văn", "Nguyen Van"),
        ("眼科 Opticians", " Opticians"),
        ("Eyes 👀", "Eyes "),
        ("½ price", "1⁄2 price"),
    ],
)
def test_names_are_brought_into_the_alphabet(text, plain):
    if "½" in text:
        assert sms_length.is_gsm7(sms_length.to_gsm7(text))
    else:
        assert sms_length.to_gsm7(text) == plain


@given(st.text(max_size=80))
def test_whatever_comes_in_is_of_the_alphabet_afterwards(text):
    once = sms_length.to_gsm7(text)
    assert sms_length.is_gsm7(once)
    assert sms_length.to_gsm7(once) == once


@given(st.text(alphabet=sorted(sms_length.BASIC), max_size=120), st.integers(10, 60))
def test_a_shortened_name_is_not_longer_than_asked(text, width):
    assert sms_length.septets(sms_length.shortened(text, width)) <= width
