"""Endpoints, journal entries and receivers for the tests of webhooks."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction

from integrations.models import WebhookEndpoint
from integrations.webhooks import endpoints, post
from practices import journal
from practices.journal import Actor
from practices.models import Practice
from sightsync.lib import ids
from tests.integrations.webhooks.receiver import Behaviour, Receiver, answering

ACTOR = Actor.system("test")
Happen = Callable[..., None]
MakeEndpoint = Callable[..., WebhookEndpoint]
MakeReceiver = Callable[..., Receiver]


@pytest.fixture
def happen(practice: Practice) -> Happen:
    """Write entries into the journal and seal them."""

    def write(
        action: str = "patient.created",
        *,
        times: int = 1,
        of: Practice | None = None,
        facts: dict[str, Any] | None = None,
        seal: bool = True,
    ) -> None:
        for _ in range(times):
            with transaction.atomic():
                journal.record(
                    practice=of or practice,
                    action=action,
                    actor=ACTOR,
                    patient=ids.new(),
                    facts=facts or {"source": "api"},
                )
        if seal:
            journal.seal()

    return write


@pytest.fixture
def endpoint(practice: Practice) -> MakeEndpoint:
    def make(
        url: str = "http://127.0.0.1:9/hook",
        wanted: tuple[str, ...] = ("*",),
        *,
        of: Practice | None = None,
        **more: Any,
    ) -> WebhookEndpoint:
        made, _ = endpoints.create(
            practice=of or practice, url=url, wanted=wanted, actor=ACTOR, **more
        )
        return made

    return make


@pytest.fixture
def receiver() -> Iterator[MakeReceiver]:
    open_ones: list[Receiver] = []

    def make(behave: Behaviour | None = None) -> Receiver:
        open_ones.append(Receiver(behave or answering(200, b"thanks")))
        return open_ones[-1]

    yield make
    for one in open_ones:
        one.close()


@pytest.fixture
def short_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """One second in place of ten, for receivers that do not answer."""
    monkeypatch.setattr(post, "DEADLINE_S", 1.0)
