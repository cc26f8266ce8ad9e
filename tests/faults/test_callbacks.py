"""Callbacks: doubled, early, late, in every order; only from the carrier, only about its own."""

from itertools import permutations

import pytest
from django.test import Client

from integrations import reach
from integrations.twilio import client, payloads, signature
from practices.models import JournalEntry
from recall import states
from recall.attempts import callbacks, results
from recall.attempts.carriers import Handed
from recall.models import AttemptState, Channel, Outcome, ProviderEvent
from sightsync.lib import ids
from tests import engine
from tests.engine import ACTOR

pytestmark = pytest.mark.django_db

SID = "CA" + "1" * 32
OTHER = "CA" + "2" * 32
MESSAGE = "SM" + "3" * 32
CALL_WORDS = ("ringing", "in-progress", "completed")
MESSAGE_WORDS = ("sent", "delivered", "read")


@pytest.fixture
def jane(practice):
    engine.register()
    return engine.patient(practice)


def call(word: str, sid: str = SID, **fields: str) -> payloads.CallEvent:
    return payloads.call_event({"CallSid": sid, "CallStatus": word, **fields})


def text(word: str, **fields: str) -> payloads.MessageEvent:
    return payloads.message_event({"MessageSid": MESSAGE, "MessageStatus": word, **fields})


def submitting(who, channel=Channel.VOICE):
    """The request has left and its answer has not come."""
    return engine.under_way(
        who, channel, state=AttemptState.SUBMITTING, accepted_at=None, provider_ref=""
    )


def picture(attempt) -> tuple:
    attempt.refresh_from_db()
    ends = JournalEntry.objects.filter(
        subject_id=str(attempt.pk), action__in=["call.completed", "call.failed"]
    ).count()
    return (attempt.state, attempt.outcome, attempt.provider_ref, attempt.provider_status, ends)


@pytest.mark.parametrize("order", list(permutations([*CALL_WORDS, "answer"])))
def test_every_order_of_a_calls_reports_and_our_answer_ends_the_same(jane, order):
    attempt = submitting(jane)
    for word in [*order, *reversed(order)]:
        if word == "answer":
            results.accepted(attempt.pk, Handed("sandbox", SID, "queued"), actor=ACTOR)
        else:
            callbacks.call_status(attempt.pk, call(word))
    assert picture(attempt) == (AttemptState.DONE, Outcome.HUNG_UP, SID, "completed", 1)
    assert ProviderEvent.objects.filter(attempt=attempt).count() == len(CALL_WORDS)


@pytest.mark.parametrize("order", list(permutations(MESSAGE_WORDS)))
def test_every_order_of_a_messages_reports_ends_the_same(jane, order):
    attempt = submitting(jane, Channel.WHATSAPP)
    for word in [*order, *order]:
        callbacks.message_status(attempt.pk, text(word))
    attempt.refresh_from_db()
    assert (attempt.state, attempt.outcome) == (AttemptState.DONE, Outcome.READ)
    assert attempt.provider_status == "read"


def test_without_ranks_a_late_report_would_move_a_call_back(jane, monkeypatch):
    """The guard off: statuses are taken as they come."""
    monkeypatch.setattr(states, "moves_forward", lambda ranks, old, new: True)
    attempt = engine.under_way(jane, provider_ref=SID)
    for word in ("completed", "ringing"):
        callbacks.call_status(attempt.pk, call(word))
    attempt.refresh_from_db()
    assert attempt.provider_status == "ringing"


def test_without_the_state_check_our_late_answer_would_reopen_a_call(jane, monkeypatch):
    """The guard off: a move that does not look at the state it leaves."""

    def careless(attempt_id, *, to, sources=(), only_if=None, **changes):
        return results.Attempt.objects.filter(pk=attempt_id).update(state=to, **changes) == 1

    attempt = submitting(jane)
    callbacks.call_status(attempt.pk, call("completed"))
    monkeypatch.setattr(results.moves, "move", careless)
    results.accepted(attempt.pk, Handed("sandbox", SID, "queued"), actor=ACTOR)
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.ACCEPTED


def test_a_report_settles_an_unknown_call(jane):
    attempt = engine.under_way(jane, state=AttemptState.UNKNOWN, provider_ref="", accepted_at=None)
    callbacks.call_status(attempt.pk, call("ringing"))
    assert picture(attempt)[:3] == (AttemptState.ACCEPTED, "", SID)


