"""Every way in which the carrier's answer can go wrong: one request, and nothing is sent again."""

import pytest

from integrations.twilio import client
from practices import quota
from practices.journal import Actor
from recall import staff_tasks, tasks
from recall.attempts import carriers, reconcile, results
from recall.models import Attempt, AttemptState, Channel, Outcome, StaffTask, TaskKind
from sightsync.lib import clock
from tests import engine
from tests.engine import ACTOR, until

pytestmark = pytest.mark.django_db(transaction=True)

VOICE, SMS, WHATSAPP = Channel.VOICE, Channel.SMS, Channel.WHATSAPP


def requests_for(carrier, attempt) -> list[dict]:
    return [
        row
        for row in carrier.log("twilio")
        if row["method"] == "POST"
        and row["path"].endswith(("/Calls.json", "/Messages.json"))
        and attempt.public_id in row["params"].get("StatusCallback", "")
    ]


def used(practice) -> int:
    return quota.used(practice_id=practice.pk, month=quota.month_of(clock.now()))


@pytest.fixture
def quick_timeout(monkeypatch):
    monkeypatch.setattr(carriers, "TIMEOUT_S", 0.5)


@pytest.mark.parametrize("channel", [VOICE, WHATSAPP])
@pytest.mark.parametrize(
    "mode", ["drop_after_accept", "drop_before_accept", "500", "broken_json", "html", "delay"]
)
def test_an_unclear_answer_is_unknown_and_is_never_sent_again(
    jane, carrier, quick_timeout, channel, mode
):
    carrier.fault("twilio", mode, times=1, match="To=", seconds=1.5)
    carrier.fault("twilio", "callbacks_off", match="To=")
    attempt = engine.planned(jane, channel)

    tasks.dial(str(attempt.pk))
    tasks.dial(str(attempt.pk))

    attempt.refresh_from_db()
    assert attempt.state == AttemptState.UNKNOWN
    assert attempt.submitted_at is not None
    # The log has a request once it was answered, which after a delay is later than we waited.
    until(lambda: requests_for(carrier, attempt))
    assert len(requests_for(carrier, attempt)) == 1


@pytest.mark.parametrize("mode", ["drop_after_accept", "broken_json", "delay"])
def test_what_the_carrier_took_all_the_same_is_settled_by_its_callbacks(
    jane, carrier, quick_timeout, mode
):
    carrier.fault("twilio", mode, times=1, match="/Calls.json", seconds=1.5)
    attempt = engine.planned(jane)

    tasks.dial(str(attempt.pk))
    carrier.wait_idle()

    attempt.refresh_from_db()
    assert attempt.state == AttemptState.DONE
    assert attempt.provider_ref.startswith("CA")
    until(lambda: requests_for(carrier, attempt))
    assert len(requests_for(carrier, attempt)) == 1


def test_what_the_carrier_took_is_found_by_asking_when_no_callback_comes(jane, carrier):
    carrier.fault("twilio", "drop_after_accept", times=1, match="/Calls.json")
    carrier.fault("twilio", "callbacks_off", match="/Calls.json")
    attempt = engine.planned(jane)
    tasks.dial(str(attempt.pk))
    carrier.wait_idle()

    tasks.look_up(str(attempt.pk))

    attempt.refresh_from_db()
    assert (attempt.state, attempt.outcome) == (AttemptState.DONE, Outcome.NO_ANSWER)
    assert attempt.provider_ref == carrier.calls_to(jane.phone_number)[0]["answer"]["sid"]


def test_asking_brings_the_recording_that_a_lost_callback_would_have_named(
    jane, carrier, monkeypatch
):
    seen = client.Seen(sid="CA" + "1" * 32, status="completed", created_at=None, to="", from_="")
    recording = "RE" + "1" * 32
    monkeypatch.setattr(client, "fetch_call", lambda **_: seen)
    monkeypatch.setattr(client, "find_recording", lambda *, account, call_sid: recording)
    attempt = engine.under_way(jane, provider_ref=seen.sid)

    tasks.look_up(str(attempt.pk))

    attempt.refresh_from_db()
    assert (attempt.state, attempt.recording) == (AttemptState.DONE, recording)


