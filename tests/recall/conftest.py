"""What most tests of the recall start from."""

from datetime import datetime

import pytest

from patients.models import TpsRegister
from sightsync.lib import clock
from tests import engine


@pytest.fixture
def now() -> datetime:
    return clock.now()


@pytest.fixture
def register(db: None) -> TpsRegister:
    """A current register, so that calls are not held."""
    return engine.register()