def test_the_request_for_words_settles_an_unknown_call(jane):
    attempt = engine.under_way(jane, state=AttemptState.UNKNOWN, provider_ref="", accepted_at=None)
    callbacks.proven(attempt.pk, SID)
    assert picture(attempt)[:3] == (AttemptState.ACCEPTED, "", SID)


def test_a_report_about_another_call_is_not_ours(jane):
    attempt = engine.under_way(jane, provider_ref=SID)
    with pytest.raises(callbacks.NotOursError):
        callbacks.call_status(attempt.pk, call("completed", sid=OTHER))
    assert picture(attempt)[0] == AttemptState.ACCEPTED
    assert not ProviderEvent.objects.exists()


def test_a_report_about_an_attempt_that_was_never_sent_changes_nothing(jane):
    attempt = engine.planned(jane)
    callbacks.call_status(attempt.pk, call("completed"))
    assert picture(attempt) == (AttemptState.PLANNED, "", "", "", 0)


@pytest.mark.parametrize(
    ("word", "state", "outcome", "entry"),
    [
        ("busy", AttemptState.DONE, Outcome.BUSY, "call.failed"),
        ("no-answer", AttemptState.DONE, Outcome.NO_ANSWER, "call.failed"),
        ("failed", AttemptState.FAILED, Outcome.FAILED, "call.failed"),
        ("canceled", AttemptState.FAILED, Outcome.FAILED, "call.failed"),
        ("completed", AttemptState.DONE, Outcome.HUNG_UP, "call.completed"),
    ],
)
def test_what_a_calls_last_word_means(jane, word, state, outcome, entry):
    attempt = engine.under_way(jane, provider_ref=SID)
    callbacks.call_status(attempt.pk, call(word))
    assert picture(attempt)[:2] == (state, outcome)
    assert JournalEntry.objects.filter(action=entry).count() == 1


def test_a_machine_that_answered_is_voicemail(jane):
    attempt = engine.under_way(jane, provider_ref=SID, answered_by="machine_end_beep")
    callbacks.call_status(attempt.pk, call("completed", CallDuration="12"))
    assert picture(attempt)[:2] == (AttemptState.DONE, Outcome.VOICEMAIL)
    assert attempt.duration_seconds == 12


@pytest.mark.parametrize(
    ("told", "kept"), [("RE" + "5" * 32, "RE" + "5" * 32), ("../../etc", ""), ("", "")]
)
def test_the_end_of_a_call_brings_the_id_of_its_recording(jane, told, kept):
    attempt = engine.under_way(jane, provider_ref=SID)
    callbacks.call_status(attempt.pk, call("in-progress", RecordingSid="RE" + "4" * 32))
    callbacks.call_status(attempt.pk, call("completed", RecordingSid=told))
    attempt.refresh_from_db()
    assert attempt.recording == kept


def test_what_the_talk_brought_outweighs_the_carriers_completed(jane):
    attempt = engine.under_way(jane, provider_ref=SID, outcome=Outcome.DECLINED)
    callbacks.call_status(attempt.pk, call("completed"))
    assert picture(attempt)[:2] == (AttemptState.DONE, Outcome.DECLINED)


def test_a_text_that_came_back_has_the_reason(jane):
    attempt = engine.under_way(jane, Channel.SMS, provider_ref=MESSAGE)
    callbacks.message_status(attempt.pk, text("sent"))
    callbacks.message_status(attempt.pk, text("undelivered", ErrorCode="30005"))
    assert picture(attempt)[:2] == (AttemptState.FAILED, Outcome.UNDELIVERED)
    assert (attempt.reason, attempt.error_code) == ("bad_number", "30005")


# --- over HTTP ---------------------------------------------------------------------------------


def post(path: str, form: dict, *, token: str | None = None, signed: str | None = None):
    """As Twilio would; `signed` is another address that the signature was made for."""
    key = token or client.account_for(sandbox=True).token
    header = signature.sign(url=signed or f"http://testserver{path}", params=form, token=key)
    return Client().post(path, form, headers={"X-Twilio-Signature": header})


@pytest.fixture
def here(settings):
    settings.PUBLIC_BASE_URL = "http://testserver"


