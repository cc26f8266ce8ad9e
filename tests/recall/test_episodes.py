"""Episodes from opening to their end: in one state with a reason each, and nobody forgotten."""

from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from patients import opt_out
from patients.models import TpsRegister
from practices.journal import Actor
from practices.models import JournalEntry
from recall import episodes, staff_tasks, standing, waking
from recall.chain import Close, NeedsStaff, NextStep, Wait
from recall.models import (
    Attempt,
    AttemptState,
    Campaign,
    Channel,
    Episode,
    EpisodeState,
    Outcome,
    StaffTask,
    TaskKind,
)
from sightsync.lib import clock
from tests import engine
from tests.recall.eligibility_rows import appointment, crowd, patient

pytestmark = pytest.mark.django_db

ACTOR = Actor.system("test")


@pytest.fixture(autouse=True)
def register(db) -> TpsRegister:
    return engine.register()


@pytest.fixture
def jane(practice):
    return patient(practice, email="jane@example.org")


def opened(who, campaign=None) -> Episode:
    (episode,) = episodes.ensure_open(
        practice=who.practice, patients=[who], campaign=campaign, actor=ACTOR
    )
    return episode


def advance(episode):
    decision = episodes.advance(episode=episode, actor=ACTOR)
    episode.refresh_from_db()
    return decision


def finish(episode, outcome, **fields) -> Attempt:
    """The planned attempt goes out and ends so."""
    attempt = episode.attempts.get(state=AttemptState.PLANNED)
    failed = outcome in (Outcome.FAILED, Outcome.UNDELIVERED)
    changes = {
        "state": AttemptState.FAILED if failed else AttemptState.DONE,
        "outcome": outcome,
        "submitted_at": clock.now(),
        "accepted_at": clock.now(),
        "ended_at": clock.now(),
        "destination": episode.patient.phone_number,
        **fields,
    }
    Attempt.objects.filter(pk=attempt.pk).update(**changes)
    return attempt


def planned(episode) -> list[str]:
    return list(
        episode.attempts.filter(state=AttemptState.PLANNED).values_list("channel", flat=True)
    )


def test_opening_twice_opens_once_and_says_so_once(practice, jane):
    first, second = opened(jane), opened(jane)
    assert first == second
    assert first.state == EpisodeState.DUE
    assert first.reason == "not_started"
    assert first.cycle_due_date == jane.next_clinical_due_date
    assert JournalEntry.objects.filter(action="recall.opened").count() == 1


def test_opening_many_takes_a_fixed_number_of_queries(practice):
    def queries(people) -> int:
        with CaptureQueriesContext(connection) as captured:
            episodes.ensure_open(practice=practice, patients=people, campaign=None, actor=ACTOR)
        return len(captured)

    few = queries([patient(practice, f"+4477009001{n:02}") for n in range(2)])
    many = queries([patient(practice, f"+4477009002{n:02}") for n in range(60)])
    assert many == few


def test_the_riskiest_and_most_overdue_come_first(practice):
    routine = patient(practice, "+447700900101")
    diabetic = patient(practice, "+447700900102", risk_category="diabetic")
    longer = patient(
        practice,
        "+447700900103",
        risk_category="diabetic",
        next_clinical_due_date=date(2025, 1, 1),
    )
    found = episodes.ensure_open(
        practice=practice, patients=[routine, diabetic, longer], campaign=None, actor=ACTOR
    )
    assert [episode.patient for episode in found] == [longer, diabetic, routine]


def test_a_campaign_adopts_a_recall_that_has_none(practice, jane, alice):
    first = opened(jane)
    campaign = Campaign.objects.create(practice=practice, name="May", started_at=clock.now())
    assert opened(jane, campaign) == first
    first.refresh_from_db()
    assert first.campaign == campaign
    other = Campaign.objects.create(practice=practice, name="June", started_at=clock.now())
    assert opened(jane, other).campaign == campaign


