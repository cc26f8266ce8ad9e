"""From the sealed journal to deliveries: none lost, none twice, whoever dies or runs beside."""

import os
import signal
import subprocess
import sys
import threading
from typing import Any

import pytest
from django.db import connection, transaction

from integrations.models import DeliveryState, DisabledReason, WebhookDelivery, WebhookEndpoint
from integrations.webhooks import endpoints, events, fan_out
from practices import journal
from practices.models import JournalEntry, Practice
from sightsync.lib import clock, ids
from tests.integrations.webhooks.conftest import ACTOR, Happen, MakeEndpoint

pytestmark = pytest.mark.django_db(transaction=True)


def _planned(endpoint: WebhookEndpoint) -> list[int]:
    """The sequence numbers of the entries that the endpoint was given, in order."""
    rows = WebhookDelivery.objects.filter(endpoint=endpoint).order_by("entry__sequence")
    return list(rows.values_list("entry__sequence", flat=True))


def _sealed(practice: Practice, action: str = "patient.created") -> list[int]:
    rows = JournalEntry.objects.filter(practice=practice, action=action, sequence__isnull=False)
    return list(rows.order_by("sequence").values_list("sequence", flat=True))


def test_each_endpoint_gets_each_event_it_asked_for_once(
    endpoint: MakeEndpoint, happen: Happen
) -> None:
    everything, bookings = endpoint(), endpoint(wanted=("appointment.booked",))
    happen("patient.created", times=3)
    happen("appointment.booked")
    happen("attempt.claimed")
    assert fan_out.run() == 5
    assert fan_out.run() == 0
    assert everything.deliveries.count() == 4
    assert [row.event_type for row in bookings.deliveries.all()] == ["appointment.booked"]
    ours = set(everything.deliveries.values_list("event_id", flat=True))
    assert set(bookings.deliveries.values_list("event_id", flat=True)) < ours


def test_what_is_not_sealed_yet_waits_for_its_seal(endpoint: MakeEndpoint, happen: Happen) -> None:
    one = endpoint()
    happen(seal=False)
    assert fan_out.run() == 0
    journal.seal()
    assert fan_out.run() == 1
    assert one.deliveries.get().state == DeliveryState.PLANNED


def test_what_was_sealed_before_an_endpoint_was_made_is_not_its_business(
    endpoint: MakeEndpoint, happen: Happen
) -> None:
    happen(times=2)
    one = endpoint()
    happen()
    fan_out.run()
    assert one.deliveries.count() == 1


def test_another_practices_events_stay_there(
    endpoint: MakeEndpoint, happen: Happen, other_practice: Practice
) -> None:
    ours, theirs = endpoint(), endpoint(of=other_practice)
    happen(times=2)
    happen(of=other_practice)
    fan_out.run()
    assert (ours.deliveries.count(), theirs.deliveries.count()) == (2, 1)
    assert theirs.deliveries.get().practice == other_practice


def test_one_that_is_off_is_given_nothing_and_starts_anew_when_it_is_on(
    endpoint: MakeEndpoint, happen: Happen
) -> None:
    one = endpoint()
    endpoints.disable(endpoint=one, reason=DisabledReason.BY_HAND, actor=ACTOR)
    happen(times=2)
    assert fan_out.run() == 0
    one = endpoints.enable(endpoint=one, actor=ACTOR)
    happen()
    assert fan_out.run() == 1
    enabled = JournalEntry.objects.get(action="webhook.enabled")
    assert enabled.facts["missed_until"] - enabled.facts["missed_from"] >= 1


def test_long_journals_are_read_to_their_end(
    endpoint: MakeEndpoint, happen: Happen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fan_out, "CHUNK", 3)
    one = endpoint()
    happen(times=10)
    assert fan_out.run() == 10
    assert len(_planned(one)) == 10


def test_reading_an_idle_journal_takes_one_query(
    endpoint: MakeEndpoint, happen: Happen, django_assert_num_queries: Any
) -> None:
    endpoint()
    happen(times=5)
    fan_out.run()
    with django_assert_num_queries(1):
        fan_out.run()


# --- killed at every named place ----------------------------------------------------------------

PLACES = {
    "webhooks.fan_out.read": 0,
    "webhooks.fan_out.planned": 0,
    "webhooks.fan_out.before_commit": 0,
    "webhooks.fan_out.after_commit": 4,
}
RUN_ONCE = """
import os, django
django.setup()
from django.conf import settings
settings.DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE"]
from integrations.webhooks import fan_out
{guard}
fan_out.run()
"""
CURSOR_FIRST = """
from contextlib import nullcontext
read = fan_out.journal.sealed_after
def reads_and_moves_on(practice_id, sequence, limit):
    entries = read(practice_id, sequence, limit)
    if entries:
        fan_out._move_on(fan_out.WebhookEndpoint.objects.all(), entries[-1].sequence + 1)
    return entries
fan_out.journal.sealed_after = reads_and_moves_on
fan_out.transaction.atomic = nullcontext
fan_out._listening = lambda practice: list(fan_out.WebhookEndpoint.objects.filter(is_active=True))
"""


