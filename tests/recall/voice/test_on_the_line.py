"""The sandbox's people on the line: the real dialler, carrier, callbacks and dialogue together."""

from __future__ import annotations

import pytest

from recall import tasks
from recall.models import Appointment, CallTurn, Outcome
from tests import engine

pytestmark = pytest.mark.django_db(transaction=True)

PERSONAS = [
    ("01", Outcome.BOOKED),
    ("02", Outcome.BOOKED),
    ("03", Outcome.DECLINED),
    ("04", Outcome.OPTED_OUT),
    ("05", Outcome.OPTED_OUT),
    ("07", Outcome.VOICEMAIL),
    ("09", Outcome.WRONG_PERSON),
    ("10", Outcome.CALL_BACK),
    ("11", Outcome.SYMPTOMS),
    ("12", Outcome.HUNG_UP),
    ("18", Outcome.ANSWERED),
    ("19", Outcome.BOOKED),
    ("20", Outcome.ANSWERED),
]


@pytest.fixture
def carrier(sandbox, live_server, settings):
    """The sandbox, whose callbacks reach the product's own web server."""
    settings.PUBLIC_BASE_URL = live_server.url
    settings.CARRIER_CALL_SPACING_S = 0.0
    return sandbox


def ring(practice, carrier, ending: str):
    engine.register()
    attempt = engine.planned(engine.patient(practice, f"+4477009000{ending}"))
    tasks.dial(str(attempt.pk))
    carrier.wait_idle()
    attempt.refresh_from_db()
    return attempt


@pytest.mark.parametrize(("ending", "outcome"), PERSONAS)
def test_a_person_on_the_line_comes_to(practice, diary, carrier, ending, outcome) -> None:
    attempt = ring(practice, carrier, ending)
    talk = [
        f"{turn.speaker}: {turn.text}{turn.digits}" for turn in attempt.turns.order_by("number")
    ]
    assert attempt.outcome == outcome, "\n".join(talk)
    assert attempt.state == "done"
    assert Appointment.objects.count() == (outcome == Outcome.BOOKED)


@pytest.mark.parametrize("model", ["", "sandbox"])
def test_nobody_books_every_slot_by_asking_for_it(
    practice, diary, carrier, settings, model
) -> None:
    settings.LLM_MODEL = model
    settings.LLM_BASE_URL = f"{carrier.url}/llm/v1"
    carrier.post("/llm/script", {"mode": "obey"})
    attempt = ring(practice, carrier, "21")
    assert attempt.outcome
    assert Appointment.objects.count() <= 1
    assert CallTurn.objects.count() <= 26
    assert bool(carrier.log("llm")) is bool(model)