def test_the_chain_is_planned_step_by_step(practice, jane, at):
    episode = opened(jane)
    assert advance(episode) == NextStep(Channel.VOICE, clock.now())
    assert planned(episode) == ["voice"]
    assert (episode.state, episode.reason) == (EpisodeState.CONTACTING, "voice_planned")
    finish(episode, Outcome.NO_ANSWER)
    assert advance(episode) == NextStep(Channel.WHATSAPP, clock.now() + timedelta(minutes=30))
    at("2026-11-18T10:34:00Z")
    finish(episode, Outcome.READ)
    assert advance(episode) == NextStep(Channel.EMAIL, clock.now() + timedelta(hours=24))
    at("2026-11-19T10:34:00Z")
    finish(episode, Outcome.SENT)
    decision = advance(episode)
    assert decision == Wait(datetime.fromisoformat("2026-11-21T10:04:00Z"), "between_calls")
    assert (episode.state, episode.next_step_at) == (EpisodeState.WAITING, decision.until)
    at(decision.until)
    # The three days end on a Saturday: the call is planned for Monday.
    assert advance(episode) == NextStep(
        Channel.VOICE, datetime.fromisoformat("2026-11-23T09:00:00Z")
    )


def test_advancing_again_changes_nothing(practice, jane):
    episode = opened(jane)
    first = advance(episode)
    before = list(Attempt.objects.values())
    entries = JournalEntry.objects.count()
    assert advance(episode) == first
    assert list(Attempt.objects.values()) == before
    assert JournalEntry.objects.count() == entries


def test_closing_cancels_what_is_planned_in_the_same_transaction(practice, jane):
    episode = opened(jane)
    advance(episode)
    assert episodes.close(episode=episode, state=EpisodeState.BOOKED, reason="booked", actor=ACTOR)
    assert planned(episode) == []
    assert episode.attempts.get().reason == "booked"
    assert not episodes.end(episode=episode, reason="again", actor=ACTOR)
    assert advance(episode) is None
    assert JournalEntry.objects.filter(action="recall.closed").count() == 1
    with pytest.raises(ValueError, match="no end"):
        episodes.close(episode=episode, state=EpisodeState.DUE, reason="x", actor=ACTOR)


def test_opting_out_ends_it_at_the_next_look(practice, jane):
    episode = opened(jane)
    advance(episode)
    opt_out.record(patient=jane, source="staff", actor=ACTOR)
    assert waking.wake(clock.now()) == 1
    assert waking.due(clock.now()) == [episode.pk]
    assert advance(episode) == Close(EpisodeState.OPTED_OUT, "opted_out")
    assert planned(episode) == []


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("deceased_at", "2026-11-18T09:00:00Z", "deceased"),
        ("archived_at", "2026-11-18T09:00:00Z", "archived"),
        ("erased_at", "2026-11-18T09:00:00Z", "erased"),
        ("next_clinical_due_date", date(2028, 11, 1), "no_longer_due"),
    ],
)
def test_what_overtakes_a_recall_wakes_and_ends_it(practice, jane, field, value, reason):
    episode = opened(jane)
    advance(episode)
    setattr(jane, field, value)
    jane.save(update_fields=[field])
    assert waking.wake(clock.now()) == 1
    assert advance(episode) == Close(EpisodeState.ENDED, reason)


def test_an_appointment_from_anywhere_ends_it(practice, jane):
    episode = opened(jane)
    advance(episode)
    assert waking.wake(clock.now()) == 0
    appointment(jane, clock.now() + timedelta(days=5))
    assert waking.wake(clock.now()) == 1
    assert advance(episode) == Close(EpisodeState.BOOKED, "future_appointment")


def test_a_patient_asked_for_early_is_recalled_though_not_due(practice):
    early = patient(practice, next_clinical_due_date=date(2027, 3, 1))
    episode = opened(early)
    assert advance(episode) == NextStep(Channel.VOICE, clock.now())


def test_a_landline_on_the_tps_without_email_cannot_be_contacted(practice):
    who = patient(practice, "+441184960777", phone_kind="fixed_line", risk_category="diabetic")
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO tps_number (n) VALUES (441184960777)")
    episode = opened(who)
    assert advance(episode) == Close(EpisodeState.NOT_CONTACTABLE, "tps_listed")
    assert StaffTask.objects.get().kind == TaskKind.NOT_CONTACTABLE


