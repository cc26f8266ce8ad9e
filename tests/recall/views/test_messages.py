"""The log of messages: what it shows, how it is narrowed, and the words for what went wrong."""

import pytest
from django.test import Client

from practices.models import Practice
from recall.models import Attempt, AttemptState, Channel, Outcome, Purpose
from sightsync.lib import clock
from tests import engine
from tests.working_day import WorkingDay

pytestmark = pytest.mark.django_db


def message(
    practice: Practice,
    channel: Channel,
    purpose: Purpose,
    *,
    name: str = "Ada",
    number: str = "+447700900061",
    **fields: object,
) -> Attempt:
    patient = engine.patient(practice, number, email=f"{name}@example.org", first_name=name)
    return Attempt.objects.create(
        practice=practice,
        patient=patient,
        channel=channel,
        purpose=purpose,
        due_at=clock.now(),
        created_at=clock.now(),
        **fields,
    )


@pytest.fixture
def three(practice: Practice) -> None:
    message(
        practice,
        Channel.SMS,
        Purpose.CONFIRMATION,
        name="Ada",
        state=AttemptState.DONE,
        outcome=Outcome.DELIVERED,
        submitted_at=clock.now(),
    )
    message(
        practice,
        Channel.WHATSAPP,
        Purpose.RECALL,
        name="Grace",
        number="+447700900062",
        state=AttemptState.FAILED,
        outcome=Outcome.UNDELIVERED,
        error_code="63024",
        reason="not_delivered",
    )
    message(
        practice,
        Channel.EMAIL,
        Purpose.REMINDER,
        name="Edith",
        number="+447700900063",
        state=AttemptState.CANCELLED,
        reason="appointment_moved",
    )


def names_on(client: Client, query: str) -> set[str]:
    page = client.get(f"/messages{query}").content.decode()
    return {name for name in ("Ada", "Grace", "Edith") if name in page}


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", {"Ada", "Grace", "Edith"}),
        ("?channel=sms", {"Ada"}),
        ("?kind=reminder", {"Edith"}),
        ("?delivery=delivered", {"Ada"}),
        ("?delivery=failed", {"Grace"}),
        ("?delivery=cancelled", {"Edith"}),
        ("?q=grace", {"Grace"}),
        ("?q=07700900061", {"Ada"}),
        ("?q=07700 900061", {"Ada"}),
        ("?q=%2B44 7700 900062", {"Grace"}),
        ("?q=ada lovelace", set()),
        ("?day=2026-11-18", {"Ada", "Grace", "Edith"}),
        ("?day=2026-11-17", set()),
        ("?channel=pigeon&delivery=perhaps&day=soon", {"Ada", "Grace", "Edith"}),
    ],
)
def test_the_log_is_narrowed(owner: Client, three: None, query: str, shown: set[str]) -> None:
    assert names_on(owner, query) == shown


def test_each_row_says_what_it_was_and_why_it_failed(owner: Client, three: None) -> None:
    page = owner.get("/messages").content.decode()
    for words in (
        "Booking confirmation",
        "Delivered",
        "Not delivered",
        "The number is not on WhatsApp",
        "The appointment was moved before it went",
    ):
        assert words in page


def test_a_call_is_no_message(owner: Client, day: WorkingDay) -> None:
    assert "No messages yet" in owner.get("/messages").content.decode()


def test_the_number_of_queries_does_not_grow(
    owner: Client, practice: Practice, django_assert_max_num_queries
) -> None:
    for number in range(12):
        message(
            practice, Channel.SMS, Purpose.REMINDER, name="Ada", number=f"+4477009000{number:02d}"
        )
    with django_assert_max_num_queries(8):
        owner.get("/messages")
