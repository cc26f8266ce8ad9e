"""The patient in a webhook of an endpoint that asked for whole objects: as the API answers it."""

from typing import Any
from uuid import UUID

import orjson

from patients import api_shape
from patients.models import Patient
from sightsync.lib.api import render


def patient(practice_id: UUID, key: UUID) -> dict[str, Any] | None:
    """What GET /patients/{id} answers now; None when there is no such patient."""
    row = Patient.objects.filter(practice_id=practice_id, pk=key).first()
    found: dict[str, Any] | None = orjson.loads(render.dump(api_shape.of(row))) if row else None
    return found
