"""Secrets of webhook endpoints, and the headers by which a receiver knows that a delivery is ours.

Two schemes beside each other: `X-SightSync-Signature` over the raw body, and Standard Webhooks
(standardwebhooks.com), whose signature covers the id and the time as well and so stops replays.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"
USER_AGENT = "SightSync-Webhooks/1.0"
_SECRET_BYTES = 24  # Standard Webhooks asks for 24 to 64; 24 are 32 characters without padding.


def new_secret() -> str:
    """`whsec_` and 32 characters of base64: 192 random bits."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def headers(
    *, event_id: str, body: bytes, secrets_in_force: Sequence[str], at: datetime
) -> dict[str, str]:
    """The headers of one try. Each secret signs, the newest first: `X-SightSync-Signature` then
    holds several signatures with a comma between, `webhook-signature` with a space.

    `at` is the time of this try by the machine's clock: receivers refuse what is minutes old.
    """
    stamp = str(int(at.timestamp()))
    return {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "webhook-id": event_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(
            _standard(secret, event_id, stamp, body) for secret in secrets_in_force
        ),
        "X-SightSync-Signature": ",".join(_plain(secret, body) for secret in secrets_in_force),
    }


def _plain(secret: str, body: bytes) -> str:
    """The key is the whole text of the secret, `whsec_` included."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _standard(secret: str, event_id: str, stamp: str, body: bytes) -> str:
    """The key is what the base64 after `whsec_` stands for."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{event_id}.{stamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
