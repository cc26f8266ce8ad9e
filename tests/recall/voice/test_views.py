"""Calls over Twilio's own requests: what is said, written down, booked and recorded."""

from __future__ import annotations

import pytest
from django.test import Client

from integrations.twilio import signature
from patients.models import Patient, Suppression
from practices.models import JournalEntry
from recall.models import (
    Appointment,
    Attempt,
    CallTurn,
    EpisodeState,
    Outcome,
    StaffTask,
    TaskKind,
)
from recall.voice import acts, session

pytestmark = pytest.mark.django_db


def after(line) -> Attempt:
    line.attempt.refresh_from_db()
    return line.attempt


def test_a_call_books_the_slot_that_was_chosen_and_read_back(line) -> None:
    assert "automated assistant for Acuity Opticians" in line.words
    line.says("Yes, speaking.")
    assert "an eye examination" in line.words
    assert "I can offer" in line.words
    line.says("The first one please")
    assert "Shall I book" in line.words
    line.says("Yes please")
    assert "You are booked for" in line.words
    assert line.hung_up

    appointment = Appointment.objects.get()
    attempt = after(line)
    assert appointment.attempt == attempt
    assert appointment.source == "call"
    assert attempt.outcome == Outcome.BOOKED
    assert attempt.summary.startswith("Booked ")
    assert attempt.episode.state == EpisodeState.BOOKED


def test_every_line_is_written_down_in_order(line) -> None:
    line.says("Yes, speaking.")
    line.presses("4")
    turns = list(CallTurn.objects.order_by("number"))
    assert [turn.speaker for turn in turns] == [
        "assistant", "patient", "assistant", "patient", "assistant",
    ]  # fmt: skip
    assert turns[1].text == "Yes, speaking."
    assert turns[1].intent == "yes"
    assert turns[1].confidence == 0.9
    assert turns[3].digits == "4"


def test_a_repeated_request_gets_the_same_answer_and_does_nothing(line) -> None:
    line.says("Yes")
    line.says("The first one")
    first = line.says("Yes please")
    assert line.again() == first
    assert Appointment.objects.count() == 1
    assert CallTurn.objects.filter(speaker="patient").count() == 3


def test_the_start_asked_twice_says_the_same(call) -> None:
    line = call()
    assert line.pick_up() == line.pick_up()
    assert CallTurn.objects.count() == 1


ENDINGS = [
    ("Please stop calling me", Outcome.OPTED_OUT, None),
    ("You have the wrong number", Outcome.WRONG_PERSON, TaskKind.WRONG_NUMBER),
    ("She passed away", Outcome.DECEASED, TaskKind.DECEASED),
    ("I'm seeing flashes and floaters", Outcome.SYMPTOMS, TaskKind.SYMPTOMS),
    ("I want to speak to a person", Outcome.NEEDS_STAFF, TaskKind.HUMAN),
    ("She's out", Outcome.ANSWERED, None),
    ("Can you ring back tomorrow afternoon?", Outcome.CALL_BACK, None),
]


@pytest.mark.parametrize(("says", "outcome", "task"), ENDINGS)
def test_what_is_said_first_decides_the_outcome(line, says, outcome, task) -> None:
    line.says(says)
    attempt = after(line)
    assert line.hung_up
    assert attempt.outcome == outcome
    assert attempt.summary
    assert "eye" not in line.words.replace("an eye hurts", "").lower()
    if task:
        assert StaffTask.objects.get(kind=task).attempt == attempt


def test_nine_opts_out_at_once(line) -> None:
    line.presses("9")
    assert "We will not call you again" in line.words
    assert Patient.objects.get().opted_out
    assert after(line).outcome == Outcome.OPTED_OUT


def test_symptoms_are_urgent_and_book_nothing(line) -> None:
    line.says("Yes")
    line.says("The first one")
    line.says("Yes but I have lost the sight in one eye")
    assert StaffTask.objects.get(kind=TaskKind.SYMPTOMS).urgent
    assert not Appointment.objects.exists()
    assert "111" in line.words


def test_declining_closes_the_recall_with_its_reason(line) -> None:
    line.says("Yes")
    line.says("No thanks, it's too expensive")
    attempt = after(line)
    assert attempt.outcome == Outcome.DECLINED
    assert attempt.dialogue["reason"] == "cost"
    assert attempt.episode.state == EpisodeState.DECLINED


