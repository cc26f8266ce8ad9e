"""Every sentence a patient may be sent: two segments, plain letters, no promotion, no condition."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practices.models import Practice
from recall.messages import linter, recall_letters, sms_length, texts, wordings
from recall.messages.recall_letters import Recipient
from recall.messages.texts import Links, Sender
from recall.models import Text

NOW = datetime(2026, 11, 18, 10, 4, tzinfo=UTC)
TUESDAY = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
LONGEST_DATE = datetime(2026, 9, 23, 11, 30, tzinfo=UTC)  # Wednesday 23 September at 12:30pm
ACUITY = Sender("Acuity Opticians", "+441184960000")


def links(base: str = "https://app.sightsync.example") -> Links:
    token = "x" * 43
    return Links(f"{base}/b/{token}", f"{base}/o/{token}", f"{base}/c/{token}.ics")


def every_sms(sender=ACUITY, first_name="Jane", starts_at=TUESDAY, found=None, now=NOW):
    found = found or links()
    return {
        "recall": texts.sms_recall(sender=sender, first_name=first_name, links=found),
        "confirmation": texts.sms_confirmation(sender=sender, starts_at=starts_at, links=found),
        "reminder": texts.sms_reminder(sender=sender, starts_at=starts_at, now=now),
        "cancellation": texts.sms_cancellation(sender=sender, starts_at=starts_at, links=found),
    }


def test_the_confirmation_has_date_time_practice_calendar_file_and_opt_out():
    text = every_sms()["confirmation"]
    token = "x" * 43
    assert text == (
        "Acuity Opticians: you are booked for Tuesday 24 November at 2:30pm.\n"
        f"Save it: https://app.sightsync.example/c/{token}.ics\n"
        "To change it, ring 0118 496 0000.\n"
        f"Stop messages: https://app.sightsync.example/o/{token} or reply STOP"
    )


def test_the_reminder_has_the_time_and_the_practices_phone_in_one_segment():
    text = texts.sms_reminder(sender=ACUITY, starts_at=TUESDAY, now=TUESDAY - timedelta(hours=24))
    assert text == (
        "Acuity Opticians: your appointment is tomorrow, Tuesday 24 November at 2:30pm. "
        "Reply YES if you will come. To change it, ring 0118 496 0000. Reply STOP to stop messages."
    )
    assert sms_length.segments(text) <= 2


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ("2026-11-24T00:10:00+00:00", "today, Tuesday 24 November"),
        ("2026-11-23T23:59:00+00:00", "tomorrow, Tuesday 24 November"),
        ("2026-11-22T12:00:00+00:00", "on Tuesday 24 November"),
    ],
)
def test_near_days_are_said_as_people_say_them(now, words):
    assert texts.near_day(TUESDAY, datetime.fromisoformat(now)) == words


def test_times_are_londons_in_summer_too():
    july = datetime(2026, 7, 7, 13, 30, tzinfo=UTC)
    assert (texts.day(july), texts.time_of_day(july)) == ("Tuesday 7 July", "2:30pm")


@pytest.mark.parametrize("text", every_sms().values(), ids=every_sms().keys())
def test_the_practice_comes_first_and_how_to_stop_is_said(text):
    assert text.startswith("Acuity Opticians: ")
    assert "STOP" in text or "/o/" in text


NAMES = [
    "A",
    "Acuity Opticians",
    "The Eye Place " * 8,
    "Ω眼科",
    "€{}[]~|^\\" * 12,
    "Müller’s – Optik",
]
BASES = [
    "http://127.0.0.1:8000",
    "https://app.sightsync.example",
    "https://recall.a-long-name.co.uk",
]


@pytest.mark.parametrize(("name", "base"), list(itertools.product(NAMES, BASES)))
def test_no_sms_is_longer_than_two_segments(name, base):
    sender = Sender(name[:120], "+441184960000", "eye examination")
    found = every_sms(sender, "Wilhelmina-Alexandrina", LONGEST_DATE, links(base))
    for kind, text in found.items():
        assert sms_length.is_gsm7(text), kind
        assert sms_length.segments(text) <= 2, (kind, len(text), text)


@given(
    name=st.text(min_size=1, max_size=120),
    first_name=st.text(max_size=80),
    examination=st.text(min_size=1, max_size=40),
    minutes=st.integers(0, 60 * 24 * 800),
)
def test_whatever_the_names_an_sms_fits(name, first_name, examination, minutes):
    sender = Sender(name, "+441184960000", examination)
    for text in every_sms(sender, first_name, NOW + timedelta(minutes=minutes)).values():
        assert sms_length.is_gsm7(text)
        assert sms_length.segments(text) <= 2


def test_links_are_never_cut():
    for text in every_sms(Sender("The Eye Place " * 8, "+441184960000")).values():
        for link in (part for part in text.split() if part.startswith("http")):
            assert link in (
                links().booking,
                links().opt_out,
                links().calendar,
                links().booking + ".",
            )


def test_a_practice_without_a_phone_names_none():
    for text in every_sms(Sender("Acuity Opticians")).values():
        assert "ring" not in text


def test_whatsapp_says_the_same_in_a_template_and_in_free_text():
    values = texts.whatsapp_variables(sender=ACUITY, first_name="Jane", links=links())
    assert list(values) == ["1", "2", "3", "4", "5"]
    practice = Practice(name=ACUITY.name, phone_number=ACUITY.phone_number)
    jane = Recipient("Jane", links().booking, links().opt_out)
    standard = wordings.RULES[Text.WHATSAPP_RECALL].default
    text = recall_letters.whatsapp_text(practice, jane, own=standard)
    template = texts.WHATSAPP_RECALL_TEMPLATE
    for number, value in values.items():
        template = template.replace(f"{{{{{number}}}}}", value)
    assert text == template
    assert text.startswith("Hello Jane, this is Acuity Opticians, 0118 496 0000.")
    assert links().booking in text
    assert links().opt_out in text
    assert "{{" not in text


def test_no_whatsapp_variable_is_blank_or_has_a_line_break():
    sender = Sender("Acuity\nOpticians", "", " ")
    values = texts.whatsapp_variables(sender=sender, first_name="", links=links())
    assert all(value and "\n" not in value for value in values.values())


@pytest.mark.parametrize(
    ("hours", "open_"), [(None, False), (0, True), (23.99, True), (24, False), (30, False)]
)
def test_free_text_goes_within_24_hours_of_the_patients_last_message(hours, open_):
    last = None if hours is None else NOW - timedelta(hours=hours)
    assert texts.is_within_window(last, NOW) is open_


@pytest.mark.parametrize("text", [*every_sms().values(), texts.WHATSAPP_RECALL_TEMPLATE])
def test_our_words_pass_our_own_linter(text):
    assert linter.marked(text) == []