def test_two_candidates_settle_nothing(jane, carrier):
    """Somebody else's call to the same number must not be taken for ours."""
    carrier.fault("twilio", "500", times=1, match="/Calls.json")
    carrier.fault("twilio", "callbacks_off", match="/Calls.json")
    attempt = engine.planned(jane)
    tasks.dial(str(attempt.pk))
    attempt.refresh_from_db()
    account = carriers.account_of(jane.practice)
    for _ in range(2):
        carriers.twilio.place_call(
            account=account,
            to=jane.phone_number,
            from_=jane.practice.caller_number,
            answer_url="http://127.0.0.1:9/",
            status_url="http://127.0.0.1:9/",
            amd_url="http://127.0.0.1:9/",
        )

    tasks.look_up(str(attempt.pk))

    attempt.refresh_from_db()
    assert attempt.state == AttemptState.UNKNOWN
    carrier.reset()  # those two calls were the test's own


def test_what_stays_unknown_is_shown_to_the_staff_after_half_an_hour(jane, carrier, at):
    carrier.fault("twilio", "drop_before_accept", times=1, match="/Calls.json")
    attempt = engine.planned(jane)
    tasks.dial(str(attempt.pk))
    reconcile.run(clock.now(), actor=ACTOR)
    assert not StaffTask.objects.exists()

    at("2026-11-18T10:35:00Z")
    reconcile.run(clock.now(), actor=ACTOR)
    reconcile.run(clock.now(), actor=ACTOR)

    assert StaffTask.objects.get().kind == TaskKind.UNKNOWN_OUTCOME
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.UNKNOWN
    assert len(requests_for(carrier, attempt)) == 1


def test_when_the_staff_have_dealt_with_it_the_recall_goes_on(jane, carrier, at, bob):
    carrier.fault("twilio", "drop_before_accept", times=1, match="/Calls.json")
    attempt = engine.planned(jane)
    tasks.dial(str(attempt.pk))
    at("2026-11-18T10:35:00Z")
    reconcile.run(clock.now(), actor=ACTOR)
    staff_tasks.finish(task=StaffTask.objects.get(), actor=Actor.user(bob))

    reconcile.run(clock.now(), actor=ACTOR)

    attempt.refresh_from_db()
    assert (attempt.state, attempt.reason) == (AttemptState.DONE, "settled_by_staff")
    following = Attempt.objects.get(patient=jane, state=AttemptState.PLANNED)
    assert following.channel == WHATSAPP


@pytest.mark.parametrize("was_sent", [True, False])
def test_the_staff_can_settle_what_nobody_knew(jane, carrier, was_sent):
    carrier.fault("twilio", "drop_before_accept", times=1, match="/Calls.json")
    attempt = engine.planned(jane)
    tasks.dial(str(attempt.pk))

    assert reconcile.settle(attempt=attempt, was_sent=was_sent, actor=ACTOR)
    assert not reconcile.settle(attempt=attempt, was_sent=not was_sent, actor=ACTOR)

    attempt.refresh_from_db()
    assert attempt.state == AttemptState.DONE
    assert attempt.outcome == (Outcome.NO_ANSWER if was_sent else Outcome.FAILED)
    assert used(jane.practice) == int(was_sent)


def test_slow_down_plans_it_again_and_counts_for_nothing(jane, carrier, at):
    carrier.fault("twilio", "429", times=1, match="/Calls.json", retry_after=60)
    attempt = engine.planned(jane)

    tasks.dial(str(attempt.pk))

    attempt.refresh_from_db()
    assert attempt.state == AttemptState.PLANNED
    assert attempt.retries == 1
    assert attempt.submitted_at is None
    assert (attempt.due_at - clock.now()).total_seconds() == 60
    assert used(jane.practice) == 0

    at("2026-11-18T10:05:01Z")
    tasks.dial(str(attempt.pk))
    carrier.wait_idle()
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.DONE
    assert used(jane.practice) == 1
    assert len(carrier.calls_to(jane.phone_number)) == 1


