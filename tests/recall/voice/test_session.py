"""One turn, asked for twice at the same moment, is answered once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import close_old_connections

from integrations.twilio import payloads
from recall.models import Appointment, Attempt, CallTurn
from recall.voice import session
from tests.recall.voice.conftest import Line

pytestmark = pytest.mark.django_db(transaction=True)


def twice_at_once(line: Line, number: int) -> tuple[list[str], list[Exception]]:
    """Two requests that have both read the call before either of them may write."""
    answers: list[str] = []
    failures: list[Exception] = []
    heard = payloads.Turn(
        sid=line.attempt.provider_ref, speech="Yes please", confidence=0.9, digits="",
        call_status="in-progress",
    )  # fmt: skip

    def ask() -> None:
        try:
            attempt = Attempt.objects.select_related("practice", "patient").get()
            answers.append(session.turn(attempt=attempt, number=number, heard=heard))
        except Exception as error:
            failures.append(error)
        finally:
            close_old_connections()
            session.transaction.get_connection().close()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return answers, failures


def meeting(before: Callable[..., object]) -> Callable[..., object]:
    """The function, entered by both threads only when both have come so far."""
    barrier = threading.Barrier(2, timeout=10)

    def met(*args: object, **fields: object) -> object:
        barrier.wait()
        return before(*args, **fields)

    return met


@pytest.fixture
def at_the_read_back(call) -> Line:
    line: Line = call()
    line.pick_up()
    line.says("Yes")
    line.says("The first one")
    return line


def test_two_requests_for_one_turn_book_once_and_hear_the_same(
    at_the_read_back, monkeypatch
) -> None:
    monkeypatch.setattr(session, "_understand", meeting(session._understand))
    answers, failures = twice_at_once(at_the_read_back, 3)
    assert not failures
    assert len(answers) == 2
    assert len(set(answers)) == 1
    assert Appointment.objects.count() == 1
    assert CallTurn.objects.filter(speaker="patient").count() == 3


def test_without_the_lock_the_turn_would_be_worked_on_twice(at_the_read_back, monkeypatch) -> None:
    """The twin: what the lock is there for."""
    worked_on: list[int] = []
    after_reading = meeting(session.memory.note_heard)

    def unlocked(attempt: Attempt) -> Attempt:
        return Attempt.objects.select_related("practice", "patient", "episode").get(pk=attempt.pk)

    def note(*args: object, **fields: object) -> None:
        worked_on.append(1)
        after_reading(*args, **fields)

    monkeypatch.setattr(session, "_lock", unlocked)
    monkeypatch.setattr(session.memory, "note_heard", note)
    twice_at_once(at_the_read_back, 3)
    assert len(worked_on) == 2
