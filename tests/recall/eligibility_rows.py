"""Rows for the tests of eligibility: patients, their calls and appointments, and a mixed crowd."""

import random
from datetime import date, datetime, timedelta

from patients import suppressions
from patients.models import Patient, Suppression
from recall.eligibility import gather
from recall.eligibility.facts import CAP_WINDOW, SPACING
from recall.models import (
    Appointment,
    AppointmentStatus,
    Attempt,
    AttemptState,
    Channel,
)
from recall.models.attempts import LIVE_STATES
from sightsync.lib import clock

TODAY = date(2026, 11, 18)


def patient(practice, number="+447700900001", email="", **fields) -> Patient:
    defaults = {
        "first_name": "Jane",
        "phone_number": number,
        "phone_kind": "mobile" if number else "",
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


def call(who: Patient, ago: timedelta | None = None, **fields) -> Attempt:
    now = clock.now()
    submitted = None if ago is None else now - ago
    defaults = {
        "channel": Channel.VOICE,
        "state": AttemptState.DONE,
        "destination": who.phone_number,
        "due_at": now,
        "created_at": submitted or now,
        "submitted_at": submitted,
    }
    return Attempt.objects.create(practice=who.practice, patient=who, **{**defaults, **fields})


def appointment(who: Patient, starts_at: datetime, status=AppointmentStatus.BOOKED) -> Appointment:
    return Appointment.objects.create(
        practice=who.practice,
        patient=who,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=30),
        status=status,
        source="staff",
        created_at=clock.now(),
    )


def codes(practice, who, channel=Channel.VOICE, **options) -> tuple[str, ...]:
    return gather.verdict(
        practice=practice, patient=who, channel=channel, now=clock.now(), **options
    ).codes


def crowd(practice, seed: int, size: int = 60) -> list[Patient]:
    """Patients of every kind, sharing numbers, with calls, appointments and suppressions."""
    pick = random.Random(seed)
    people = [anybody(practice, pick, number) for number in range(size)]
    for _ in range(size):
        some_call(pick.choice(people), pick)
    for _ in range(size // 4):
        starts_at = clock.now() + timedelta(minutes=pick.randrange(-9000, 9000))
        appointment(pick.choice(people), starts_at, pick.choice(list(AppointmentStatus)))
    for who in pick.sample(people, size // 6):
        some_suppression(who, pick)
    return people


def anybody(practice, pick: random.Random, number: int) -> Patient:
    now = clock.now()
    phone = pick.choice(["", f"+4477009{pick.randrange(40):05}", f"+4411849600{number:02}"])
    kind = pick.choice(["mobile", "fixed_line", "voip", "uan", "toll_free", "pager"])

    def sometimes(chance=0.15):
        return now if pick.random() < chance else None

    return patient(
        practice,
        phone,
        pick.choice(["", f"p{pick.randrange(60)}@example.org"]),
        phone_kind=kind if phone else "",
        phone_is_drama=pick.random() < 0.5,
        phone_wrong_at=sometimes(),
        email_bounced_at=sometimes(),
        archived_at=sometimes(),
        deceased_at=sometimes(0.05),
        erased_at=sometimes(0.05),
        opted_out_at=sometimes(),
        opted_out_channels=pick.sample(list(Channel), pick.choice([0, 0, 0, 1, 2])),
        not_before=pick.choice([None, None, now - timedelta(hours=1), now + timedelta(hours=1)]),
        tps_listing=pick.choice([0, 0, 0, 1, 2, 3, None]),
        next_clinical_due_date=TODAY + timedelta(days=pick.choice([-400, 0, 1, 90])),
    )


def some_call(who: Patient, pick: random.Random) -> None:
    state = pick.choice(list(AttemptState))
    channel = pick.choice([Channel.VOICE, Channel.VOICE, Channel.EMAIL])
    taken = Attempt.objects.filter(destination=who.phone_number, state__in=LIVE_STATES)
    if state in LIVE_STATES and taken.exists():
        return
    edges = [None, SPACING, SPACING - timedelta(seconds=1), CAP_WINDOW]
    days_ago = [timedelta(days=pick.randrange(40)) for _ in range(8)]
    call(who, pick.choice(edges + days_ago), state=state, channel=channel)


def some_suppression(who: Patient, pick: random.Random) -> None:
    kind, digest = pick.choice([("phone", who.phone_hash), ("email", who.email_hash)])
    if digest:
        lifted = pick.choice([None, None, clock.now()])
        Suppression.objects.get_or_create(
            practice=who.practice,
            kind=kind,
            hash=digest,
            channel=pick.choice(["all", "voice", "sms"]),
            defaults={"source": "staff", "created_at": clock.now(), "lifted_at": lifted},
        )
