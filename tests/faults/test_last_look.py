"""Between the claim and the request: whoever says stop there is heard, and what happens without."""

import pytest
from django.db.models import Q

from patients import opt_out
from patients.models import Suppression
from practices import contact_switch, quota
from recall import episodes
from recall.attempts import claim, last_look, submit
from recall.models import (
    Appointment,
    Attempt,
    AttemptState,
    Campaign,
    CampaignState,
    Channel,
    Purpose,
)
from sightsync.lib import clock
from tests import engine
from tests.engine import ACTOR

pytestmark = pytest.mark.django_db(transaction=True)


def opts_out(attempt):
    opt_out.record(patient=attempt.patient, source="sms_reply", actor=ACTOR)


def opts_out_of_calls(attempt):
    opt_out.record(patient=attempt.patient, source="sms_reply", actor=ACTOR, channel="voice")


def number_is_suppressed(attempt):
    Suppression.objects.create(
        practice=attempt.practice,
        kind="phone",
        hash=attempt.patient.phone_hash,
        channel="all",
        source="sms_reply",
        created_at=clock.now(),
    )


def practice_stops(attempt):
    contact_switch.stop(practice=attempt.practice, actor=ACTOR)


def campaign_is_paused(attempt):
    Campaign.objects.filter(pk=attempt.campaign_id).update(state=CampaignState.PAUSED)


def campaign_is_stopped(attempt):
    Campaign.objects.filter(pk=attempt.campaign_id).update(state=CampaignState.STOPPED)


def recall_is_paused(attempt):
    attempt.episode.paused = True
    attempt.episode.save(update_fields=["paused"])


def recall_is_closed(attempt):
    episodes.end(episode=attempt.episode, reason="test", actor=ACTOR)


def number_is_changed(attempt):
    attempt.patient.phone_number = "+447700900118"
    attempt.patient.save(update_fields=["phone_number"])


def patient_has_died(attempt):
    attempt.patient.deceased_at = clock.now()
    attempt.patient.save(update_fields=["deceased_at"])


STOPS = [
    opts_out,
    opts_out_of_calls,
    number_is_suppressed,
    practice_stops,
    campaign_is_paused,
    campaign_is_stopped,
    recall_is_paused,
    recall_is_closed,
    number_is_changed,
    patient_has_died,
]


def of_campaign(jane) -> Attempt:
    campaign = Campaign.objects.create(
        practice=jane.practice, name="November", started_at=clock.now()
    )
    return engine.planned(jane, campaign=campaign)


@pytest.mark.parametrize("stop", STOPS)
def test_whoever_says_stop_after_the_claim_is_heard_before_the_request(jane, carrier, stop):
    claimed = claim.claim(of_campaign(jane).pk, actor=ACTOR)

    stop(claimed)
    submit.submit(claimed, compose=None, actor=ACTOR)

    claimed.refresh_from_db()
    assert claimed.state in (AttemptState.PLANNED, AttemptState.CANCELLED)
    assert not carrier.calls_to(claimed.destination or jane.phone_number)
    assert quota.used(practice_id=jane.practice_id, month=quota.month_of(clock.now())) == 0


@pytest.mark.parametrize("stop", STOPS)
def test_without_the_last_look_the_call_is_made_all_the_same(jane, reckless, monkeypatch, stop):
    monkeypatch.setattr(last_look, "nobody_said_stop", lambda attempt: Q())
    number = jane.phone_number
    claimed = claim.claim(of_campaign(jane).pk, actor=ACTOR)

    stop(claimed)
    submit.submit(claimed, compose=None, actor=ACTOR)

    assert len(reckless.calls_to(number)) == 1


def test_a_reminder_of_an_appointment_that_moved_meanwhile_is_not_sent(jane, carrier):
    appointment = Appointment.objects.create(
        practice=jane.practice,
        patient=jane,
        starts_at=clock.now().replace(day=20),
        ends_at=clock.now().replace(day=20, hour=11),
        source="link",
        created_at=clock.now(),
    )
    attempt = engine.planned(
        jane,
        Channel.SMS,
        purpose=Purpose.REMINDER,
        episode=None,
        appointment=appointment,
        appointment_version=1,
    )
    claimed = claim.claim(attempt.pk, actor=ACTOR)
    Appointment.objects.filter(pk=appointment.pk).update(version=2)

    assert not submit.begin(claimed)