def test_a_paused_recall_plans_nothing_but_still_ends(practice, jane):
    episode = opened(jane)
    Episode.objects.update(paused=True)
    advance(episode)
    assert planned(episode) == []
    opt_out.record(patient=jane, source="staff", actor=ACTOR)
    assert advance(episode) == Close(EpisodeState.OPTED_OUT, "opted_out")


def test_a_call_back_is_planned_for_the_time_asked_for(practice, jane, at):
    episode = opened(jane)
    advance(episode)
    finish(episode, Outcome.CALL_BACK)
    tomorrow = datetime.fromisoformat("2026-11-19T14:00:00Z")
    jane.not_before = tomorrow
    jane.save(update_fields=["not_before"])
    assert advance(episode) == Wait(tomorrow, "call_back")
    at(tomorrow)
    assert waking.due(clock.now()) == [episode.pk]
    assert advance(episode) == NextStep(Channel.VOICE, tomorrow)


def test_a_refused_number_passes_on_at_once_and_is_not_rung_again(practice, jane, at):
    episode = opened(jane)
    advance(episode)
    finish(episode, Outcome.FAILED, accepted_at=None, reason="bad_number")
    assert advance(episode) == NextStep(Channel.WHATSAPP, clock.now())
    finish(episode, Outcome.READ)
    advance(episode)
    finish(episode, Outcome.SENT)
    at(clock.now() + timedelta(days=30))
    TpsRegister.objects.update(register_date=clock.today())
    assert advance(episode) == Close(EpisodeState.EXHAUSTED, "exhausted")


def test_symptoms_go_to_staff_at_once_and_urgently(practice, jane):
    episode = opened(jane)
    advance(episode)
    attempt = finish(episode, Outcome.SYMPTOMS)
    assert advance(episode) == NeedsStaff("symptoms")
    task = StaffTask.objects.get()
    assert (task.kind, task.urgent, task.attempt) == (TaskKind.SYMPTOMS, True, attempt)
    assert (episode.state, episode.next_step_at) == (EpisodeState.NEEDS_STAFF, None)
    advance(episode)
    assert StaffTask.objects.count() == 1


def test_when_staff_have_dealt_with_it_the_recall_ends(practice, jane, alice):
    episode = opened(jane)
    advance(episode)
    finish(episode, Outcome.SYMPTOMS)
    advance(episode)
    task = StaffTask.objects.get()
    assert staff_tasks.finish(task=task, actor=Actor.user(alice))
    assert not staff_tasks.finish(task=task, actor=Actor.user(alice))
    task.refresh_from_db()
    assert task.done_by == alice
    assert waking.due(clock.now()) == [episode.pk]
    assert advance(episode) == Close(EpisodeState.ENDED, "handled_by_staff")


def test_a_task_finished_while_the_call_still_went_on_counts(practice, jane, alice, at):
    episode = opened(jane)
    advance(episode)
    attempt = episode.attempts.get()
    task = staff_tasks.open_task(
        practice=practice, kind=TaskKind.HUMAN, patient=jane, attempt=attempt, actor=ACTOR
    )
    staff_tasks.finish(task=task, actor=Actor.user(alice), note_code=staff_tasks.CONTINUE)
    at("2026-11-18T10:06:00Z")
    finish(episode, Outcome.NEEDS_STAFF)
    assert isinstance(advance(episode), NextStep)


def test_when_staff_say_go_on_it_goes_on(practice, jane, alice):
    episode = opened(jane)
    advance(episode)
    finish(episode, Outcome.NEEDS_STAFF)
    advance(episode)
    staff_tasks.finish(
        task=StaffTask.objects.get(), actor=Actor.user(alice), note_code=staff_tasks.CONTINUE
    )
    assert advance(episode) == NextStep(Channel.WHATSAPP, clock.now() + timedelta(minutes=30))


