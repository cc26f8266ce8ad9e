"""The whole way to a receiver: what it gets, how often, and what becomes of its answer."""

import json
import time
from datetime import timedelta

import pytest
from django.db import transaction
from django_q.models import OrmQ
from standardwebhooks import Webhook

from integrations import tasks
from integrations.models import DeliveryState, DisabledReason, WebhookDelivery
from integrations.webhooks import claim, deliver, endpoints, fan_out, post, results
from practices import journal
from practices.models import JournalEntry
from sightsync.lib import clock
from tests.integrations.webhooks.conftest import ACTOR, Happen, MakeEndpoint, MakeReceiver
from tests.integrations.webhooks.receiver import (
    answering,
    dribbling,
    endless,
    hanging_up,
    silent,
    until,
)

pytestmark = pytest.mark.django_db(transaction=True)
S, F, W, D = (
    DeliveryState.SENDING,
    DeliveryState.FAILED,
    DeliveryState.WAITING,
    DeliveryState.DELIVERED,
)


def _send() -> int:
    fan_out.run()
    return deliver.run()


def test_a_receiver_with_the_standards_library_takes_it(
    endpoint: MakeEndpoint, happen: Happen, receiver: MakeReceiver
) -> None:
    here = receiver()
    one = endpoint(here.url)
    happen("patient.created")
    assert _send() == 1

    got = here.received[0]
    content = Webhook(one.secret).verify(got.body, got.headers)
    row = one.deliveries.get()
    assert content == json.loads(got.body)
    assert list(content) == ["id", "type", "created_at", "data"]
    assert content["id"] == got.headers["webhook-id"]
    assert content["id"].startswith("evt_")
    assert content["type"] == "patient.created"
    assert content["created_at"] == "2026-11-18T10:04:00Z"
    assert content["data"]["patient_id"].startswith("pat_")
    assert got.headers["Host"] == f"127.0.0.1:{here.port}"
    assert got.headers["User-Agent"].startswith("SightSync-Webhooks/")
    assert got.headers["X-SightSync-Signature"].startswith("sha256=")
    assert (row.state, row.response_status, row.response_excerpt) == (D, 200, "thanks")
    one.refresh_from_db()
    assert one.last_delivery_at == clock.now()


def test_after_a_rotation_old_and_new_secret_verify_for_a_day(
    endpoint: MakeEndpoint, happen: Happen, receiver: MakeReceiver, at
) -> None:
    here = receiver()
    one = endpoint(here.url)
    old = one.secret
    _, new = endpoints.rotate_secret(endpoint=one, actor=ACTOR)
    happen()
    at("2026-11-19T10:03:59Z")
    _send()
    happen()
    at("2026-11-19T10:04:00Z")
    _send()
    both, only_new = here.received
    assert Webhook(old).verify(both.body, both.headers)
    assert Webhook(new).verify(both.body, both.headers)
    assert Webhook(new).verify(only_new.body, only_new.headers)
    assert " " not in only_new.headers["webhook-signature"]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_success(
    status: int, endpoint: MakeEndpoint, happen: Happen, receiver: MakeReceiver
) -> None:
    one = endpoint(receiver(answering(status)).url)
    happen()
    _send()
    assert one.deliveries.get().state == D


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, "redirect"),
        (304, "redirect"),
        (400, "bad_status"),
        (404, "bad_status"),
        (500, "bad_status"),
    ],
)
def test_anything_else_is_tried_again(
    status: int, error: str, endpoint: MakeEndpoint, happen: Happen, receiver: MakeReceiver
) -> None:
    one = endpoint(receiver(answering(status)).url)
    happen()
    _send()
    row = one.deliveries.get()
    assert (row.state, row.response_status, row.error) == (W, status, error)
    assert row.next_try_at is not None
    assert 5 <= (row.next_try_at - clock.now()).total_seconds() <= 5.5


@pytest.mark.parametrize(
    ("behave", "error"),
    [(silent, "timeout"), (dribbling, "timeout"), (hanging_up, "broken_answer")],
)
def test_a_receiver_that_does_not_answer_in_time_fails(
    behave,
    error,
    short_deadline: None,
    endpoint: MakeEndpoint,
    happen: Happen,
    receiver: MakeReceiver,
) -> None:
    one = endpoint(receiver(behave).url)
    happen()
    began = time.monotonic()
    _send()
    assert time.monotonic() - began < 4
    row = one.deliveries.get()
    assert (row.state, row.error, row.response_status) == (W, error, None)


def test_nobody_listening_is_a_failure(endpoint: MakeEndpoint, happen: Happen) -> None:
    one = endpoint("http://127.0.0.1:9/hook")
    happen()
    _send()
    assert one.deliveries.get().error == "cannot_connect"


def test_of_a_gigabyte_only_the_start_is_read_and_less_is_kept(
    endpoint: MakeEndpoint, happen: Happen, receiver: MakeReceiver
) -> None:
    here = receiver(endless)
    one = endpoint(here.url)
    happen()
    _send()
    until(lambda: here.at_once == 0)
    row = one.deliveries.get()
    assert row.state == D
    assert len(row.response_excerpt) == post.KEPT
    assert here.sent < 16 * 1024 * 1024  # what the sockets' own buffers hold


