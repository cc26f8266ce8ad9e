"""The rows of the demo's past, gathered first and written in one go, with what happened when.

It knows how a finished call or message looks as a row; which there were is told by `past`.
"""

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Model

from patients.models import Patient
from practices import journal
from practices.journal import Actor
from practices.models import JournalEntry, MonthlyUsage, Practice
from recall.eligibility.rules import rules_for
from recall.models import (
    Appointment,
    Attempt,
    AttemptState,
    CallTurn,
    Campaign,
    CampaignPatient,
    Channel,
    Episode,
    Outcome,
    Purpose,
    StaffTask,
)
from sightsync.lib import clock

ACTOR = Actor.system("recall")
_PROVIDER_STATUS: dict[str, str] = {
    Outcome.NO_ANSWER: "no-answer",
    Outcome.BUSY: "busy",
    Outcome.UNDELIVERED: "undelivered",
    Outcome.READ: "read",
    Outcome.DELIVERED: "delivered",
}
Happening = tuple[datetime, JournalEntry | Callable[[], object]]


_IN_ORDER: tuple[type[Model], ...] = (
    Campaign,
    CampaignPatient,
    Episode,
    Attempt,
    Appointment,
    CallTurn,
    StaffTask,
)


@dataclass
class Ledger:
    """What is to be written for one practice."""

    practice: Practice
    chance: random.Random
    rows: list[Model] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)
    calls: dict[date, int] = field(default_factory=dict)

    def at(self, moment: datetime, change: Callable[[], object]) -> None:
        """Make `change` through an ordinary door, with the clock at `moment`."""
        self.happenings.append((moment, change))

    def note(
        self, at: datetime, action: str, patient: Patient | None, subject: Model, **facts: str
    ) -> None:
        entry = journal.entry(
            practice=self.practice,
            action=action,
            actor=ACTOR,
            patient=patient.pk if patient else None,
            subject=subject,
            facts={key: str(value) for key, value in facts.items()},
        )
        entry.at = at
        self.happenings.append((at, entry))

    def sent(self, patient: Patient, at: datetime, **fields: Any) -> Attempt:
        channel, outcome = fields["channel"], fields["outcome"]
        is_email = channel == Channel.EMAIL
        bad = outcome == Outcome.UNDELIVERED
        attempt = Attempt(
            practice=self.practice,
            patient=patient,
            state=AttemptState.FAILED if bad else AttemptState.DONE,
            due_at=at,
            destination=patient.email if is_email else patient.phone_number,
            created_at=at,
            claimed_at=at,
            submitted_at=at,
            accepted_at=at + timedelta(seconds=1),
            ended_at=at + timedelta(seconds=fields.get("duration_seconds") or 35),
            provider="email" if is_email else "twilio",
            provider_ref=self._provider_ref(channel),
            provider_status=_PROVIDER_STATUS.get(outcome, "completed"),
            receipt=self._receipt(channel, fields.get("purpose", Purpose.RECALL), at),
            **fields,
        )
        self.rows.append(attempt)
        action = "call.completed" if channel == Channel.VOICE else f"message.{outcome}"
        facts = {"channel": channel, "outcome": outcome, "purpose": attempt.purpose}
        self.note(attempt.ended_at or at, action, patient, attempt, **facts)
        return attempt

    def _provider_ref(self, channel: str) -> str:
        if channel == Channel.EMAIL:
            return f"<{uuid.UUID(int=self.chance.getrandbits(128)).hex}@sightsync.example>"
        return ("CA" if channel == Channel.VOICE else "SM") + f"{self.chance.getrandbits(128):032x}"

    def _receipt(self, channel: str, purpose: str, at: datetime) -> dict[str, Any]:
        """As an attempt keeps it: every rule that was asked, all of them passed."""
        rules = rules_for(Channel(channel), Purpose(purpose))
        return {
            "at": at.isoformat(),
            "channel": channel,
            "purpose": purpose,
            "allowed": True,
            "rules": {rule.code: True for rule in rules},
            "register_date": (clock.london(at).date() - timedelta(days=6)).isoformat(),
            "local_time": clock.london(at).isoformat(timespec="seconds"),
        }

    def write(self) -> None:
        """Inside the caller's transaction: the rows, then what happened in order of time."""
        for kind in _IN_ORDER:
            wanted = [row for row in self.rows if type(row) is kind]
            kind._default_manager.bulk_create(wanted, batch_size=500)
        MonthlyUsage.objects.bulk_create(
            MonthlyUsage(practice=self.practice, month=month, calls_used=calls)
            for month, calls in self.calls.items()
        )
        for moment, happening in sorted(self.happenings, key=lambda item: item[0]):
            if isinstance(happening, JournalEntry):
                happening.save(force_insert=True)
                continue
            with clock.showing(moment):
                happening()
