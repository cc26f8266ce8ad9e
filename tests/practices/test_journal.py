"""The journal: written with its change, sealed in order, and no edit goes unseen."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction

from practices import journal
from practices.journal import Actor
from practices.models import JournalEntry, Practice

pytestmark = pytest.mark.django_db

SYSTEM = Actor.system("test")


@pytest.fixture
def sealed(practice: Practice) -> Practice:
    with transaction.atomic():
        for number in range(5):
            journal.record(
                practice=practice, action="patient.created", actor=SYSTEM, facts={"n": number}
            )
    assert journal.seal() == 5
    return practice


def test_sealing_numbers_entries_without_a_gap(sealed: Practice) -> None:
    numbers = JournalEntry.objects.order_by("id").values_list("sequence", flat=True)
    assert list(numbers) == [1, 2, 3, 4, 5]
    assert journal.verify(sealed.pk) is None


def test_sealing_goes_on_where_it_stopped(sealed: Practice) -> None:
    journal.record(practice=sealed, action="patient.updated", actor=SYSTEM)
    assert journal.seal() == 1
    assert journal.seal() == 0
    assert journal.verify(sealed.pk) is None
    assert [row.sequence for row in journal.sealed_after(sealed.pk, 4, 10)] == [5, 6]


def test_each_practice_has_its_own_chain(sealed: Practice, other_practice: Practice) -> None:
    journal.record(practice=other_practice, action="patient.created", actor=SYSTEM)
    journal.seal()
    entry = JournalEntry.objects.get(practice=other_practice)
    assert entry.sequence == 1
    assert journal.verify(other_practice.pk) is None


@pytest.mark.django_db(transaction=True)
def test_it_refuses_to_write_outside_a_transaction(practice: Practice) -> None:
    with pytest.raises(RuntimeError):
        journal.record(practice=practice, action="patient.created", actor=SYSTEM)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE practices_journalentry SET action = 'x' WHERE sequence = 2",
        "UPDATE practices_journalentry SET sequence = 99 WHERE sequence = 2",
        "DELETE FROM practices_journalentry WHERE sequence = 2",
    ],
)
def test_the_database_refuses_to_change_it(sealed: Practice, statement: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def _without_the_trigger(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE practices_journalentry DISABLE TRIGGER USER")
        cursor.execute(statement)
        cursor.execute("ALTER TABLE practices_journalentry ENABLE TRIGGER USER")


TAMPERING: dict[str, tuple[str, int]] = {
    "an edit": ("UPDATE practices_journalentry SET facts = '{\"n\": 9}' WHERE sequence = 3", 3),
    "a deletion": ("DELETE FROM practices_journalentry WHERE sequence = 3", 3),
    "a deletion that closes the gap": (
        "DELETE FROM practices_journalentry WHERE sequence = 3;"
        "UPDATE practices_journalentry SET sequence = 3 WHERE sequence = 4;"
        "UPDATE practices_journalentry SET sequence = 4 WHERE sequence = 5",
        3,
    ),
    "a swap": (
        "UPDATE practices_journalentry SET sequence = 50 WHERE sequence = 2;"
        "UPDATE practices_journalentry SET sequence = 2 WHERE sequence = 3;"
        "UPDATE practices_journalentry SET sequence = 3 WHERE sequence = 50",
        2,
    ),
    "an insertion": (
        "INSERT INTO practices_journalentry (practice_id, at, actor_kind, actor_id, action,"
        " subject_type, subject_id, facts, sequence, hash) SELECT practice_id, at, actor_kind,"
        " actor_id, action, subject_type, subject_id, facts, 6, hash"
        " FROM practices_journalentry WHERE sequence = 5",
        6,
    ),
}


@pytest.mark.parametrize("name", TAMPERING)
def test_verifying_finds_tampering(sealed: Practice, name: str) -> None:
    statement, place = TAMPERING[name]
    _without_the_trigger(statement)
    found = journal.verify(sealed.pk)
    assert found is not None
    assert found.sequence == place


def test_a_forged_hash_is_not_carried_on(sealed: Practice, at: Callable[[str], None]) -> None:
    _without_the_trigger(
        "UPDATE practices_journalentry SET facts = '{\"n\": 9}', hash = sha256('forged')"
        " WHERE sequence = 5"
    )
    journal.record(practice=sealed, action="patient.updated", actor=SYSTEM)
    journal.seal()
    found = journal.verify(sealed.pk)
    assert found is not None
    assert found.sequence == 5