def test_the_whole_schedule_with_one_id(
    endpoint: MakeEndpoint, happen: Happen, receiver: MakeReceiver, at
) -> None:
    here = receiver(answering(500))
    one = endpoint(here.url)
    happen()
    began = clock.now()
    waits = []
    for tries in range(1, 9):
        assert _send() == 1
        assert _send() == 0  # not before its time
        row = one.deliveries.get()
        assert len(here.received) == row.attempts == tries
        if row.next_try_at:
            waits.append((row.next_try_at - clock.now()).total_seconds())
            at(row.next_try_at)
    usual = [5, 300, 1800, 7200, 18_000, 36_000, 36_000]
    assert all(a <= wait <= a * 1.11 for a, wait in zip(usual, waits, strict=True))
    assert (row.state, row.next_try_at) == (F, None)
    assert len({got.headers["webhook-id"] for got in here.received}) == 1
    assert len({got.body for got in here.received}) == 1
    assert [line["status"] for line in row.tries] == [500] * 8
    assert clock.now() - began > timedelta(hours=27)


def test_retry_after_is_honoured(
    endpoint: MakeEndpoint, happen: Happen, receiver: MakeReceiver
) -> None:
    one = endpoint(receiver(answering(429, headers={"Retry-After": "600"})).url)
    happen()
    _send()
    assert one.deliveries.get().next_try_at == clock.now() + timedelta(seconds=600)


def test_a_410_turns_it_off_at_once_and_the_owners_are_told_once(
    endpoint: MakeEndpoint, happen: Happen, receiver: MakeReceiver, alice, bob, mailoutbox
) -> None:
    here = receiver(answering(410))
    one = endpoint(here.url)
    happen()
    _send()
    one.refresh_from_db()
    assert (one.is_active, one.disabled_reason) == (False, DisabledReason.GONE)
    assert one.deliveries.get().state == F
    assert JournalEntry.objects.get(action="webhook.disabled").facts == {"reason": "gone"}
    happen()
    assert _send() == 0
    for _ in range(2):
        tasks.tell_of_disabled_webhook(str(one.pk))
    assert [mail.to for mail in mailoutbox] == [["alice@example.org"]]
    assert one.url in mailoutbox[0].body
    assert f"/developer/webhooks/{one.public_id}" in mailoutbox[0].body


def test_five_days_of_failures_turn_it_off_and_one_success_does_not_let_it_come_to_that(
    endpoint: MakeEndpoint, happen: Happen, receiver: MakeReceiver, at
) -> None:
    bad, mixed = receiver(answering(500)), receiver(answering(500))
    one, other = endpoint(bad.url), endpoint(mixed.url)
    for hours in range(0, 5 * 24 + 1, 12):
        at(clock.now() + timedelta(hours=12 if hours else 0))
        mixed.behave = answering(200 if hours == 60 else 500)
        happen()
        _send()
        one.refresh_from_db()
        assert one.is_active is (hours < 120)
    other.refresh_from_db()
    assert one.disabled_reason == DisabledReason.FAILING
    assert other.is_active
    assert OrmQ.objects.filter(payload__isnull=False).exists()


# --- dying, waking, refusing --------------------------------------------------------------------


def test_what_a_dead_sender_left_is_sent_again_with_the_same_id(
    endpoint: MakeEndpoint, happen: Happen, receiver: MakeReceiver
) -> None:
    here = receiver()
    one = endpoint(here.url)
    happen()
    fan_out.run()
    [row] = claim.claim(now=clock.now(), limit=1, proven=False)
    deliver.wake(clock.now())
    assert deliver.run() == 0
    WebhookDelivery.objects.update(lease_until=clock.real_now() - timedelta(seconds=1))
    deliver.wake(clock.now())
    assert deliver.run() == 1
    assert not results.record(delivery=row, answer=post.Answer(status=500, error="bad_status"))
    assert one.deliveries.get().state == D
    assert len(here.received) == 1


def test_nothing_is_sent_inside_a_transaction() -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        deliver.run()


def test_the_tick_wakes_a_sender_only_for_what_is_due(
    endpoint: MakeEndpoint, happen: Happen, receiver: MakeReceiver
) -> None:
    here = receiver(answering(500))
    endpoint(here.url)
    deliver.wake(clock.now())
    assert OrmQ.objects.count() == 0
    happen()
    deliver.wake(clock.now())
    assert OrmQ.objects.count() == 1
    deliver.run()
    OrmQ.objects.all().delete()
    deliver.wake(clock.now())
    assert OrmQ.objects.count() == 0
    deliver.wake(clock.now() + timedelta(seconds=6))
    assert OrmQ.objects.count() == 1


def test_a_body_that_cannot_be_made_holds_up_no_other_and_blames_nobody(
    endpoint: MakeEndpoint, happen: Happen, receiver: MakeReceiver, monkeypatch
) -> None:
    here = receiver()
    broken, fine = endpoint(here.url, full_objects=True), endpoint(here.url)

    def fails(entry: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr("integrations.webhooks.events.full", fails)
    happen()
    _send()
    broken.refresh_from_db()
    assert (broken.deliveries.get().state, broken.consecutive_failures) == (W, 0)
    assert fine.deliveries.get().state == D


def test_a_removed_endpoint_takes_its_deliveries_along(
    endpoint: MakeEndpoint, happen: Happen, receiver: MakeReceiver
) -> None:
    here = receiver()
    one = endpoint(here.url)
    happen()
    fan_out.run()
    [row] = claim.claim(now=clock.now(), limit=1, proven=False)
    endpoints.delete(endpoint=one, actor=ACTOR)
    assert not results.record(delivery=row, answer=post.Answer(status=200))
    assert not WebhookDelivery.objects.exists()
    assert journal.verify(one.practice_id) is None