def test_slow_down_for_ever_ends_in_a_failure(jane, carrier):
    carrier.fault("twilio", "429", times=20, match="/Calls.json")
    attempt = engine.planned(jane, retries=results.MOST_RETRIES)

    tasks.dial(str(attempt.pk))

    attempt.refresh_from_db()
    assert (attempt.state, attempt.reason) == (AttemptState.FAILED, "carrier_unavailable")
    assert used(jane.practice) == 0
    carrier.clear_faults("twilio")


def test_a_carrier_that_cannot_be_reached_is_tried_again_later(jane, carrier, settings):
    attempt = engine.planned(jane)
    settings.SANDBOX_URL = "http://127.0.0.1:9"

    tasks.dial(str(attempt.pk))

    attempt.refresh_from_db()
    assert (attempt.state, attempt.error_code) == (AttemptState.PLANNED, "unreachable")
    assert attempt.due_at > clock.now()


def test_a_refused_number_fails_gives_the_call_back_and_tells_the_staff(practice, carrier):
    engine.register()
    pat = engine.patient(practice, "+447700900113", email="pat@example.org")
    attempt = engine.planned(pat)

    tasks.dial(str(attempt.pk))

    attempt.refresh_from_db()
    assert (attempt.state, attempt.reason) == (AttemptState.FAILED, "bad_number")
    assert attempt.error_code == "21211"
    assert attempt.submitted_at is None
    assert used(practice) == 0
    assert StaffTask.objects.get().kind == TaskKind.WRONG_NUMBER
    assert Attempt.objects.filter(patient=pat, state=AttemptState.PLANNED).exists()


def test_a_text_that_the_network_refuses_for_a_stop_opts_the_patient_out_of_texts(jane, carrier):
    ours = jane.practice.caller_number
    carrier.inbound(channel="sms", from_=jane.phone_number, to=ours, body="STOP")
    carrier.wait_idle()
    attempt = engine.planned(jane, SMS)

    tasks.dial(str(attempt.pk))

    attempt.refresh_from_db()
    assert attempt.state in (AttemptState.FAILED, AttemptState.CANCELLED)
    jane.refresh_from_db()
    assert jane.opted_out_channels or jane.opted_out_at


# --- email ---------------------------------------------------------------------------------------


def test_an_email_that_the_server_took_is_done_and_has_the_opt_out_button(jane, carrier):
    attempt = engine.planned(jane, Channel.EMAIL)

    tasks.dial(str(attempt.pk))
    tasks.dial(str(attempt.pk))

    attempt.refresh_from_db()
    assert (attempt.state, attempt.outcome) == (AttemptState.DONE, Outcome.SENT)
    (mail,) = carrier.mails_to(jane.email)
    assert attempt.provider_ref
    assert "List-Unsubscribe-Post" in str(mail)


@pytest.mark.parametrize(
    ("mode", "state"),
    [("drop_after_accept", AttemptState.UNKNOWN), ("500", AttemptState.FAILED)],
)
def test_an_email_is_handed_over_once_whatever_the_server_says(jane, carrier, mode, state):
    carrier.fault("mail", mode, times=1)
    attempt = engine.planned(jane, Channel.EMAIL)

    tasks.dial(str(attempt.pk))
    tasks.dial(str(attempt.pk))

    attempt.refresh_from_db()
    assert attempt.state == state
    assert len(carrier.mails_to(jane.email)) <= 1


def test_a_message_with_nothing_left_to_say_is_cancelled(jane, carrier, monkeypatch):
    def nothing(attempt):
        raise carriers.NothingToSendError("appointment_moved")

    monkeypatch.setattr(tasks.render, "message", nothing)
    attempt = engine.planned(jane, WHATSAPP)
    tasks.dial(str(attempt.pk))
    attempt.refresh_from_db()
    assert (attempt.state, attempt.reason) == (AttemptState.CANCELLED, "appointment_moved")
    assert not requests_for(carrier, attempt)
