"""A message that staff send to themselves: once, by the real road, heard of until its end."""

import pytest
from django.conf import settings
from django.test import Client

from integrations.twilio import signature
from integrations.twilio.client import account_for
from practices.journal import Actor
from practices.models import Practice, User
from recall import tasks
from recall.messages import trial
from recall.models import Attempt, AttemptState, Channel, TestMessage
from sightsync.lib.errors import AppError
from tests.threads import at_once

ACTOR = Actor.system("test")
MOBILE = "+447700900099"


@pytest.fixture
def carrier(sandbox, live_server, settings):
    settings.PUBLIC_BASE_URL = live_server.url
    return sandbox


def ask(practice: Practice, user: User, channel: Channel, to: str) -> TestMessage:
    return trial.ask(practice=practice, channel=channel, destination=to, user=user, actor=ACTOR)


@pytest.mark.django_db(transaction=True)
def test_a_whatsapp_arrives_and_is_heard_of(practice: Practice, alice: User, carrier) -> None:
    row = ask(practice, alice, Channel.WHATSAPP, MOBILE)
    tasks.send_trial(str(row.pk))
    carrier.wait_idle()
    row.refresh_from_db()
    assert row.state == AttemptState.DONE
    assert row.provider_status in ("delivered", "read")
    assert len(carrier.messages_to(MOBILE)) == 1
    assert not Attempt.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_email_arrives_in_the_practices_name(practice: Practice, alice: User, carrier) -> None:
    row = ask(practice, alice, Channel.EMAIL, alice.email)
    tasks.send_trial(str(row.pk))
    row.refresh_from_db()
    assert row.state == AttemptState.DONE
    (mail,) = carrier.mails_to(alice.email)
    assert "Acuity Opticians" in str(mail)


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_it_once(practice: Practice, alice: User, carrier) -> None:
    row = ask(practice, alice, Channel.WHATSAPP, MOBILE)
    sent = at_once([lambda: trial.send(row.pk)] * 2)
    assert sorted(sent, key=str) == [False, True]
    assert len(carrier.messages_to(MOBILE)) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("mode", "state"),
    [("429", AttemptState.FAILED), ("drop_after_accept", AttemptState.UNKNOWN)],
)
def test_a_failure_is_written_down_and_never_sent_again(
    practice: Practice, alice: User, carrier, mode: str, state: AttemptState
) -> None:
    carrier.fault("twilio", mode)
    carrier.fault("twilio", "callbacks_off")
    row = ask(practice, alice, Channel.WHATSAPP, MOBILE)
    for _ in range(2):
        tasks.send_trial(str(row.pk))
    row.refresh_from_db()
    assert row.state == state
    assert len([r for r in carrier.log("twilio") if r["path"].endswith("/Messages.json")]) == 1


@pytest.mark.django_db
def test_ten_an_hour_are_enough(practice: Practice, alice: User) -> None:
    for _ in range(trial.MOST_AN_HOUR):
        ask(practice, alice, Channel.EMAIL, alice.email)
    with pytest.raises(AppError) as refusal:
        ask(practice, alice, Channel.EMAIL, alice.email)
    assert refusal.value.status == 429


@pytest.mark.django_db
def test_news_of_it_goes_forward_only(practice: Practice, alice: User, client: Client) -> None:
    row = ask(practice, alice, Channel.WHATSAPP, MOBILE)
    TestMessage.objects.filter(pk=row.pk).update(state=AttemptState.ACCEPTED)
    path = f"/hooks/twilio/test/{row.public_id}/status"
    account = account_for(sandbox=True)

    def tell(status: str, sid: str = "SM" + "1" * 32) -> int:
        fields = {"MessageSid": sid, "MessageStatus": status, "AccountSid": account.sid}
        signed = signature.sign(
            url=settings.PUBLIC_BASE_URL + path, params=fields, token=account.token
        )
        return client.post(path, fields, headers={"X-Twilio-Signature": signed}).status_code

    assert tell("delivered") == 204
    assert tell("sent") == 204
    assert tell("delivered", sid="SM" + "2" * 32) == 404
    row.refresh_from_db()
    assert (row.state, row.provider_status) == (AttemptState.DONE, "delivered")
    assert client.post(path, {"MessageStatus": "failed"}).status_code == 403
