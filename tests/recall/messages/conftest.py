"""The people and the diary of the booking tests, and a message about to be sent."""

from collections.abc import Callable
from typing import Any

import pytest

from recall.models import Attempt
from sightsync.lib import clock
from tests.recall.booking.conftest import diary_row, jane, make_patient

__all__ = ["diary_row", "jane", "make_patient"]


@pytest.fixture
def claimed(practice) -> Callable[..., Attempt]:
    """A claimed message to a patient, as `submit` hands it to `render`."""

    def make(patient, channel: str, purpose: str = "recall", **fields: Any) -> Attempt:
        row = Attempt.objects.create(
            practice=practice,
            patient=patient,
            channel=channel,
            purpose=purpose,
            state="claimed",
            due_at=clock.now(),
            created_at=clock.now(),
            claimed_at=clock.now(),
            destination=patient.email if channel == "email" else patient.phone_number,
            **fields,
        )
        return Attempt.objects.select_related("practice", "patient", "episode").get(pk=row.pk)

    return make
