"""A booked appointment, the system that is to have it, and time that passes."""

from datetime import timedelta

import pytest

from integrations import registry
from recall.booking import book
from sightsync.lib import clock
from tests.recall.booking.conftest import STAFF
from tests.recall.booking.other_system import OtherSystem, connection
from tests.recall.booking.write_back.desk import TUESDAY


@pytest.fixture
def optix(practice):
    return connection(practice)


@pytest.fixture
def there(monkeypatch):
    system = OtherSystem()
    monkeypatch.setattr(registry, "connector", lambda connection: system)
    return system


@pytest.fixture
def later(at):
    """Lets time pass, as the tick and the workers see it."""

    def pass_by(**span: float) -> None:
        at(clock.now() + timedelta(**span))

    return pass_by


@pytest.fixture
def booked(practice, diary_row, jane, optix, there):
    return book.book(
        practice=practice,
        patient=jane,
        diary_id=diary_row.pk,
        starts_at=TUESDAY,
        source="call",
        actor=STAFF,
    )
