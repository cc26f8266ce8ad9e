"""A practice in the middle of its day, one row of every kind that a staff page shows."""

from dataclasses import dataclass
from datetime import time, timedelta

from gdpr.models import DataRequest
from integrations.models import WebhookDelivery, WebhookEndpoint
from patients.models import Patient
from practices import api_keys
from practices.journal import Actor
from practices.models import ApiKey, Practice, User
from recall.models import (
    Appointment,
    Attempt,
    AttemptState,
    CallTurn,
    Campaign,
    CampaignPatient,
    Channel,
    Diary,
    DiaryHours,
    Episode,
    EpisodeState,
    Outcome,
    StaffTask,
    TaskKind,
)
from sightsync.lib import clock, ids
from tests import engine


@dataclass(frozen=True)
class WorkingDay:
    campaign: Campaign
    call: Attempt
    appointment: Appointment
    over: Appointment
    booked: Patient
    due: Patient
    opted_out: Patient
    symptoms: StaffTask
    key: ApiKey
    delivery: WebhookDelivery
    request: DataRequest


def fill(practice: Practice, user: User) -> WorkingDay:
    """Six patients, a running campaign, calls with turns, a diary, tasks. All by hand: fast."""
    engine.register()
    now = clock.now()
    diary = Diary.objects.create(practice=practice, name="Mrs Shah")
    DiaryHours.objects.bulk_create(
        DiaryHours(practice=practice, diary=diary, weekday=day, opens=time(9), closes=time(17))
        for day in range(5)
    )
    names = [
        "Tom Ferreira",
        "Łukasz Nowak",
        "Zoë Hart",
        "Priya Nair",
        "Harold Benson",
        "Susan Ivory",
    ]
    people = [
        engine.patient(
            practice,
            number=f"+4477009000{index:02d}",
            email=f"p{index}@example.org",
            first_name=name.split()[0],
            last_name=name.split()[1],
            risk_category="diabetic" if index % 2 else "standard",
        )
        for index, name in enumerate(names, start=41)
    ]
    booked, due, waiting, calling, opted_out, worried = people
    Patient.objects.filter(pk=opted_out.pk).update(opted_out_at=now, opted_out_source="staff")
    campaign = Campaign.objects.create(
        practice=practice,
        name="Diabetic, 12 months overdue",
        filters={"risks": ["diabetic"], "overdue_months": 12},
        started_by=user,
        started_at=now - timedelta(minutes=40),
    )
    states = [
        (booked, EpisodeState.BOOKED, Outcome.BOOKED),
        (waiting, EpisodeState.WAITING, Outcome.NO_ANSWER),
        (calling, EpisodeState.CONTACTING, ""),
        (worried, EpisodeState.NEEDS_STAFF, Outcome.SYMPTOMS),
    ]
    calls = {who.pk: _call(campaign, who, state, outcome) for who, state, outcome in states}
    CampaignPatient.objects.create(
        practice=practice, campaign=campaign, patient=opted_out, included=False, codes=["opted_out"]
    )
    task = StaffTask.objects.create(
        practice=practice,
        patient=worried,
        attempt=calls[worried.pk],
        kind=TaskKind.SYMPTOMS,
        urgent=True,
        created_at=now - timedelta(minutes=23),
    )
    StaffTask.objects.create(
        practice=practice, patient=waiting, kind=TaskKind.WRONG_NUMBER, created_at=now
    )
    ahead = _appointment(diary, booked, days=6, attempt=calls[booked.pk])
    over = _appointment(diary, due, days=-1)
    return WorkingDay(
        campaign,
        calls[booked.pk],
        ahead,
        over,
        booked,
        due,
        opted_out,
        task,
        _keys(practice),
        _delivery(practice),
        _request(booked),
    )


def _keys(practice: Practice) -> ApiKey:
    """One in use that ends soon, and one that was revoked."""
    actor = Actor.system("test")
    old, _ = api_keys.create(practice=practice, name="Website", scopes=["read"], actor=actor)
    api_keys.revoke(key=old, actor=actor)
    key, _ = api_keys.create(
        practice=practice,
        name="Optix",
        scopes=["read", "write"],
        actor=actor,
        expires_at=clock.now() + timedelta(days=9),
    )
    return key


