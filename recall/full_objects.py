"""Calls, appointments and campaigns in a webhook of an endpoint that asked for whole objects: as
the API answers them.
"""

from typing import Any
from uuid import UUID

import orjson

from practices.models import Practice
from recall.api import campaigns
from recall.models import Campaign
from recall.selectors import for_api
from sightsync.lib.api import render


def call(practice_id: UUID, key: UUID) -> dict[str, Any] | None:
    """What GET /calls/{id} answers now; None for a message, which has no such answer."""
    return _as_sent(for_api.call(Practice.objects.get(pk=practice_id), key))


def appointment(practice_id: UUID, key: UUID) -> dict[str, Any] | None:
    return _as_sent(for_api.appointment(Practice.objects.get(pk=practice_id), key))


def campaign(practice_id: UUID, key: UUID) -> dict[str, Any] | None:
    row = Campaign.objects.filter(practice_id=practice_id, pk=key).first()
    return _as_sent(campaigns.shape(row) if row else None)


def _as_sent(found: dict[str, Any] | None) -> dict[str, Any] | None:
    plain: dict[str, Any] | None = orjson.loads(render.dump(found)) if found else None
    return plain
