"""Deleting at the carrier what an erasure asked for. Each recording is its own row and is asked for
until the carrier says that it is gone.
"""

import logging

from django.db.models import F

from gdpr.models import CarrierDeletion
from integrations.twilio import client
from recall.attempts import carriers
from sightsync.lib import clock
from sightsync.lib.errors import ProviderError

logger = logging.getLogger(__name__)

AT_ONCE = 50
MANY_TRIES = 24


def delete_recordings() -> int:
    """Ask for what is still to be deleted; how many the carrier has deleted."""
    deleted = 0
    waiting = CarrierDeletion.objects.filter(deleted_at=None).select_related("practice")
    for row in waiting.order_by("tries", "requested_at")[:AT_ONCE]:
        deleted += _delete(row)
    return deleted


def _delete(row: CarrierDeletion) -> bool:
    mine = CarrierDeletion.objects.filter(pk=row.pk, deleted_at=None)
    try:
        client.delete_recording(account=carriers.account_of(row.practice), sid=row.recording)
    except ProviderError as error:
        mine.update(tries=F("tries") + 1, error_code=error.code[:24])
        if row.tries + 1 == MANY_TRIES:  # operators alert on this
            logger.error("a recording cannot be deleted", extra={"code": error.code})
        return False
    return bool(mine.update(deleted_at=clock.now(), error_code=""))
