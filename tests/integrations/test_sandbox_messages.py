"""Messages through the sandbox: delivery, the carrier's own rules, and what patients do."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from integrations.email import client as email_client
from integrations.sandbox import twilio_messages
from integrations.twilio import client
from integrations.twilio.client import Accepted, Account
from recall.messages import recall_letters, texts
from sightsync.lib import clock
from sightsync.lib.errors import ProviderError
from tests.integrations.conftest import PRACTICE
from tests.integrations.practice_app import PracticeApp
from tests.sandbox import Sandbox

Send = Callable[..., Accepted]
INBOUND = "/hooks/twilio/inbound/message"
TOM = "+447700900101"


def statuses(app: PracticeApp) -> list[str]:
    return app.told("/message", "MessageStatus")


def test_a_text_is_delivered(sandbox: Sandbox, sms: Send, app: PracticeApp) -> None:
    sms(TOM)
    sandbox.wait_idle()
    assert statuses(app) == ["queued", "sent", "delivered"]
    assert app.unsigned == 0


def test_a_whatsapp_template_is_read(sandbox: Sandbox, whatsapp: Send, app: PracticeApp) -> None:
    whatsapp(TOM)
    sandbox.wait_idle()
    assert statuses(app) == ["queued", "sent", "delivered", "read"]


def test_the_sandbox_has_approved_the_products_own_template(
    sandbox: Sandbox, whatsapp: Send
) -> None:
    approved = twilio_messages.APPROVED_TEMPLATES[recall_letters.SANDBOX_TEMPLATE]
    assert approved == texts.WHATSAPP_RECALL_TEMPLATE
    values = {"1": "Tom", "2": "Acuity", "3": "eye examination", "4": "L1", "5": "L2"}
    whatsapp(TOM, content_sid=recall_letters.SANDBOX_TEMPLATE, content_variables=values)
    [row] = sandbox.messages_to(TOM)
    assert row["answer"]["body"].startswith("Hello Tom, this is Acuity.")


def test_free_words_on_whatsapp_need_an_open_window(
    sandbox: Sandbox, whatsapp: Send, app: PracticeApp
) -> None:
    plain = {"content_sid": None, "content_variables": None, "body": "Hello"}
    whatsapp(TOM, **plain)
    sandbox.wait_idle()
    assert (statuses(app)[-1], app.told("/message", "ErrorCode")[-1]) == ("failed", "63016")
    sandbox.inbound(channel="whatsapp", from_=TOM, body="Hello")
    whatsapp(TOM, **plain)
    sandbox.wait_idle()
    assert statuses(app)[-1] == "read"


def test_a_landline_takes_no_texts(sandbox: Sandbox, sms: Send, app: PracticeApp) -> None:
    sms("+441632960101")
    sandbox.wait_idle()
    assert (statuses(app)[-1], app.told("/message", "ErrorCode")[-1]) == ("undelivered", "30006")


def test_16_replies_stop_once_and_the_carrier_blocks_texts(
    sandbox: Sandbox, sms: Send, app: PracticeApp
) -> None:
    sms("+447700900116")
    sandbox.wait_idle()
    assert app.told(INBOUND, "Body") == ["STOP"]
    assert app.told(INBOUND, "From") == ["+447700900116"]
    with pytest.raises(ProviderError) as failure:
        sms("+447700900116")
    assert (failure.value.kind, failure.value.code) == (ProviderError.Kind.REJECTED, "21610")
    sandbox.inbound(channel="sms", from_="+447700900116", body="START")
    sms("+447700900116")


def test_stop_by_whatsapp_is_ours_alone_to_keep(
    sandbox: Sandbox, whatsapp: Send, app: PracticeApp
) -> None:
    whatsapp("+447700900116")
    sandbox.wait_idle()
    assert app.told(INBOUND, "From") == ["whatsapp:+447700900116"]
    whatsapp("+447700900116")
    sandbox.wait_idle()
    assert app.told(INBOUND, "Body") == ["STOP"]


def test_06_books_from_the_whatsapp_link_once(
    sandbox: Sandbox, whatsapp: Send, sms: Send, app: PracticeApp
) -> None:
    whatsapp("+447700900106")
    sandbox.wait_idle()
    assert app.bookings == 1
    sms("+447700900106", body=f"You are booked. Change it: {app.url}/b/tok")
    sandbox.wait_idle()
    assert app.bookings == 1


def test_a_time_that_has_gone_is_followed_by_the_next(
    sandbox: Sandbox, whatsapp: Send, app: PracticeApp
) -> None:
    app.taken = 1
    whatsapp("+447700900106")
    sandbox.wait_idle()
    assert app.bookings == 1


def test_07_leaves_whatsapp_unread_and_books_from_the_email(
    sandbox: Sandbox, whatsapp: Send, app: PracticeApp
) -> None:
    whatsapp("+447700900107")
    sandbox.wait_idle()
    assert (statuses(app)[-1], app.bookings) == ("delivered", 0)
    email_client.send(
        server=email_client.server_for(sandbox=True),
        to="tom.900107@example.org",
        from_="Acuity Opticians <recall@sightsync.example>",
        subject="Your eye examination",
        text=f"Book: {app.url}/b/tok\n\nStop: {app.url}/o/tok",
        message_id="a1@sightsync.example",
    )
    sandbox.wait_idle()
    assert app.bookings == 1


def test_17_does_nothing(sandbox: Sandbox, whatsapp: Send, sms: Send, app: PracticeApp) -> None:
    whatsapp("+447700900117")
    sms("+447700900117")
    sandbox.wait_idle()
    assert app.bookings == 0
    assert app.told(INBOUND, "Body") == []
    assert "read" not in statuses(app)


def test_links_to_elsewhere_are_not_opened(sandbox: Sandbox, sms: Send, app: PracticeApp) -> None:
    sms("+447700900106", body="Win! http://203.0.113.9/b/tok")
    sandbox.wait_idle()
    assert app.opened == []


def test_messages_are_found_at_the_carrier(
    sandbox: Sandbox, whatsapp: Send, account: Account
) -> None:
    sent = whatsapp(TOM)
    since = clock.now() - timedelta(minutes=1)
    [seen] = client.find_messages(account=account, to=f"whatsapp:{TOM}", since=since)
    assert (seen.sid, seen.from_) == (sent.sid, f"whatsapp:{PRACTICE}")


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("duplicate_callbacks", ["queued", "queued", "sent", "sent", "delivered", "delivered"]),
        ("reorder_callbacks", ["delivered", "sent", "queued"]),
        ("callbacks_off", []),
    ],
)
def test_delivery_reports_go_wrong_on_request(
    sandbox: Sandbox, sms: Send, app: PracticeApp, mode: str, told: list[str]
) -> None:
    sandbox.fault("twilio", mode)
    sms(TOM)
    sandbox.wait_idle()
    assert statuses(app) == told
