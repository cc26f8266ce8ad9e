"""Campaigns: a dry run that changes nothing, a start that happens once, and the controls."""

import threading
from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from patients.models import Patient, TpsRegister
from practices.journal import Actor
from practices.models import JournalEntry, Practice, User
from recall import episodes
from recall.campaigns import preview, run
from recall.campaigns.preview import Fate
from recall.campaigns.selection import Choice, words
from recall.models import (
    Attempt,
    AttemptState,
    Campaign,
    CampaignPatient,
    CampaignState,
    Episode,
    EpisodeState,
)
from sightsync.lib import clock, ids
from sightsync.lib.errors import AppError

pytestmark = pytest.mark.django_db

SYSTEM = Actor.system("test")


@pytest.fixture(autouse=True)
def _register(db: None) -> None:
    TpsRegister.objects.create(
        register_date=date(2026, 11, 17),
        loaded_at=clock.now(),
        applied_at=clock.now(),
        numbers=1,
        file_sha256="0" * 64,
        current=True,
    )


@pytest.fixture
def add(practice: Practice) -> Callable[..., Patient]:
    """A patient of Acuity Opticians, overdue and reachable unless told otherwise."""
    number = 100

    def make(**changes: object) -> Patient:
        nonlocal number
        number += 1
        known: dict[str, object] = {
            "practice": practice,
            "first_name": "Jane",
            "phone_number": f"+447700900{number}",
            "phone_kind": "mobile",
            "phone_is_drama": True,
            "email": f"p{number}@example.org",
            "tps_listing": 0,
            "risk_category": "standard",
            "last_eye_test_date": date(2024, 1, 10),
            "next_clinical_due_date": date(2026, 1, 10),
            "due_source": "default_interval",
            "created_at": clock.now(),
            "updated_at": clock.now(),
        }
        return Patient.objects.create(**known | changes)

    return make


def start(practice: Practice, user: User, choice: Choice | None = None, token: UUID | None = None):
    return run.start(
        practice=practice,
        choice=choice or Choice(),
        name="November",
        start_token=token or ids.new(),
        user=user,
        actor=Actor.user(user),
    )


def fates(practice: Practice, choice: Choice | None = None) -> dict[UUID, tuple[Fate, tuple]]:
    seen = preview.of(practice=practice, choice=choice or Choice())
    return {row.patient.pk: (row.fate, row.codes) for row in seen.rows}


def test_it_chooses_the_riskiest_and_most_overdue_first(practice, add) -> None:
    late = add(next_clinical_due_date=date(2025, 1, 1))
    risky = add(risk_category="glaucoma_suspect", next_clinical_due_date=date(2026, 11, 1))
    add(next_clinical_due_date=date(2027, 1, 1))
    rows = preview.of(practice=practice, choice=Choice()).rows
    assert [row.patient.pk for row in rows] == [risky.pk, late.pk]


def test_a_dry_run_says_who_would_be_called_messaged_and_left_out(practice, add) -> None:
    fine, listed = add(), add(tps_listing=1)
    out = add(opted_out_at=clock.now())
    nothing = add(phone_number="", phone_kind="", email="")
    found = fates(practice)
    assert found[fine.pk] == (Fate.CALL_NOW, ())
    assert found[listed.pk][0] is Fate.MESSAGE
    assert found[out.pk][0] is Fate.NOT_CONTACTED
    assert "opted_out" in found[out.pk][1]
    assert found[nothing.pk][0] is Fate.NOT_CONTACTED


def test_out_of_hours_everybody_is_called_later(practice, add, at) -> None:
    add()
    at("2026-11-18T19:00:00Z")
    seen = preview.of(practice=practice, choice=Choice())
    assert seen.rows[0].fate is Fate.CALL_LATER
    assert seen.rows[0].at is not None
    assert seen.rows[0].at.isoformat() == "2026-11-19T09:00:00+00:00"


def test_a_dry_run_changes_nothing_and_asks_a_constant_number_of_queries(practice, add) -> None:
    add()
    preview.of(practice=practice, choice=Choice())
    with CaptureQueriesContext(
        connection,
    ) as few:
        preview.of(practice=practice, choice=Choice())
    for _ in range(10):
        add()
    with CaptureQueriesContext(connection) as many:
        preview.of(practice=practice, choice=Choice())
    assert len(many) == len(few)
    assert not any(
        query["sql"].startswith(("INSERT", "UPDATE", "DELETE")) for query in many.captured_queries
    )
    assert not Campaign.objects.exists()