def _request(who: Patient) -> DataRequest:
    """A copy of their data, ready to be downloaded."""
    now = clock.now()
    return DataRequest.objects.create(
        practice=who.practice,
        patient=who,
        type="access",
        status="completed",
        submitted_at=now,
        due_on=now.date() + timedelta(days=30),
        completed_at=now,
        export="{}",
        export_expires_at=now + timedelta(days=7),
    )


def _delivery(practice: Practice) -> WebhookDelivery:
    """Failed once, to be tried again, at an endpoint where nobody listens."""
    now = clock.now()
    endpoint = WebhookEndpoint.objects.create(
        practice=practice,
        url="http://127.0.0.1:9/hooks/sightsync",
        events=["*"],
        secret="whsec_" + "x" * 32,
        next_sequence=1,
        created_at=now,
        failing_since=now,
        consecutive_failures=1,
    )
    return WebhookDelivery.objects.create(
        practice=practice,
        endpoint=endpoint,
        event_id=ids.new(),
        event_type="webhook.test",
        event_at=now,
        state="waiting",
        next_try_at=now + timedelta(minutes=5),
        response_status=500,
        response_excerpt="Not today",
        error="status",
        latency_ms=1210,
        tries=[{"at": now.isoformat(), "status": 500, "error": "status", "ms": 1210}],
        created_at=now,
    )


def _call(campaign: Campaign, who: Patient, state: str, outcome: str) -> Attempt:
    now = clock.now()
    closed = state == EpisodeState.BOOKED
    episode = Episode.objects.create(
        practice=who.practice,
        patient=who,
        campaign=campaign,
        cycle_due_date=who.next_clinical_due_date,
        state=state,
        opened_at=now - timedelta(minutes=40),
        closed_at=now if closed else None,
        next_step_at=now + timedelta(minutes=30) if state == EpisodeState.WAITING else None,
    )
    at = now - timedelta(minutes=12)
    attempt = Attempt.objects.create(
        practice=who.practice,
        patient=who,
        episode=episode,
        campaign=campaign,
        channel=Channel.VOICE,
        state=AttemptState.DONE if outcome else AttemptState.ACCEPTED,
        outcome=outcome,
        due_at=at,
        created_at=at,
        submitted_at=at,
        accepted_at=at,
        answered_at=None if outcome == Outcome.NO_ANSWER else at,
        ended_at=at + timedelta(seconds=64) if outcome else None,
        duration_seconds=64 if outcome else None,
        destination=who.phone_number,
        provider="twilio",
        provider_ref=f"CA{who.pk.hex}",
        receipt={
            "at": at.isoformat(),
            "register_date": "2026-11-10",
            "rules": {"opted_out": True, "tps_listed": True, "calling_hours": True},
        },
    )
    said = [
        ("assistant", "Hello, this is the automated assistant of Acuity Opticians.", ""),
        ("patient", "", "1"),
        ("assistant", "I can offer Tuesday 24 November at 2:30pm.", ""),
        ("patient", "Yes please.", ""),
    ]
    CallTurn.objects.bulk_create(
        CallTurn(
            practice=who.practice,
            attempt=attempt,
            number=number,
            speaker=speaker,
            text=text,
            digits=digits,
            at=at,
        )
        for number, (speaker, text, digits) in enumerate(said, start=1)
        if outcome != Outcome.NO_ANSWER
    )
    return attempt


def _appointment(
    diary: Diary, who: Patient, *, days: int, attempt: Attempt | None = None
) -> Appointment:
    starts_at = clock.at_london(clock.today() + timedelta(days=days), time(14, 30))
    return Appointment.objects.create(
        practice=who.practice,
        diary=diary,
        patient=who,
        attempt=attempt,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=30),
        source="call",
        created_at=clock.now(),
    )
