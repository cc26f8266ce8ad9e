"""One call a second per carrier account, over all processes."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from django.db import connections

from recall.attempts import pace

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def spacing(settings):
    settings.CARRIER_CALL_SPACING_S = 1.0


def test_slots_are_a_spacing_apart_and_the_fourth_in_line_is_sent_away():
    slots = [pace.reserve("AC1") for _ in range(5)]
    assert slots[0] == pytest.approx(0, abs=0.2)
    assert slots[4] is None
    for before, after in pairwise(slot for slot in slots if slot is not None):
        assert after - before == pytest.approx(1.0, abs=0.2)


def test_accounts_do_not_wait_for_each_other():
    pace.reserve("AC1")
    assert pace.reserve("AC2") == pytest.approx(0, abs=0.2)


def test_callers_at_once_get_different_slots():
    def one(_: int) -> float | None:
        try:
            return pace.reserve("AC1", patience_s=60)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        slots = sorted(slot for slot in pool.map(one, range(6)) if slot is not None)
    assert len(slots) == 6
    assert all(after - before > 0.7 for before, after in pairwise(slots))


def test_without_the_one_update_callers_at_once_would_share_a_slot():
    """The guard off: read the next instant, then write it."""
    import threading

    from django.db import connection

    pace.reserve("AC1")
    barrier = threading.Barrier(2)

    def careless(_: int) -> object:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT next_at FROM integrations_carrierpace")
                (slot,) = cursor.fetchone()
                barrier.wait(5)
                cursor.execute(
                    "UPDATE integrations_carrierpace SET next_at = %s + interval '1 second'", [slot]
                )
            return slot
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(careless, range(2))
    assert first == second