def test_a_call_back_is_kept_as_the_first_moment_to_ring(line) -> None:
    line.says("Can you ring me back tomorrow afternoon?")
    assert Patient.objects.get().not_before.isoformat() == "2026-11-19T12:00:00+00:00"


def test_a_slot_lost_on_the_line_leads_to_the_next_three(line, practice) -> None:
    line.says("Yes")
    line.says("The first one")
    taken = acts.diary.free(practice=practice, now=acts.clock.now())[0]
    other = Line2.patient(practice)
    acts.book.book(
        practice=practice,
        patient=other,
        diary_id=taken.diary_id,
        starts_at=taken.start,
        source="staff",
        actor=session.CALL,
    )
    line.says("Yes please")
    assert "just been taken" in line.words
    assert "I can offer" in line.words
    line.presses("1")
    line.presses("1")
    assert "You are booked" in line.words
    assert Appointment.objects.count() == 2


class Line2:
    """Somebody else, who books meanwhile."""

    @staticmethod
    def patient(practice) -> Patient:
        from tests import engine

        return engine.patient(practice, "+447700900777")


def test_a_full_diary_goes_to_staff(line, diary) -> None:
    diary.active = False
    diary.save(update_fields=["active"])
    line.says("Yes")
    assert line.hung_up
    assert after(line).outcome == Outcome.NEEDS_STAFF
    assert [task.kind for task in StaffTask.objects.all()] == [TaskKind.NO_FREE_TIME]


def test_a_patient_who_is_booked_already_is_not_booked_twice(line, practice) -> None:
    line.says("Yes")
    free = acts.diary.free(practice=practice, now=acts.clock.now())
    acts.book.book(
        practice=practice,
        patient=line.attempt.patient,
        diary_id=free[-1].diary_id,
        starts_at=free[-1].start,
        source="link",
        actor=session.CALL,
    )
    line.presses("1")
    line.presses("1")
    assert Appointment.objects.count() == 1
    assert "check the diary" in line.words


def test_a_wish_narrows_the_next_offer(line) -> None:
    line.says("Yes")
    line.says("Have you got anything on a Friday afternoon?")
    assert "press 1 for Friday" in line.words
    assert "am," not in line.words


def test_a_machine_hears_the_practice_and_its_number_only(line) -> None:
    line.machine()
    line.is_silent()
    assert line.hung_up
    assert "Acuity Opticians" in line.words
    assert "Anna" not in line.words
    assert "eye" not in line.words
    assert after(line).outcome == Outcome.VOICEMAIL


def test_a_recorded_greeting_is_told_from_a_person(line) -> None:
    line.says("Hi, you've reached Anna. Please leave a message after the tone.")
    assert after(line).outcome == Outcome.VOICEMAIL


def test_machine_detection_is_not_believed_once_a_person_has_spoken(line) -> None:
    line.says("Yes?")
    line.machine()
    line.is_silent()
    assert not line.hung_up
    assert after(line).answered_by == "human"


def test_a_voice_after_machine_detection_makes_it_a_person(line) -> None:
    line.machine()
    line.says("Yes, speaking")
    assert "I can offer" in line.words
    assert after(line).answered_by == "human"


def test_a_child_is_asked_for_through_a_parent(call) -> None:
    line = call(first_name="Tom", date_of_birth="2016-01-01")
    line.pick_up()
    assert "parent or guardian of Tom" in line.words
    line.says("Yes, I'm his mum")
    assert "Tom is due an eye examination" in line.words


def test_an_opt_out_that_overtook_the_ringing_ends_the_call(call) -> None:
    line = call()
    Patient.objects.update(opted_out_at=acts.clock.now())
    line.pick_up()
    assert line.hung_up
    assert "Anna" not in line.words


def test_a_refused_recording_is_noted_and_stopped(line, monkeypatch) -> None:
    jobs: list[tuple[str, ...]] = []
    monkeypatch.setattr(acts.jobs, "enqueue", lambda *job: jobs.append(job))
    line.says("No recording please")
    assert jobs == [("recall.voice.tasks.stop_recording", line.attempt.public_id)]
    assert after(line).dialogue["recording_declined"] is True
    assert "Am I speaking with Anna" in line.words