def form_of(word: str = "completed", **fields: str) -> dict:
    account = client.account_for(sandbox=True).sid
    return {"CallSid": SID, "CallStatus": word, "AccountSid": account, **fields}


def test_a_signed_report_is_applied_and_its_repeat_gets_the_same_answer(jane, here):
    attempt = engine.under_way(jane, provider_ref=SID)
    path = f"/hooks/twilio/voice/{attempt.public_id}/status"
    first, second = post(path, form_of()), post(path, form_of())
    assert (first.status_code, first.content) == (second.status_code, second.content) == (204, b"")
    assert picture(attempt) == (AttemptState.DONE, Outcome.HUNG_UP, SID, "completed", 1)


@pytest.mark.parametrize(
    "how",
    [
        {"token": "another-token"},
        {"signed": "http://testserver/hooks/twilio/voice/other/status"},
        {"signed": "https://testserver:8443/"},
    ],
)
def test_a_report_with_a_wrong_signature_is_refused_and_leaves_no_trace(jane, here, how):
    attempt = engine.under_way(jane, provider_ref=SID)
    answer = post(f"/hooks/twilio/voice/{attempt.public_id}/status", form_of(), **how)
    assert answer.status_code == 403
    assert picture(attempt)[0] == AttemptState.ACCEPTED
    assert not ProviderEvent.objects.exists()


def test_a_report_without_a_signature_is_refused(jane, here):
    attempt = engine.under_way(jane, provider_ref=SID)
    answer = Client().post(f"/hooks/twilio/voice/{attempt.public_id}/status", form_of())
    assert answer.status_code == 403
    assert not ProviderEvent.objects.exists()


def test_a_changed_field_breaks_the_signature(jane, here):
    attempt = engine.under_way(jane, provider_ref=SID)
    path = f"/hooks/twilio/voice/{attempt.public_id}/status"
    token = client.account_for(sandbox=True).token
    good = signature.sign(url=f"http://testserver{path}", params=form_of("ringing"), token=token)
    answer = Client().post(path, form_of("completed"), headers={"X-Twilio-Signature": good})
    assert answer.status_code == 403


def test_an_attempt_of_another_account_and_one_that_is_not_there_are_the_same_404(jane, here):
    attempt = engine.under_way(jane, provider_ref=SID)
    foreign = post(
        f"/hooks/twilio/voice/{attempt.public_id}/status", form_of(AccountSid="AC" + "9" * 32)
    )
    nowhere = ids.encode("c", ids.new())
    missing = post(f"/hooks/twilio/voice/{nowhere}/status", form_of())
    nonsense = post("/hooks/twilio/voice/c_nonsense/status", form_of())
    assert {foreign.status_code, missing.status_code, nonsense.status_code} == {404}
    assert picture(attempt)[0] == AttemptState.ACCEPTED


def test_the_sandboxs_signature_proves_nothing_about_a_live_practices_call(
    jane, here, settings, monkeypatch
):
    attempt = engine.under_way(jane, provider_ref=SID)
    settings.SIGHTSYNC_MODE, settings.LIVE = "live", True
    settings.TWILIO_AUTH_TOKEN = "a-live-token"
    jane.practice.mode = "live"
    jane.practice.save(update_fields=["mode"])
    assert not reach.is_sandbox(jane.practice)
    path = f"/hooks/twilio/voice/{attempt.public_id}/status"
    assert post(path, form_of(), token=client.SANDBOX_TOKEN).status_code == 403


@pytest.mark.parametrize("form", [{"CallSid": SID}, {"CallStatus": "completed"}, {}])
def test_a_report_that_says_nothing_is_a_bad_request(jane, here, form):
    attempt = engine.under_way(jane, provider_ref=SID)
    answer = post(f"/hooks/twilio/voice/{attempt.public_id}/status", form)
    assert answer.status_code == 400
    assert picture(attempt)[0] == AttemptState.ACCEPTED


def test_a_message_report_about_a_call_is_not_found(jane, here):
    attempt = engine.under_way(jane, provider_ref=SID)
    form = {"MessageSid": MESSAGE, "MessageStatus": "delivered"}
    assert post(f"/hooks/twilio/message/{attempt.public_id}/status", form).status_code == 404
