"""Puts the demo together: register, practice, patients, their past and the coming weeks' diary."""

import hashlib
import random
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction

from patients import tps, tps_load
from patients.models import Patient, RegisterList, TpsListing, TpsRegister
from practices.models import Practice
from recall.demo import people, stories
from recall.demo.book import Book
from recall.demo.ledger import Ledger
from recall.demo.past import Past
from recall.models import Diary
from sightsync.lib import clock
from sightsync.lib.errors import AppError

REGISTER = Path("docs/samples/tps-sample.txt")
_WITH_A_STORY = 150
_AT_THE_DESK = 45
_SEED = 3


def build() -> Practice:
    """The demo practice, all in one transaction but the register. Raises AppError in live mode."""
    if settings.LIVE:
        raise AppError("live_demo", "The demo practice is for the sandbox: this is live mode.")
    now = clock.now()
    refresh_register()
    with transaction.atomic():
        return _build(now)


def refresh_register() -> None:
    """Load the sample register unless a fresh one, or one of somebody's own, is in force.

    Raises AppError.
    """
    sample = settings.BASE_DIR / REGISTER
    mine = hashlib.sha256(sample.read_bytes()).hexdigest()
    own = TpsRegister.objects.filter(current=True).exclude(file_sha256=mine).exists()
    if own or tps.state(clock.now()).is_usable:
        return
    try:
        tps_load.load(
            path=sample,
            listing=RegisterList.BOTH,
            register_date=clock.today(),
            actor=people.ACTOR,
        )
    except tps_load.NotLoaded as error:
        raise AppError("register_not_loaded", str(error)) from error


def _build(now: datetime) -> Practice:
    today = clock.london(now).date()
    opened = now - people.JOINED_AGO
    with clock.showing(opened):
        practice = people.open_practice()
    cast = list(people.patients(today))
    patients = people.write(practice, cast, opened + timedelta(hours=1))
    diaries = Diary.objects.filter(practice=practice).order_by("name")
    past = Past(
        ledger=Ledger(practice, random.Random(_SEED)),  # noqa: S311  # not a secret
        patients=patients,
        now=now,
        book=Book([diary.pk for diary in diaries]),
    )
    with_story = _with_a_story(cast, patients)
    for story in stories.tell(with_story, today):
        past.add(story)
    desk = [person.number for person in cast if _may_be_booked(person, with_story)]
    for place, number in enumerate(desk[:_AT_THE_DESK]):
        past.booked_at_the_desk(patients[number], 1 + place * 28 // _AT_THE_DESK)
    past.ledger.write()
    return practice


def _with_a_story(cast: list[people.Person], patients: dict[int, Patient]) -> list[int]:
    """Those who were due all along and could be rung, spread over the whole list."""
    fit = [
        person.number
        for person in cast
        if not person.is_for_the_tour
        and person.overdue_days > 80
        and patients[person.number].tps_listing == TpsListing.CLEAR
    ]
    step = max(1, len(fit) // _WITH_A_STORY)
    return fit[::step][:_WITH_A_STORY]


def _may_be_booked(person: people.Person, with_story: list[int]) -> bool:
    """Somebody not due for a while, or due soon, whom the recall has not touched."""
    return -60 < person.overdue_days < 10 and person.number not in set(with_story)