def test_a_failure_still_says_who_called_and_how_to_opt_out(line, monkeypatch) -> None:
    def breaks(*_args: object, **_facts: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(session.dialogue, "hear", breaks)
        line.says("Yes")
    assert line.status == 200
    assert "This was Acuity Opticians" in line.words
    assert "press 9" in line.words
    assert StaffTask.objects.get().kind == TaskKind.CALL_FAILED
    line.presses("9")
    assert line.hung_up
    assert Patient.objects.get().opted_out


@pytest.mark.parametrize("answer", ["presses:9", "says:stop calling me"])
def test_an_opt_out_is_not_lost_in_a_failure(line, monkeypatch, answer) -> None:
    def breaks(*_args: object, **_facts: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(session.dialogue, "hear", breaks)
    how, _, what = answer.partition(":")
    getattr(line, how)(what)
    assert Patient.objects.get().opted_out


def test_nothing_readable_of_the_patient_is_kept_beside_the_transcript(line) -> None:
    line.says("Yes")
    assert "Anna" not in str(after(line).dialogue)


def test_the_journal_tells_the_call_without_a_word_of_it(line) -> None:
    line.says("Yes, it's me")
    line.says("No thank you")
    actions = list(JournalEntry.objects.order_by("pk").values_list("action", flat=True))
    assert "call.identity_confirmed" in actions
    assert "call.outcome" in actions
    assert "Anna" not in str(list(JournalEntry.objects.values_list("facts", flat=True)))


@pytest.mark.parametrize("ending", ["", "/turn?n=1", "/amd"])
def test_an_unsigned_request_is_refused_and_changes_nothing(line, ending) -> None:
    before = CallTurn.objects.count()
    line._send(line.url + ending, {"CallSid": line.attempt.provider_ref}, sign="wrong")
    assert line.status == 403
    assert CallTurn.objects.count() == before


def test_another_calls_id_is_not_found(line) -> None:
    line.post(line.next_url, CallSid="CA" + "9" * 32, SpeechResult="stop calling me")
    assert line.status == 404
    assert not Patient.objects.get().opted_out


@pytest.mark.parametrize("number", ["", "x", "-1", "99999"])
def test_a_turn_without_its_number_is_a_bad_request(line, number) -> None:
    line.post(f"{line.url}/turn?n={number}", SpeechResult="Yes")
    assert line.status == 400


def inbound(practice, **fields: str):
    from django.conf import settings

    from integrations.twilio import client

    account = client.account_for(sandbox=True)
    url = f"{settings.PUBLIC_BASE_URL}/hooks/twilio/inbound/voice"
    params = {
        "CallSid": "CA" + "1" * 32,
        "AccountSid": account.sid,
        "From": "+447700900321",
        "To": practice.caller_number,
        **fields,
    }
    signed = signature.sign(url=url, params=params, token=account.token)
    return Client().post(
        "/hooks/twilio/inbound/voice", params, headers={"X-Twilio-Signature": signed}
    )


def test_a_person_who_rings_back_hears_who_we_are(practice) -> None:
    answer = inbound(practice).content.decode()
    assert "Acuity Opticians" in answer
    assert "press 9" in answer


def test_a_person_who_rings_back_can_opt_out_known_or_not(practice) -> None:
    answer = inbound(practice, Digits="9").content.decode()
    assert "We will not call you again" in answer
    assert Suppression.objects.exists()


def test_a_person_with_a_withheld_number_is_given_the_practices(practice) -> None:
    answer = inbound(practice, Digits="9", From="anonymous").content.decode()
    assert "Our number is" in answer
    assert not Suppression.objects.exists()


def test_ringing_back_to_opt_out_ends_the_recall_of_that_number(line, practice) -> None:
    inbound(practice, Digits="9", From=line.attempt.destination)
    attempt = after(line)
    attempt.episode.refresh_from_db()
    assert attempt.episode.state == EpisodeState.OPTED_OUT
    assert Patient.objects.get().opted_out


def test_an_unsigned_call_back_is_refused(practice) -> None:
    answer = Client().post("/hooks/twilio/inbound/voice", {"To": practice.caller_number})
    assert answer.status_code == 403


def test_a_call_to_a_number_that_is_no_practices_is_not_found(practice) -> None:
    assert inbound(practice, To="+441134960999").status_code == 404