def _killed(failpoint: str, guard: str = "") -> int:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "sightsync.settings",
        "TEST_DATABASE": str(connection.settings_dict["NAME"]),
        "FAILPOINT": failpoint,
    }
    code = [sys.executable, "-c", RUN_ONCE.format(guard=guard)]
    return subprocess.run(code, env=environment, timeout=60, check=False).returncode


@pytest.mark.parametrize("place", PLACES)
def test_killed_there_nothing_is_lost_and_nothing_comes_twice(
    place: str, practice: Practice, endpoint: MakeEndpoint, happen: Happen
) -> None:
    one = endpoint()
    happen(times=4)
    assert _killed(place) == -signal.SIGKILL
    assert len(_planned(one)) == PLACES[place]
    fan_out.run()
    assert _planned(one) == _sealed(practice)


def test_without_the_one_transaction_a_kill_loses_events(
    practice: Practice, endpoint: MakeEndpoint, happen: Happen
) -> None:
    """The guard off: the place in the journal is moved on before the deliveries are there."""
    one = endpoint()
    happen(times=4)
    assert _killed("webhooks.fan_out.read", CURSOR_FIRST) == -signal.SIGKILL
    fan_out.run()
    assert _planned(one) == []
    assert len(_sealed(practice)) == 4


# --- two beside each other ----------------------------------------------------------------------


def _together(count: int = 4) -> None:
    barrier = threading.Barrier(count)

    def run() -> None:
        try:
            barrier.wait()
            fan_out.run()
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_four_ticks_at_once_plan_each_event_once(
    practice: Practice, endpoint: MakeEndpoint, happen: Happen
) -> None:
    one = endpoint()
    for _ in range(5):
        happen(times=4)
        _together()
    fan_out.run()
    assert _planned(one) == _sealed(practice)


def test_without_lock_and_constraint_two_ticks_plan_events_twice(
    practice: Practice, endpoint: MakeEndpoint, happen: Happen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guards off: no lock of the practice or its endpoints, and no constraint behind it."""
    one = endpoint()
    barrier = threading.Barrier(2)
    read = journal.sealed_after

    def read_together(*given: Any) -> list[JournalEntry]:
        entries = read(*given)
        barrier.wait(10)
        return entries

    monkeypatch.setattr(fan_out, "_lock", lambda practice_id: True)
    monkeypatch.setattr(
        fan_out, "_listening", lambda practice_id: list(WebhookEndpoint.objects.all())
    )
    monkeypatch.setattr(fan_out.journal, "sealed_after", read_together)
    happen(times=3)
    table, name = "integrations_webhookdelivery", "webhook_event_once_per_endpoint"
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    try:
        _together(2)
        assert len(_planned(one)) == 6
    finally:
        WebhookDelivery.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE (endpoint_id, event_id)"
            )


def _one_commits_late(practice: Practice) -> None:
    """An entry is written first and committed last, with a tick in between."""
    written, may_commit = threading.Event(), threading.Event()

    def slow() -> None:
        try:
            with transaction.atomic():
                journal.record(
                    practice=practice, action="patient.created", actor=ACTOR, patient=ids.new()
                )
                written.set()
                may_commit.wait(10)
        finally:
            connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    written.wait(10)
    with transaction.atomic():
        journal.record(practice=practice, action="patient.created", actor=ACTOR, patient=ids.new())
    journal.seal()
    fan_out.run()
    may_commit.set()
    thread.join()
    journal.seal()
    fan_out.run()


def test_an_entry_that_is_committed_late_is_not_lost(
    practice: Practice, endpoint: MakeEndpoint
) -> None:
    one = endpoint()
    _one_commits_late(practice)
    assert one.deliveries.count() == 2


def test_read_by_id_an_entry_that_is_committed_late_is_lost(
    practice: Practice, endpoint: MakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard off: the journal is read by the order of writing, not of sealing."""
    one = endpoint()
    seen = [0]

    def by_id(practice_id: object, sequence: int, limit: int) -> list[JournalEntry]:
        rows = JournalEntry.objects.filter(practice_id=practice_id, id__gt=seen[0])
        found = list(rows.filter(sequence__isnull=False).order_by("id"))
        seen[0] = found[-1].pk if found else seen[0]
        return found

    monkeypatch.setattr(fan_out.journal, "sealed_after", by_id)
    _one_commits_late(practice)
    assert one.deliveries.count() == 1


# --- the events themselves ----------------------------------------------------------------------


def test_an_events_id_is_the_same_for_everybody_and_another_for_each_event(
    practice: Practice, happen: Happen
) -> None:
    happen(times=20)
    entries = JournalEntry.objects.filter(practice=practice)
    keys = [events.event_id(entry) for entry in entries]
    assert len(set(keys)) == 20
    assert keys == [events.event_id(entry) for entry in JournalEntry.objects.all()]
    assert events.public_id(keys[0]).startswith("evt_")
    assert abs((entries[0].at - clock.now()).total_seconds()) < 1
