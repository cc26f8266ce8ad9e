"""Ending a recording that the person on the line refused. What was recorded so far is deleted by
the carrier's retention, and never fetched: the attempt keeps no recording id.
"""

from __future__ import annotations

from uuid import UUID

from integrations.twilio import client
from recall.attempts import carriers
from recall.models import Attempt
from sightsync.lib.errors import ProviderError


def stop(*, attempt_id: UUID) -> bool:
    """Ask the carrier to stop; whether it did. Raises ProviderError when that is not known."""
    attempt = Attempt.objects.select_related("practice").filter(pk=attempt_id).first()
    if attempt is None or not attempt.provider_ref:
        return False
    account = carriers.account_of(attempt.practice)
    try:
        client.stop_recording(account=account, sid=attempt.provider_ref)
    except ProviderError as error:
        if error.kind is ProviderError.Kind.REJECTED:
            return False
        raise
    return True
