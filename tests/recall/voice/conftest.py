"""A phone line to the product: posts what Twilio would post, signed, and hears the TwiML."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import time
from xml.etree import ElementTree

import pytest
from django.conf import settings
from django.test import Client

from integrations.twilio import client as twilio
from integrations.twilio import signature
from recall.models import Attempt, Diary, DiaryHours
from tests import engine


class Line:
    """One call, from the carrier's side."""

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self.account = twilio.account_for(sandbox=True)
        self.url = f"{settings.PUBLIC_BASE_URL}/hooks/twilio/voice/{attempt.public_id}"
        self.answer = ""
        self.status = 0
        self.last: tuple[str, dict[str, str]] = ("", {})

    def post(self, url: str, **fields: str) -> str:
        params = {
            "CallSid": self.attempt.provider_ref,
            "AccountSid": self.account.sid,
            "CallStatus": "in-progress",
            **fields,
        }
        self.last = (url, params)
        return self._send(url, params)

    def again(self) -> str:
        """The carrier repeats its last request."""
        return self._send(*self.last)

    def _send(self, url: str, params: dict[str, str], sign: str | None = None) -> str:
        signed = sign or signature.sign(url=url, params=params, token=self.account.token)
        answer = Client().post(
            url.removeprefix(settings.PUBLIC_BASE_URL),
            params,
            headers={"X-Twilio-Signature": signed},
        )
        self.status, self.answer = answer.status_code, answer.content.decode()
        return self.answer

    def pick_up(self) -> str:
        return self.post(self.url)

    def says(self, speech: str, confidence: float = 0.9) -> str:
        return self.post(self.next_url, SpeechResult=speech, Confidence=str(confidence))

    def presses(self, key: str) -> str:
        return self.post(self.next_url, Digits=key)

    def is_silent(self) -> str:
        return self.post(self.next_url, SpeechResult="", Digits="")

    def machine(self, word: str = "machine_start") -> None:
        """Machine detection reports beside the talk, which goes on as it was."""
        talk = self.answer
        self._send(
            f"{self.url}/amd",
            {
                "CallSid": self.attempt.provider_ref,
                "AccountSid": self.account.sid,
                "AnsweredBy": word,
            },
        )
        assert self.status == 204
        self.answer = talk

    @property
    def next_url(self) -> str:
        gather = ElementTree.fromstring(self.answer).find("Gather")
        assert gather is not None, self.answer
        return gather.attrib["action"]

    @property
    def words(self) -> str:
        """What was said last."""
        says = ElementTree.fromstring(self.answer).iter("Say")
        return " ".join(say.text or "" for say in says)

    @property
    def hung_up(self) -> bool:
        return bool(re.search("<Hangup", self.answer)) and "<Gather" not in self.answer


@pytest.fixture
def diary(practice) -> Diary:
    """A diary that is open nine to five, Monday to Friday."""
    made = Diary.objects.create(practice=practice, name="Room 1")
    DiaryHours.objects.bulk_create(
        DiaryHours(practice=practice, diary=made, weekday=day, opens=time(9), closes=time(17))
        for day in range(5)
    )
    return made


@pytest.fixture
def call(practice, diary) -> Iterator[Callable[..., Line]]:
    """Make a call to a patient; fields are the patient's."""

    def to(**fields: object) -> Line:
        fields.setdefault("first_name", "Anna")
        return Line(engine.under_way(engine.patient(practice, **fields)))

    yield to


@pytest.fixture
def line(call) -> Line:
    """A call that was picked up."""
    made = call()
    made.pick_up()
    return made
