"""Deleting recordings at the carrier: what an erasure asked for, what the person on the line
refused, and what is old. Each is its own row and is asked for until the carrier says that it is
gone.
"""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from gdpr.models import CarrierDeletion
from integrations.twilio import client
from recall.attempts import carriers
from recall.models import Attempt
from sightsync.lib import clock
from sightsync.lib.errors import ProviderError

logger = logging.getLogger(__name__)

RECORDING_LIFE = timedelta(days=30)
"""How long a call can be listened to; what was said stays as a transcript."""
AT_ONCE = 50
MANY_TRIES = 24


def give_up(attempts: QuerySet[Attempt]) -> int:
    """Have the recordings of these calls deleted, and point at them no more; how many.

    The deletion waits for the carrier in rows that outlive the attempt's id.
    """
    with transaction.atomic():
        recorded = attempts.exclude(recording="").select_for_update(of=("self",), no_key=True)
        found = list(recorded.values_list("pk", "practice_id", "recording"))
        CarrierDeletion.objects.bulk_create(
            [
                CarrierDeletion(practice_id=practice, recording=recording, requested_at=clock.now())
                for _, practice, recording in found
            ],
            ignore_conflicts=True,
        )
        Attempt.objects.filter(pk__in=[key for key, *_ in found]).update(recording="")
    return len(found)


def give_up_refused_and_old() -> int:
    """How many recordings are kept no longer."""
    old = Q(created_at__lt=clock.now() - RECORDING_LIFE)
    keys = Attempt.objects.exclude(recording="").filter(old | Q(dialogue__recording_declined=True))
    return give_up(Attempt.objects.filter(pk__in=list(keys.values_list("pk", flat=True)[:1000])))


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