def test_a_task_is_opened_once_per_patient_and_kind_and_once_ever_per_attempt(practice, jane):
    episode = opened(jane)
    advance(episode)
    attempt = finish(episode, Outcome.NEEDS_STAFF)

    def ask(**more) -> StaffTask:
        return staff_tasks.open_task(
            practice=practice, kind=TaskKind.HUMAN, patient=jane, actor=ACTOR, **more
        )

    first = ask(attempt=attempt)
    assert ask(attempt=attempt) == first
    assert ask(urgent=True) == first
    first.refresh_from_db()
    assert first.urgent
    staff_tasks.finish(task=first, actor=ACTOR)
    assert ask(attempt=attempt) == first
    assert ask() != first


def test_a_forgotten_recall_is_woken(practice, jane):
    episode = opened(jane)
    Episode.objects.update(next_step_at=None)
    assert waking.wake(clock.now()) == 1
    Episode.objects.update(next_step_at=None, state=EpisodeState.NEEDS_STAFF, reason="symptoms")
    assert waking.wake(clock.now()) == 1
    advance(episode)
    assert waking.wake(clock.now()) == 0


def test_a_recall_that_a_person_was_asked_about_is_not_forgotten(practice, jane):
    opened(jane)
    Episode.objects.update(next_step_at=None)
    staff_tasks.open_task(practice=practice, kind=TaskKind.JOB_FAILED, patient=jane, actor=ACTOR)
    assert waking.wake(clock.now()) == 0
    staff_tasks.finish(task=StaffTask.objects.get(), actor=ACTOR)
    assert waking.wake(clock.now()) == 1


@pytest.mark.parametrize("seed", [1, 2])
def test_every_overdue_patient_is_in_exactly_one_state_with_a_reason(
    practice, other_practice, seed
):
    people = crowd(practice, seed, size=50)
    crowd(other_practice, seed, size=10)
    for episode in episodes.ensure_open(
        practice=practice, patients=people[::2], campaign=None, actor=ACTOR
    ):
        episodes.advance(episode=episode, actor=ACTOR)
    for episode in Episode.objects.filter(closed_at=None)[:5]:
        episodes.end(episode=episode, reason="campaign_stopped", actor=ACTOR)
    found = list(standing.standing(practice))
    overdue = {
        who.pk
        for who in people
        if who.next_clinical_due_date <= clock.today()
        and not (who.archived_at or who.deceased_at or who.erased_at)
    }
    assert len(found) == len({one.patient_id for one in found})
    assert {one.patient_id for one in found} == overdue
    assert all(one.reason for one in found)
    due = {who.pk: (who.next_clinical_due_date, who.pk) for who in people}
    for state in EpisodeState:
        there = sorted((due[one.patient_id], one) for one in found if one.state == state)
        asked = standing.of_state(practice, state, offset=1, limit=4)
        assert asked == ([one for _, one in there[1:5]], len(there))


@pytest.mark.parametrize("seed", [3, 4])
def test_no_open_recall_is_without_a_next_look_or_a_person_asked(practice, seed):
    people = crowd(practice, seed, size=40)
    for episode in episodes.ensure_open(
        practice=practice, patients=people, campaign=None, actor=ACTOR
    ):
        episodes.advance(episode=episode, actor=ACTOR)
    for episode in Episode.objects.filter(closed_at=None):
        if episode.state == EpisodeState.NEEDS_STAFF:
            assert StaffTask.objects.filter(patient=episode.patient, done_at=None).exists()
        else:
            assert episode.next_step_at is not None
    assert waking.wake(clock.now()) == 0


def test_standing_tells_a_lost_appointment_from_a_booked_one(practice, jane):
    episode = opened(jane)
    episodes.close(episode=episode, state=EpisodeState.BOOKED, reason="booked", actor=ACTOR)
    assert [(one.state, one.reason) for one in standing.standing(practice)] == [
        (EpisodeState.DUE, "appointment_lost")
    ]
    appointment(jane, clock.now() + timedelta(days=1))
    assert [(one.state, one.reason) for one in standing.standing(practice)] == [
        (EpisodeState.BOOKED, "future_appointment")
    ]
