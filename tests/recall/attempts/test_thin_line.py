"""From a planned call to its outcome and the next step, through the real queue's jobs."""

import pytest

from recall import opening, tasks
from recall.models import Attempt, AttemptState, Channel, EpisodeState, Outcome, Purpose
from tests import engine

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_unanswered_call_ends_and_the_next_channel_is_planned(practice, carrier):
    engine.register()
    jane = engine.patient(practice, "+447700900006")
    attempt = engine.planned(jane)

    tasks.dial(str(attempt.pk))
    carrier.wait_idle()

    attempt.refresh_from_db()
    assert attempt.state == AttemptState.DONE
    assert attempt.outcome == Outcome.NO_ANSWER
    assert len(carrier.calls_to(jane.phone_number)) == 1
    assert attempt.episode.attempts.get(state=AttemptState.PLANNED).channel == Channel.WHATSAPP


def test_a_call_that_is_answered_books_and_its_confirmation_goes_out(practice, carrier):
    engine.register()
    jane = engine.patient(practice, "+447700900001")
    opening.add_diary(practice=practice, name="Room 1", actor=engine.ACTOR)
    attempt = engine.planned(jane)

    tasks.dial(str(attempt.pk))
    carrier.wait_idle()

    attempt.refresh_from_db()
    assert (attempt.state, attempt.outcome) == (AttemptState.DONE, Outcome.BOOKED)
    assert attempt.episode.state == EpisodeState.BOOKED
    confirmation = Attempt.objects.get(purpose=Purpose.CONFIRMATION)
    tasks.dial(str(confirmation.pk))
    carrier.wait_idle()
    confirmation.refresh_from_db()
    assert confirmation.state == AttemptState.DONE
    assert len(carrier.messages_to(jane.phone_number)) == 1
