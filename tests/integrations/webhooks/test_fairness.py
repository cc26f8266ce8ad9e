"""One receiver that is slow or dead, and the others."""

import threading
import time

import pytest
from django.db import connection

from integrations.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from integrations.webhooks import claim, deliver, endpoints, fan_out, post
from sightsync.lib import clock
from tests.integrations.webhooks.conftest import Happen, MakeEndpoint, MakeReceiver
from tests.integrations.webhooks.receiver import answering, silent

pytestmark = pytest.mark.django_db(transaction=True)
D = DeliveryState.DELIVERED


def _send() -> int:
    fan_out.run()
    return deliver.run()


def test_a_hundred_dead_receivers_do_not_delay_a_live_one(
    endpoint: MakeEndpoint, happen: Happen, receiver: MakeReceiver, monkeypatch
) -> None:
    monkeypatch.setattr(endpoints, "MAX_ENDPOINTS", 200)
    monkeypatch.setattr(post, "DEADLINE_S", 6.0)
    dead, live = receiver(silent), receiver()
    rows = [endpoint(dead.url) for _ in range(100)]
    happen(times=3)
    fan_out.run()
    one = endpoint(live.url)
    happen(times=20)
    fan_out.run()
    began = time.monotonic()
    arrived = []
    live.behave = lambda here, connection: (
        arrived.append(time.monotonic() - began),
        answering(200)(here, connection),
    )[0]
    deliver.run(seconds=5)
    assert one.deliveries.filter(state=D).count() == 20
    assert max(arrived) < 5  # before a dead one has given its place back
    sending = WebhookDelivery.objects.filter(endpoint__in=rows).exclude(state="planned")
    assert sending.count() >= 100
    assert dead.most_at_once <= 200


def test_those_that_fail_leave_half_of_the_places_to_the_others(
    endpoint: MakeEndpoint,
    happen: Happen,
    receiver: MakeReceiver,
    monkeypatch,
) -> None:
    monkeypatch.setattr(post, "DEADLINE_S", 4.0)
    monkeypatch.setattr(deliver, "PLACES", 4)
    monkeypatch.setattr(deliver, "UNPROVEN_PLACES", 2)
    dead, live = receiver(silent), receiver()
    for _ in range(8):
        endpoint(dead.url)
    WebhookEndpoint.objects.update(failing_since=clock.now(), consecutive_failures=1)
    one = endpoint(live.url)
    WebhookEndpoint.objects.filter(pk=one.pk).update(last_delivery_at=clock.now())
    happen(times=6)
    fan_out.run()
    deliver.run(seconds=3)
    assert one.deliveries.filter(state=D).count() == 6
    assert dead.most_at_once <= 2


def test_an_endpoint_gets_one_until_it_has_proved_to_work_and_then_two(
    endpoint: MakeEndpoint, happen: Happen, receiver: MakeReceiver
) -> None:
    here = receiver(answering(200, seconds=0.05))
    one = endpoint(here.url)
    happen(times=2)
    fan_out.run()
    assert len(claim.claim(now=clock.now(), limit=9, proven=False)) == 1
    assert claim.claim(now=clock.now(), limit=9, proven=False) == []
    WebhookDelivery.objects.update(state="planned")
    WebhookEndpoint.objects.update(last_delivery_at=clock.now())
    happen(times=8)
    _send()
    assert (here.most_at_once, len(here.received)) == (2, 10)
    WebhookEndpoint.objects.filter(pk=one.pk).update(failing_since=clock.now())
    happen(times=2)
    fan_out.run()
    assert len(claim.claim(now=clock.now(), limit=9, proven=False)) == 1


def test_only_one_sender_claims(
    endpoint: MakeEndpoint, happen: Happen, receiver: MakeReceiver
) -> None:
    here = receiver(answering(200, seconds=0.02))
    endpoint(here.url)
    happen(times=10)
    fan_out.run()
    made = []

    def run() -> None:
        made.append(deliver.run())
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(made) == 10
    assert len(here.received) == 10
    assert len({got.headers["webhook-id"] for got in here.received}) == 10
