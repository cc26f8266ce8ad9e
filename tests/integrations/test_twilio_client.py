"""The real SDK against the sandbox: what is accepted, and what every fault is taken for."""

import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from integrations.twilio import client
from integrations.twilio.client import Accepted, Account
from integrations.twilio.transport import Transport, UnknownProductError
from sightsync.lib import clock
from sightsync.lib.errors import ProviderError
from tests.integrations.practice_app import PracticeApp
from tests.sandbox import Sandbox

TOM = "+447700900101"
Dial = Callable[..., Accepted]


def test_a_call_is_placed_as_agreed(sandbox: Sandbox, dial: Dial) -> None:
    accepted = dial(TOM, ring_seconds=20, record=True)
    [row] = sandbox.calls_to(TOM)
    assert accepted.sid == row["answer"]["sid"]
    assert accepted.status == "queued"
    params = row["params"]
    assert params["StatusCallbackEvent"] == ["initiated", "ringing", "answered", "completed"]
    assert (params["MachineDetection"], params["AsyncAmd"]) == ("Enable", "true")
    assert int(params["MachineDetectionSpeechThreshold"]) > 2400
    assert (params["Timeout"], params["Record"].lower()) == ("20", "true")


def test_every_callback_is_signed(sandbox: Sandbox, dial: Dial, app: PracticeApp) -> None:
    dial(TOM)
    sandbox.wait_idle()
    assert app.unsigned == 0
    assert app.told("/status", "CallStatus") == ["initiated", "ringing", "in-progress", "completed"]
    assert app.told("/amd", "AnsweredBy") == ["human"]


@pytest.mark.parametrize(
    ("mode", "more", "kind", "code", "calls"),
    [
        ("429", {"retry_after": 7}, ProviderError.Kind.TEMPORARY, "20429", 0),
        ("500", {}, ProviderError.Kind.UNKNOWN, "20500", 0),
        ("500", {"accept": True}, ProviderError.Kind.UNKNOWN, "20500", 1),
        ("broken_json", {}, ProviderError.Kind.UNKNOWN, "broken_answer", 1),
        ("html", {}, ProviderError.Kind.UNKNOWN, "broken_answer", 0),
        ("html", {"accept": True}, ProviderError.Kind.UNKNOWN, "broken_answer", 1),
        ("drop_after_accept", {}, ProviderError.Kind.UNKNOWN, "broken_connection", 1),
        ("drop_before_accept", {}, ProviderError.Kind.UNKNOWN, "broken_connection", 0),
        ("delay", {"seconds": 0.6}, ProviderError.Kind.UNKNOWN, "broken_connection", 1),
    ],
)
def test_a_fault_is_taken_for_what_it_is(
    sandbox: Sandbox,
    account: Account,
    dial: Dial,
    mode: str,
    more: dict[str, Any],
    kind: ProviderError.Kind,
    code: str,
    calls: int,
) -> None:
    sandbox.fault("twilio", mode, **more)
    with pytest.raises(ProviderError) as failure:
        dial(TOM, timeout_s=0.3 if mode == "delay" else 10)
    assert (failure.value.kind, failure.value.code) == (kind, code)
    assert failure.value.retry_after == (7 if mode == "429" else None)
    sandbox.wait_idle()
    posts = [row for row in sandbox.log("twilio") if row["method"] == "POST"]
    assert len(posts) <= 1, "a call must never be asked for twice"
    seen = client.find_calls(account=account, to=TOM, since=clock.now() - timedelta(hours=1))
    assert len(seen) == calls


def test_an_answer_that_drips_is_given_up(sandbox: Sandbox, account: Account) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        silent = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(ProviderError) as failure:
            client.fetch_call(
                account=Account(sid=account.sid, token=account.token, base_url=silent),
                sid="CA" + "0" * 32,
                timeout_s=0.2,
            )
    assert failure.value.kind is ProviderError.Kind.UNKNOWN


def test_a_refused_connection_is_known_not_to_have_called(dial: Dial, account: Account) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(ProviderError) as failure:
            client.send_message(
                account=Account(sid=account.sid, token=account.token, base_url=nobody),
                to=TOM,
                from_="+441184960001",
                status_url="http://127.0.0.1/x",
                body="Hello",
            )
    assert (failure.value.kind, failure.value.code) == (
        ProviderError.Kind.TEMPORARY,
        "unreachable",
    )


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        ("+447700900113", ProviderError.Kind.REJECTED, "21211"),
        ("not a number", ProviderError.Kind.REJECTED, "21211"),
        ("+447700900114", ProviderError.Kind.TEMPORARY, "20429"),
        ("+447700900115", ProviderError.Kind.UNKNOWN, "broken_connection"),
    ],
)
def test_the_carriers_moods(dial: Dial, number: str, kind: ProviderError.Kind, code: str) -> None:
    with pytest.raises(ProviderError) as failure:
        dial(number)
    assert (failure.value.kind, failure.value.code) == (kind, code)


def test_a_wrong_token_is_refused(sandbox: Sandbox, account: Account) -> None:
    stranger = Account(sid=account.sid, token="wrong", base_url=account.base_url)
    with pytest.raises(ProviderError) as failure:
        client.find_calls(account=stranger, to=TOM, since=clock.now())
    assert (failure.value.kind, failure.value.code) == (ProviderError.Kind.REJECTED, "20003")


def test_calls_are_found_by_number_and_time(
    dial: Dial, account: Account, at: Callable[[str | datetime], None]
) -> None:
    first = dial(TOM)
    at("2026-11-19T10:04:00Z")
    second = dial(TOM)
    dial("+447700900102")
    both = client.find_calls(account=account, to=TOM, since=clock.now() - timedelta(days=2))
    assert [call.sid for call in both] == [second.sid, first.sid]
    late = client.find_calls(account=account, to=TOM, since=clock.now() - timedelta(minutes=5))
    assert [call.sid for call in late] == [second.sid]


def test_long_lists_are_read_to_the_end(
    sandbox: Sandbox, sms: Callable[..., Accepted], account: Account
) -> None:
    sids = {sms(TOM).sid for _ in range(120)}
    found = client.find_messages(account=account, to=TOM, since=clock.now() - timedelta(hours=1))
    assert {message.sid for message in found} == sids


def test_a_call_can_be_ended(
    sandbox: Sandbox, dial: Dial, account: Account, app: PracticeApp
) -> None:
    app.voice = '<Response><Pause length="36000"/></Response>'
    sid = dial(TOM).sid
    while "/voice" not in [path for path, _ in app.posts]:
        sandbox.get("/ready")
    client.end_call(account=account, sid=sid)
    sandbox.wait_idle()
    assert client.fetch_call(account=account, sid=sid).status == "completed"
    with pytest.raises(ProviderError, match="21220"):
        client.end_call(account=account, sid=sid)


def test_nothing_leaves_for_a_product_without_an_address() -> None:
    transport = Transport(bases={"api": "http://127.0.0.1:1"}, timeout_s=1)
    with pytest.raises(UnknownProductError):
        transport.request("GET", "https://lookups.twilio.com/v2/PhoneNumbers/+447700900101")


def test_a_sandbox_practice_of_a_live_installation_stays_in_the_sandbox(settings: Any) -> None:
    settings.SIGHTSYNC_MODE = "live"
    settings.TWILIO_AUTH_TOKEN = "live-secret"
    inside = client.account_for(sandbox=True)
    assert inside.base_url.startswith(settings.SANDBOX_URL)
    assert inside.token != "live-secret"
    assert client.account_for(sandbox=False).base_url == "https://api.twilio.com"
