"""The whole product in one process: web server, tick and workers, with the sandbox outside.

The tick and the queue's jobs are run here one after the other, so that a journey is repeatable;
that they also run side by side, and die, is what `tests/faults` is about.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Min
from django_q.models import OrmQ

from patients.models import Patient
from practices.journal import Actor
from practices.models import JournalEntry, Practice, User
from recall.campaigns import run
from recall.campaigns.selection import Choice
from recall.models import Attempt, AttemptState, Campaign, Episode
from recall.opening import add_diary
from recall.tick import Tick
from sightsync.lib import clock, ids
from tests import engine
from tests.sandbox import Sandbox

LONGEST = timedelta(days=40)


@dataclass
class Stack:
    """What a journey does with the product; `log` of the sandbox is the judge."""

    practice: Practice
    owner: User
    sandbox: Sandbox
    at: Callable[[datetime], None]
    tick: Tick = field(default_factory=Tick)

    def patient(self, ending: str, **fields: Any) -> Patient:
        """An overdue patient whose number ends so, which says how they behave."""
        number = f"+4477009001{ending}"
        address = f"p{number[1:]}@example.org"
        self.sandbox.introduce(number=number, email=address)
        return engine.patient(self.practice, number, address, **fields)

    def recall(self, *people: Patient) -> Campaign:
        return run.start(
            practice=self.practice,
            choice=Choice(only=tuple(str(patient.pk) for patient in people)),
            name="Journey",
            start_token=ids.new(),
            user=self.owner,
            actor=Actor.user(self.owner),
        )

    def work(self) -> None:
        """Until nobody has anything to do at this moment."""
        for _ in range(60):
            self.tick.woken.clear()
            self.tick.dialler.woken.clear()
            self.tick.run()
            busy = self._run_queue()
            self.sandbox.wait_idle()
            if not busy and not OrmQ.objects.exists():
                return
        raise AssertionError("The product does not come to rest.")

    def until(self, done: Callable[[], bool]) -> None:
        """Work, and let time pass to the next thing that is due, until `done`."""
        start = clock.now()
        self.work()
        while not done():
            coming = self._next_moment()
            if coming is None or coming - start > LONGEST:
                raise AssertionError(f"Not done by {coming}: {self.situation()}")
            self.at(coming)
            self.work()

    def until_ended(self, *people: Patient) -> None:
        """Until each of their recalls is closed or with the staff."""
        self.until(lambda: all(self.episode(one).next_step_at is None for one in people))

    def episode(self, patient: Patient) -> Episode:
        return Episode.objects.filter(patient=patient).latest("opened_at")

    def attempts(self, patient: Patient, **wanted: Any) -> list[Attempt]:
        return list(Attempt.objects.filter(patient=patient, **wanted).order_by("created_at", "pk"))

    def actions(self, patient: Patient) -> list[str]:
        rows = JournalEntry.objects.filter(patient_id=patient.pk).order_by("id")
        return [row.action for row in rows]

    def situation(self) -> list[str]:
        rows = Attempt.objects.order_by("created_at")
        return [
            f"{row.channel} {row.state} {row.outcome} {row.reason} {row.due_at}" for row in rows
        ]

    def _run_queue(self) -> bool:
        waiting = list(OrmQ.objects.order_by("id"))
        for row in waiting:
            job = row.task
            row.delete()
            module, _, name = job["func"].rpartition(".")
            getattr(importlib.import_module(module), name)(*job["args"])
        return any(not row.task["func"].endswith("beat") for row in waiting)

    def _next_moment(self) -> datetime | None:
        now = clock.now()
        moments = [
            Attempt.objects.filter(state=AttemptState.PLANNED, due_at__gt=now).aggregate(
                first=Min("due_at")
            )["first"],
            Episode.objects.filter(closed_at=None, next_step_at__gt=now).aggregate(
                first=Min("next_step_at")
            )["first"],
        ]
        return min((moment for moment in moments if moment), default=None)


@pytest.fixture
def stack(
    transactional_db: None,
    live_server: Any,
    sandbox: Sandbox,
    settings: Any,
    at: Any,
    practice: Practice,
    alice: User,
) -> Stack:
    settings.PUBLIC_BASE_URL = live_server.url
    settings.CSRF_TRUSTED_ORIGINS = [live_server.url]
    settings.CARRIER_CALL_SPACING_S = 0.001
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE tps_number")
    engine.register()
    add_diary(practice=practice, name="Testing room 1", actor=engine.ACTOR)
    return Stack(practice, alice, sandbox, at)
