"""Ending a recording that the person on the line refused, and fetching one that may be heard.

Recordings stay with the carrier; what is deleted there, and when, is `gdpr`'s.
"""

from __future__ import annotations

from uuid import UUID

from integrations.twilio import client
from recall.attempts import carriers
from recall.models import Attempt
from sightsync.lib.errors import AppError, ProviderError


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


def sound(attempt: Attempt) -> bytes:
    """What was recorded of the call, as MP3. Raises AppError: 404 when nothing is kept that may be
    heard, 503 when the carrier does not answer.
    """
    if not attempt.may_be_heard:
        raise _no_recording()
    account = carriers.account_of(attempt.practice)
    try:
        return client.fetch_recording(account=account, sid=attempt.recording)
    except ProviderError as error:
        if error.kind is ProviderError.Kind.REJECTED:
            raise _no_recording() from error
        raise AppError(
            "carrier_unavailable",
            "The carrier, who keeps the recording, does not answer.",
            503,
            headers={"Retry-After": "30"},
        ) from error


def _no_recording() -> AppError:
    return AppError("no_recording", "There is no recording of this call.", 404)
