"""Two ticks plan the same reminder, the carrier delivers one reply twice at the same moment: once
each, and twice each with the guard switched off.
"""

import threading
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from django.db import connection

from integrations.twilio import payloads
from practices.models import JournalEntry
from recall.booking import book, notices
from recall.messages import inbound, meaning, reminders
from recall.models import Attempt, InboundMessage, Purpose
from tests.recall.booking.conftest import STAFF
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

TUESDAY = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)


@pytest.fixture
def booked(practice, diary_row, jane, at):
    row = book.book(
        practice=practice,
        patient=jane,
        diary_id=None,
        starts_at=TUESDAY,
        source="call",
        actor=STAFF,
    )
    at("2026-11-23T09:00:00Z")
    return row


def wait_at(monkeypatch, module, name, people):
    """Nobody goes on from that call before everybody has made it."""
    gate = threading.Barrier(people)
    real = getattr(module, name)

    def together(*args, **kwargs):
        result = real(*args, **kwargs)
        gate.wait(60)
        return result

    monkeypatch.setattr(module, name, together)


@contextmanager
def without_unique(model, *columns):
    """The table without its unique index over these columns."""
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)
        name, facts = next(
            (name, facts)
            for name, facts in found.items()
            if facts["unique"] and facts["columns"] == list(columns)
        )
        is_index = facts["index"] and model._meta.db_table == "recall_attempt"
        cursor.execute(
            f"DROP INDEX {name}" if is_index else f"ALTER TABLE {table} DROP CONSTRAINT {name}"
        )
    try:
        yield
    finally:
        model.objects.all().delete()
        with connection.cursor() as cursor:
            listed = ", ".join(columns)
            if is_index:
                where = "WHERE appointment_id IS NOT NULL"
                cursor.execute(f"CREATE UNIQUE INDEX {name} ON {table} ({listed}) {where}")
            else:
                cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE ({listed})")


def test_two_ticks_plan_one_reminder(booked, monkeypatch):
    wait_at(monkeypatch, notices, "message", 2)
    at_once([reminders.plan, reminders.plan])
    assert Attempt.objects.filter(purpose=Purpose.REMINDER).count() == 1


def test_without_the_constraint_they_plan_two(booked, monkeypatch):
    wait_at(monkeypatch, notices, "message", 2)
    columns = ("appointment_id", "purpose", "appointment_version", "channel")
    with without_unique(Attempt, *columns):
        at_once([reminders.plan, reminders.plan])
        assert Attempt.objects.filter(purpose=Purpose.REMINDER).count() == 2


def written(practice, jane, body="hello") -> payloads.InboundMessage:
    return payloads.InboundMessage(
        sid="SM" + "7" * 32,
        account_sid="",
        channel="sms",
        from_=jane.phone_number,
        to=practice.caller_number,
        body=body,
        media_count=0,
        button="",
        opt_out_type="",
    )


def reply(practice, jane, body="hello"):
    message = written(practice, jane, body)
    return lambda: inbound.receive(message=message, practices=[practice])


def received():
    return JournalEntry.objects.filter(action="message.received").count()


@pytest.mark.parametrize("body", ["hello", "STOP", "YES"])
def test_a_reply_delivered_twice_at_once_is_acted_on_once(practice, booked, jane, body):
    assert at_once([reply(practice, jane, body)] * 4) == [None] * 4
    assert InboundMessage.objects.count() == 1
    assert received() == 1


def test_without_the_unique_id_it_is_acted_on_twice(practice, booked, jane, monkeypatch):
    wait_at(monkeypatch, inbound, "_home", 2)
    with without_unique(InboundMessage, "provider_ref"):
        at_once([reply(practice, jane)] * 2)
        assert received() == 2


def test_without_the_rows_lock_it_is_acted_on_twice(practice, booked, jane, monkeypatch):
    row = inbound._keep(written(practice, jane), [practice])
    wait_at(monkeypatch, meaning, "of", 2)
    monkeypatch.setattr(
        type(InboundMessage.objects.all()), "select_for_update", lambda rows, **_: rows
    )
    at_once([lambda: inbound.act(row)] * 2)
    assert received() == 2
