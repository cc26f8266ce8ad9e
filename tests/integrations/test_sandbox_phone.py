"""The patients' phones as a page: what it shows, what it refuses, and how it reads an email."""

from collections.abc import Callable

import httpx
import pytest

from integrations.email import client as email_client
from integrations.email.client import Attachment
from integrations.sandbox import phone_words
from integrations.twilio.client import Accepted
from tests.integrations.practice_app import PracticeApp
from tests.sandbox import Sandbox

TOM = "+447700900101"
Send = Callable[..., Accepted]


def page(sandbox: Sandbox, number: str = "", **query: str) -> str:
    params = {"number": number, **query} if number else query
    answer = httpx.get(f"{sandbox.url}/sandbox/phone", params=params)
    assert answer.status_code == 200
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    return answer.text


def mail(sandbox: Sandbox, **changes: str) -> None:
    email_client.send(
        server=email_client.server_for(sandbox=True),
        to="tom.900101@example.org",
        from_="Acuity Opticians <recall@sightsync.example>",
        subject="Your eye examination",
        message_id="a1@sightsync.example",
        attachments=[
            Attachment(name="eye test.ics", content=b"BEGIN", content_type="text/calendar")
        ],
        **{"text": "Hello <Tom>", **changes},
    )


def test_an_empty_sandbox_says_what_to_do(sandbox: Sandbox) -> None:
    assert "No phone has rung yet" in page(sandbox)


def test_a_call_is_a_conversation(sandbox: Sandbox, dial: Send) -> None:
    dial(TOM)
    sandbox.wait_idle()
    text = page(sandbox, TOM)
    assert "07700 900101" in text
    assert "Yes, speaking." in text
    assert "Takes the first time offered" in text
    assert "Answered" in text


def test_words_from_outside_are_escaped_and_links_work(sandbox: Sandbox, sms: Send) -> None:
    sms(TOM, body='<script>alert(1)</script> http://127.0.0.1:9/c/a.ics "><img src=x>')
    text = page(sandbox, TOM)
    assert "<script>alert" not in text
    assert "<img" not in text
    assert 'href="http://127.0.0.1:9/c/a.ics" target="_blank"' in text
    assert "Calendar entry" in text


def test_newest_comes_first(sandbox: Sandbox, sms: Send) -> None:
    sms(TOM, body="the older one")
    sms(TOM, body="the newer one")
    text = page(sandbox, TOM)
    main = text[text.index("<section") :]
    assert main.index("the newer one") < main.index("the older one")


def test_the_list_can_be_searched(sandbox: Sandbox, sms: Send) -> None:
    sms(TOM)
    sms("+447700900102")
    assert "07700 900102" not in page(sandbox, q="900101")
    assert "No phone matches" in page(sandbox, q="nobody")


@pytest.mark.parametrize(("channel", "sender"), [("sms", TOM), ("whatsapp", f"whatsapp:{TOM}")])
def test_a_reply_reaches_the_product(
    sandbox: Sandbox, sms: Send, app: PracticeApp, channel: str, sender: str
) -> None:
    sms(TOM)
    answer = httpx.post(
        f"{sandbox.url}/sandbox/phone/reply",
        data={"number": TOM, "channel": channel, "body": " stop "},
        headers={"Origin": sandbox.url},
    )
    assert answer.status_code == 303
    [inbound] = [form for path, form in app.posts if path == "/hooks/twilio/inbound/message"]
    assert (inbound["From"], inbound["Body"]) == (sender, "stop")
    assert "stop" in page(sandbox, TOM)


def test_a_patient_can_ring_back_from_the_page(
    sandbox: Sandbox, sms: Send, app: PracticeApp
) -> None:
    sms(TOM)
    httpx.post(f"{sandbox.url}/sandbox/phone/reply", data={"number": TOM, "channel": "voice"})
    sandbox.wait_idle()
    assert app.told("/hooks/twilio/inbound/voice", "From") == [TOM]


@pytest.mark.parametrize(
    ("number", "origin", "status"),
    [(TOM, "http://evil.example", 403), ("+447700900199", None, 404)],
)
def test_a_reply_from_elsewhere_is_refused(
    sandbox: Sandbox, sms: Send, number: str, origin: str | None, status: int
) -> None:
    sms(TOM)
    answer = httpx.post(
        f"{sandbox.url}/sandbox/phone/reply",
        data={"number": number, "channel": "sms", "body": "STOP"},
        headers={"Origin": origin} if origin else {},
    )
    assert answer.status_code == status


def test_an_email_is_on_the_phone_of_the_number_in_its_address(sandbox: Sandbox) -> None:
    mail(sandbox)
    text = page(sandbox, TOM)
    assert "Your eye examination" in text
    assert '<iframe src="/sandbox/mail/1"' in text
    body = httpx.get(f"{sandbox.url}/sandbox/mail/1")
    assert "Hello &lt;Tom&gt;" in body.text
    assert "sandbox" in body.headers["Content-Security-Policy"]
    file = httpx.get(f"{sandbox.url}/sandbox/mail/1/0")
    assert file.content == b"BEGIN"
    assert "eye%20test.ics" in file.headers["Content-Disposition"]


@pytest.mark.parametrize("path", ["/sandbox/mail/0", "/sandbox/mail/9", "/sandbox/mail/9/0"])
def test_an_email_that_is_not_there_is_not_found(sandbox: Sandbox, path: str) -> None:
    assert httpx.get(sandbox.url + path).status_code == 404


def test_an_html_email_is_shown_without_scripts(sandbox: Sandbox) -> None:
    mail(sandbox, html="<p>Hello</p><script>alert(1)</script>")
    policy = httpx.get(f"{sandbox.url}/sandbox/mail/1").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "allow-scripts" not in policy


@pytest.mark.parametrize(
    ("e164", "shown"),
    [
        ("+447700900101", "07700 900101"),
        ("+441184960001", "0118 496 0001"),
        ("tom@example.org", "tom@example.org"),
        ("+33123456789", "+33 1 23 45 67 89"),
    ],
)
def test_numbers_are_written_as_people_write_them(e164: str, shown: str) -> None:
    assert phone_words.number(e164) == shown
