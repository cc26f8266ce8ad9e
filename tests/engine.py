"""Ready-made parts for tests of the engine: a loaded register, patients, planned attempts, and a
carrier (the sandbox) whose callbacks reach the product.
"""

import threading
import time
from collections.abc import Callable
from datetime import date
from typing import Any

from django.db import connection

from patients import suppressions
from patients.models import Patient, TpsRegister
from practices.journal import Actor
from practices.models import Practice
from recall.models import Attempt, AttemptState, Channel, Episode, EpisodeState, Purpose
from sightsync.lib import clock

ACTOR = Actor.system("test")
JANE = "+447700900001"
"""Persona 01: answers, is the right person, takes the first slot."""


def register() -> TpsRegister:
    """A current TPS register, so that calls are not held."""
    return TpsRegister.objects.create(
        register_date=date(2026, 11, 10),
        loaded_at=clock.now(),
        applied_at=clock.now(),
        numbers=0,
        file_sha256="0" * 64,
        current=True,
    )


def patient(practice: Practice, number: str = JANE, email: str = "", **fields: Any) -> Patient:
    """An overdue patient with a mobile."""
    defaults: dict[str, Any] = {
        "first_name": "Jane",
        "phone_number": number,
        "phone_kind": "mobile" if number else "",
        "phone_is_drama": True,
        "phone_hash": suppressions.phone_hash(number) if number else None,
        "email": email,
        "email_hash": suppressions.email_hash(email) if email else None,
        "next_clinical_due_date": date(2026, 1, 1),
        "due_source": "default_interval",
        "tps_listing": 0,
        "created_at": clock.now(),
        "updated_at": clock.now(),
    }
    return Patient.objects.create(practice=practice, **{**defaults, **fields})


def planned(who: Patient, channel: Channel = Channel.VOICE, **fields: Any) -> Attempt:
    """A planned attempt of an open recall, due now."""
    episode = Episode.objects.filter(patient=who, closed_at=None).first()
    if episode is None:
        episode = Episode.objects.create(
            practice=who.practice,
            patient=who,
            cycle_due_date=who.next_clinical_due_date,
            state=EpisodeState.CONTACTING,
            opened_at=clock.now(),
        )
    defaults: dict[str, Any] = {
        "episode": episode,
        "channel": channel,
        "purpose": Purpose.RECALL,
        "due_at": clock.now(),
        "created_at": clock.now(),
    }
    return Attempt.objects.create(practice=who.practice, patient=who, **{**defaults, **fields})


def under_way(who: Patient, channel: Channel = Channel.VOICE, **fields: Any) -> Attempt:
    """An attempt that the carrier has taken."""
    defaults: dict[str, Any] = {
        "state": AttemptState.ACCEPTED,
        "destination": who.email if channel == Channel.EMAIL else who.phone_number,
        "claimed_at": clock.now(),
        "submitted_at": clock.now(),
        "accepted_at": clock.now(),
        "provider": "sandbox",
        "provider_ref": "CA" + "0" * 32,
    }
    return planned(who, channel, **{**defaults, **fields})


def database_url() -> str:
    """Where another process finds the database that this one is connected to."""
    place = connection.settings_dict
    host = place["HOST"] or place["OPTIONS"].get("host", "")
    user, port = place["USER"] or "postgres", place["PORT"] or 5432
    if str(host).startswith("/"):
        return f"postgresql://{user}:@/{place['NAME']}?host={host}"
    return f"postgresql://{user}:{place['PASSWORD']}@{host}:{port}/{place['NAME']}"


def until(condition: Callable[[], Any], seconds: float = 20.0) -> None:
    """Wait for what another process does: polled, with a deadline."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("It did not happen in time.")
        pause.wait(0.02)
