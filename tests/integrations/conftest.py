"""A miniature practice that the sandbox's patients talk to."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from integrations.twilio import client
from integrations.twilio.client import Accepted, Account
from tests.integrations import practice_app
from tests.integrations.practice_app import PracticeApp
from tests.sandbox import Sandbox

PRACTICE = "+441184960001"
TEMPLATE = "HX" + "1" * 32


@pytest.fixture
def account(sandbox: Sandbox) -> Account:
    return client.account_for(sandbox=True)


@pytest.fixture
def app(account: Account) -> Iterator[PracticeApp]:
    with practice_app.running(account.token) as running:
        yield running


@pytest.fixture
def dial(app: PracticeApp, account: Account) -> Callable[..., Accepted]:
    def dial_number(to: str, **more: Any) -> Accepted:
        return client.place_call(
            account=account,
            to=to,
            from_=PRACTICE,
            answer_url=f"{app.url}/voice",
            status_url=f"{app.url}/status",
            amd_url=f"{app.url}/amd",
            **more,
        )

    return dial_number


@pytest.fixture
def whatsapp(app: PracticeApp, account: Account) -> Callable[..., Accepted]:
    """Send the recall template with a booking link."""

    def send(to: str, **more: Any) -> Accepted:
        variables = {"1": "Acuity Opticians", "2": f"{app.url}/b/tok", "3": f"{app.url}/o/tok"}
        return client.send_message(
            account=account,
            to=f"whatsapp:{to}",
            from_=f"whatsapp:{PRACTICE}",
            status_url=f"{app.url}/message",
            **{"content_sid": TEMPLATE, "content_variables": variables, **more},
        )

    return send


@pytest.fixture
def sms(app: PracticeApp, account: Account) -> Callable[..., Accepted]:
    def send(to: str, body: str = "Your eye examination is due.", **more: Any) -> Accepted:
        return client.send_message(
            account=account,
            to=to,
            from_=PRACTICE,
            status_url=f"{app.url}/message",
            body=body,
            **more,
        )

    return send
