"""What receivers check: with the standardwebhooks library, and by the plain signature."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from integrations.webhooks import signing
from sightsync.lib import clock

BODY = b'{"id":"evt_1","type":"call.completed"}'


def _headers(*secrets: str, age_s: float = 0, event_id: str = "evt_1") -> dict[str, str]:
    at = clock.real_now() - timedelta(seconds=age_s)
    return signing.headers(event_id=event_id, body=BODY, secrets_in_force=secrets, at=at)


def test_a_secret_is_24_random_bytes_in_the_standards_spelling() -> None:
    secret = signing.new_secret()
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 24
    assert len(secret) == len("whsec_") + 32
    assert secret != signing.new_secret()


def test_the_library_takes_what_we_sign() -> None:
    secret = signing.new_secret()
    assert Webhook(secret).verify(BODY, _headers(secret)) == json.loads(BODY)


@pytest.mark.parametrize("at", [0, 10, len(BODY) - 1])
def test_the_library_refuses_a_changed_byte(at: int) -> None:
    secret = signing.new_secret()
    changed = BODY[:at] + bytes([BODY[at] ^ 1]) + BODY[at + 1 :]
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(changed, _headers(secret))


def test_the_library_refuses_another_id_and_an_old_time() -> None:
    secret = signing.new_secret()
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY, {**_headers(secret), "webhook-id": "evt_2"})
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY, _headers(secret, age_s=6 * 60))
    forged = {**_headers(secret, age_s=6 * 60)}
    forged["webhook-timestamp"] = str(int(clock.real_now().timestamp()))
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY, forged)


def test_the_library_refuses_another_secret() -> None:
    with pytest.raises(WebhookVerificationError):
        Webhook(signing.new_secret()).verify(BODY, _headers(signing.new_secret()))


def test_the_plain_signature_is_an_hmac_of_the_body_under_the_whole_secret() -> None:
    secret = signing.new_secret()
    expected = hmac.new(secret.encode(), BODY, hashlib.sha256).hexdigest()
    assert _headers(secret)["X-SightSync-Signature"] == f"sha256={expected}"


def test_during_a_rotation_both_secrets_sign_the_new_one_first() -> None:
    new, old = signing.new_secret(), signing.new_secret()
    both = _headers(new, old)
    for secret in (new, old):
        assert Webhook(secret).verify(BODY, both)
    plain = both["X-SightSync-Signature"].split(",")
    assert plain == [_headers(secret)["X-SightSync-Signature"] for secret in (new, old)]
