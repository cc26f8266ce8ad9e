"""Every persona of the sandbox reaches its outcome, as its log and the journal tell it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from practices import journal
from recall.models import Appointment, Channel, EpisodeState, Outcome, StaffTask, TaskKind
from sightsync.lib import clock
from tests.journeys.conftest import Stack

pytestmark = pytest.mark.django_db(transaction=True)

BOOKED, NEEDS, OUT = EpisodeState.BOOKED, EpisodeState.NEEDS_STAFF, EpisodeState.OPTED_OUT
EXHAUSTED = EpisodeState.EXHAUSTED


@dataclass(frozen=True)
class Expected:
    """`calls`, `texts` and `mails`: what left for recalling, as the sandbox counted it."""

    state: EpisodeState
    call: Outcome | str = ""
    calls: int = 1
    texts: int = 0
    mails: int = 0
    task: TaskKind | None = None
    by: str = ""


PERSONAS: dict[str, Expected] = {
    "01": Expected(BOOKED, Outcome.BOOKED, by="call"),
    "02": Expected(BOOKED, Outcome.BOOKED, by="call"),
    "03": Expected(EpisodeState.DECLINED, Outcome.DECLINED),
    "04": Expected(OUT, Outcome.OPTED_OUT),
    "05": Expected(OUT, Outcome.OPTED_OUT),
    "06": Expected(BOOKED, Outcome.NO_ANSWER, texts=1, by="link"),
    "07": Expected(BOOKED, Outcome.VOICEMAIL, texts=1, mails=1, by="link"),
    "08": Expected(EXHAUSTED, Outcome.BUSY, calls=3, texts=1, mails=1),
    "09": Expected(NEEDS, Outcome.WRONG_PERSON, task=TaskKind.WRONG_NUMBER),
    "10": Expected(NEEDS, Outcome.CALL_BACK, calls=3, task=TaskKind.CALL_BACK),
    "11": Expected(NEEDS, Outcome.SYMPTOMS, task=TaskKind.SYMPTOMS),
    "12": Expected(EXHAUSTED, Outcome.HUNG_UP, calls=3, texts=1, mails=1),
    "14": Expected(BOOKED, Outcome.BOOKED, by="call"),
    "15": Expected(BOOKED, Outcome.BOOKED, by="call"),
    "16": Expected(OUT, Outcome.NO_ANSWER, texts=1),
    "17": Expected(EXHAUSTED, Outcome.NO_ANSWER, calls=3, texts=1, mails=1),
    "19": Expected(BOOKED, Outcome.BOOKED, by="call"),
}


@pytest.mark.parametrize("ending", PERSONAS)
def test_the_persona_reaches_its_outcome(stack: Stack, ending: str) -> None:
    expected = PERSONAS[ending]
    patient = stack.patient(ending)
    stack.recall(patient)
    stack.until_ended(patient)

    episode = stack.episode(patient)
    calls = stack.attempts(patient, channel=Channel.VOICE, submitted_at__isnull=False)
    assert episode.state == expected.state, stack.situation()
    assert calls[0].outcome == expected.call
    _judge_by_the_log(stack, patient, expected)
    tasks = set(StaffTask.objects.filter(patient=patient).values_list("kind", flat=True))
    if expected.task:
        assert expected.task in tasks
    appointment = Appointment.objects.filter(patient=patient).first()
    assert (appointment is not None) is (expected.state == BOOKED)
    if appointment is not None:
        assert appointment.source == expected.by
        _confirmed_once(stack, patient)
    _proved(stack, patient, expected)


def _judge_by_the_log(stack: Stack, patient, expected: Expected) -> None:
    texts = stack.sandbox.messages_to(patient.phone_number)
    whatsapp = [row for row in texts if row["params"]["To"].startswith("whatsapp:")]
    recalls = stack.sandbox.mails_to(patient.email)
    assert len(stack.sandbox.calls_to(patient.phone_number)) == expected.calls
    assert len(whatsapp) == expected.texts
    assert len(recalls) == expected.mails


def _confirmed_once(stack: Stack, patient) -> None:
    texts = stack.sandbox.messages_to(patient.phone_number)
    sms = [row["params"] for row in texts if not row["params"]["To"].startswith("whatsapp:")]
    assert len(sms) == 1
    assert stack.practice.name in sms[0]["Body"]
    assert ".ics" in sms[0]["Body"]
    assert "/o/" in sms[0]["Body"]


def _proved(stack: Stack, patient, expected: Expected) -> None:
    actions = stack.actions(patient)
    assert actions.index("recall.opened") < actions.index("attempt.claimed")
    if expected.state == BOOKED:
        assert actions.count("appointment.booked") == 1
    if expected.state == OUT:
        assert "optout.recorded" in actions
    journal.seal()
    assert journal.verify(stack.practice.pk) is None


def test_13_a_refused_number_reaches_staff_and_the_next_channel(stack: Stack) -> None:
    patient = stack.patient("13")
    stack.recall(patient)
    stack.until_ended(patient)
    call = stack.attempts(patient, channel=Channel.VOICE)[0]
    assert (call.state, call.reason) == ("failed", "bad_number")
    assert StaffTask.objects.filter(patient=patient, kind=TaskKind.WRONG_NUMBER).exists()
    assert not stack.sandbox.calls_to(patient.phone_number)


def test_14_was_asked_twice_because_the_first_was_refused_for_now(stack: Stack) -> None:
    patient = stack.patient("14")
    stack.recall(patient)
    stack.until_ended(patient)
    asked = [
        row["status"]
        for row in stack.sandbox.log("twilio")
        if row["method"] == "POST" and row["path"].endswith("/Calls.json")
    ]
    assert asked == [429, 201]
    assert stack.attempts(patient, channel=Channel.VOICE)[0].retries == 1


def test_15_was_asked_once_although_the_answer_was_lost(stack: Stack) -> None:
    patient = stack.patient("15")
    stack.recall(patient)
    stack.until_ended(patient)
    asked = [
        row
        for row in stack.sandbox.log("twilio")
        if row["method"] == "POST" and row["path"].endswith("/Calls.json")
    ]
    assert len(asked) == 1
    assert Appointment.objects.filter(patient=patient).count() == 1


def test_10_is_rung_back_in_the_afternoon_of_the_next_day(stack: Stack) -> None:
    patient = stack.patient("10")
    stack.recall(patient)
    first_day = clock.london(clock.now()).date()
    stack.until(lambda: len(stack.sandbox.calls_to(patient.phone_number)) == 2)
    again = clock.london(datetime.fromisoformat(str(clock.now())))
    assert again.date() == first_day + timedelta(days=1)
    assert again.hour >= 12


def test_18_says_nothing_and_is_not_pressed(stack: Stack) -> None:
    patient = stack.patient("18")
    stack.recall(patient)
    stack.until_ended(patient)
    assert stack.episode(patient).state in (EXHAUSTED, BOOKED)
    assert len(stack.sandbox.calls_to(patient.phone_number)) <= 3
    first = stack.attempts(patient, channel=Channel.VOICE)[0]
    assert first.outcome not in (Outcome.BOOKED, Outcome.VOICEMAIL)


def test_20_is_a_human_and_not_a_machine(stack: Stack) -> None:
    patient = stack.patient("20")
    stack.recall(patient)
    stack.work()
    call = stack.attempts(patient, channel=Channel.VOICE)[0]
    assert call.outcome != Outcome.VOICEMAIL
    assert not call.answered_by.startswith("machine")
    said = " ".join(turn["text"] for turn in stack.sandbox.transcript(call.provider_ref))
    assert "speaking with Jane" in said


def test_21_books_at_most_one_time_for_this_patient(stack: Stack) -> None:
    patient = stack.patient("21")
    stack.recall(patient)
    stack.until_ended(patient)
    assert Appointment.objects.count() <= 1
    assert not Appointment.objects.exclude(patient=patient).exists()


def test_three_people_with_one_number_are_rung_one_after_the_other(stack: Stack) -> None:
    mother = stack.patient("01")
    child = stack.patient("01", first_name="Tom")
    stack.recall(mother, child)
    stack.until_ended(mother, child)
    calls = stack.sandbox.calls_to(mother.phone_number)
    times = [datetime.fromisoformat(row["at"]) for row in calls]
    assert all(b - a >= timedelta(hours=24) for a, b in pairwise(times))