def test_starting_opens_a_recall_for_each_and_keeps_why_others_were_left_out(
    practice, alice, add
) -> None:
    included, left_out = add(), add(opted_out_at=clock.now())
    campaign = start(practice, alice)
    assert Episode.objects.get(campaign=campaign).patient == included
    row = CampaignPatient.objects.get(campaign=campaign, patient=left_out)
    assert not row.included
    assert "opted_out" in row.codes
    entry = JournalEntry.objects.get(action="campaign.started")
    assert entry.facts == {"included": 1, "excluded": 1}


def test_the_same_token_starts_it_once(practice, alice, add) -> None:
    add()
    token = ids.new()
    assert start(practice, alice, token=token) == start(practice, alice, token=token)
    assert Campaign.objects.count() == 1


def test_nobody_to_contact_is_refused_and_nothing_is_kept(practice, alice, add) -> None:
    add(opted_out_at=clock.now())
    with pytest.raises(AppError) as refusal:
        start(practice, alice)
    assert refusal.value.code == "nobody_to_contact"
    assert not Campaign.objects.exists()
    assert not JournalEntry.objects.exists()


def test_a_patient_in_a_running_campaign_is_not_taken_into_another(practice, alice, add) -> None:
    patient = add()
    start(practice, alice)
    assert fates(practice)[patient.pk] == (Fate.NOT_CONTACTED, (preview.IN_ANOTHER_CAMPAIGN,))


def test_pausing_holds_and_resuming_takes_up(practice, alice, add) -> None:
    add()
    campaign = start(practice, alice)
    run.pause(campaign=campaign, actor=SYSTEM)
    assert Episode.objects.get().paused
    run.pause(campaign=campaign, actor=SYSTEM)
    run.resume(campaign=campaign, actor=SYSTEM)
    assert not Episode.objects.get().paused
    actions = JournalEntry.objects.filter(action__startswith="campaign.").order_by("id")
    assert [entry.action for entry in actions] == [
        "campaign.started",
        "campaign.paused",
        "campaign.resumed",
    ]


def test_stopping_ends_its_recalls_and_cancels_what_was_planned(practice, alice, add) -> None:
    add()
    campaign = start(practice, alice)
    episodes.advance(episode=Episode.objects.get(), actor=SYSTEM)
    assert Attempt.objects.get().state == AttemptState.PLANNED
    run.stop(campaign=campaign, actor=SYSTEM)
    episode = Episode.objects.get()
    assert (episode.state, episode.reason) == (EpisodeState.ENDED, "campaign_stopped")
    assert Attempt.objects.get().state == AttemptState.CANCELLED
    run.resume(campaign=campaign, actor=SYSTEM)
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.STOPPED


def test_it_is_finished_when_its_last_recall_has_ended(practice, alice, add) -> None:
    add()
    campaign = start(practice, alice)
    assert run.finish_those_done(actor=SYSTEM) == 0
    episodes.end(episode=Episode.objects.get(), reason="test", actor=SYSTEM)
    assert run.finish_those_done(actor=SYSTEM) == 1
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.FINISHED
    assert campaign.ended_at == clock.now()


def test_a_choice_survives_being_stored(practice) -> None:
    choice = Choice(risks=("diabetic",), overdue_months=12, age_from=40, limit=30)
    assert Choice.from_json(choice.as_json()) == choice
    assert ("Risk", "diabetic") in words(choice)
    assert ("Overdue", "12 months or more") in words(choice)


class Presses:
    """Ten people press start in the same instant. `refused` counts who found nobody left."""

    def __init__(self, practice: Practice, user: User) -> None:
        self.practice, self.user, self.token = practice, user, ids.new()
        self.ready = threading.Barrier(10)
        self.refused = 0

    def press(self, *, wait: bool) -> None:
        try:
            if wait:
                self.ready.wait(10)
            start(self.practice, self.user, token=self.token)
        except AppError:
            self.refused += 1
        finally:
            connection.close()

    def all_at_once(self, *, wait: bool) -> int:
        threads = [threading.Thread(target=self.press, kwargs={"wait": wait}) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        return Campaign.objects.count()


@pytest.mark.django_db(transaction=True)
def test_ten_presses_at_once_start_one_campaign(practice, alice, add) -> None:
    add()
    presses = Presses(practice, alice)
    assert presses.all_at_once(wait=True) == 1
    assert presses.refused == 0


@pytest.mark.django_db(transaction=True)
def test_without_the_constraint_they_start_several(practice, alice, add, monkeypatch) -> None:
    add()
    presses, found = Presses(practice, alice), preview.of

    def together(**wanted: object) -> object:
        presses.ready.wait(10)
        return found(**wanted)

    monkeypatch.setattr(run.preview, "of", together)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE recall_campaign DROP CONSTRAINT campaign_started_once")
    try:
        assert presses.all_at_once(wait=False) > 1
    finally:
        Campaign.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE recall_campaign ADD CONSTRAINT campaign_started_once"
                " UNIQUE (practice_id, start_token)"
            )
