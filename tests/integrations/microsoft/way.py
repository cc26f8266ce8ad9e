"""Through Microsoft's pages as a browser goes: one person at the product and at Microsoft."""

import re
from typing import Any
from urllib.parse import urlsplit

import httpx
from django.test import Client

from integrations.models import Connection, Kind
from recall.models import Diary
from tests.integrations.microsoft.names import BUSINESS, OKAFOR, SERVICE, SHAH, TENANT

HOME = "/settings/calendar-pms/microsoft"
CALLBACK = f"{HOME}/callback"


class Browser:
    """The product through Django's client, Microsoft through HTTP, one person at both."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.outside = httpx.Client(trust_env=False, timeout=60)

    def ask_for_consent(self) -> str:
        """The address of the administrator's page."""
        answer = self.client.post(f"{HOME}/connect")
        assert answer.status_code == 302
        return str(answer["Location"])

    def decide(self, address: str, answer: str = "all", tenant: str = TENANT) -> str:
        """Press a button there; where that leads."""
        page = self.outside.get(address)
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        form = {**hidden, "tenant": tenant, "answer": answer}
        return self.outside.post(address, data=form).headers["Location"]

    def sign_in(self, callback: str) -> str:
        """Follow the consent home and out to the sign-in; where that leads."""
        away = self.client.get(local(callback))
        assert away.status_code == 302, away.content
        return self.outside.get(away["Location"]).headers.get("Location", "")

    def prove(self, answer: str = "all") -> Any:
        """Everything up to the choice."""
        callback = self.decide(self.ask_for_consent(), answer)
        return self.client.get(local(self.sign_in(callback)))


def local(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


def form_of(diaries: list[Diary], **changes: str) -> dict[str, str]:
    fields = {f"diary-{diaries[0].public_id}": SHAH, f"diary-{diaries[1].public_id}": OKAFOR}
    return {"service": SERVICE, **fields, **changes}


def connect(browser: Browser, diaries: list[Diary]) -> Connection:
    browser.prove()
    answer = browser.client.post(f"{HOME}/choose?business={BUSINESS}", form_of(diaries))
    assert answer.status_code == 302, answer.content.decode()
    return Connection.objects.get(kind=Kind.MICROSOFT_BOOKINGS)


def said(client: Client) -> str:
    """The page of the connection, after whatever happened."""
    return client.get(HOME).content.decode()
