"""Was this callback sent by Twilio? Fails closed, and looks at nothing but its arguments."""

from collections.abc import Mapping

from twilio.request_validator import RequestValidator


def verify(*, url: str, params: Mapping[str, str], signature: str | None, token: str) -> bool:
    """True when `signature` (the X-Twilio-Signature header) fits the URL and every POST field.

    `url` is the public address that Twilio was given, query string included; build it from
    PUBLIC_BASE_URL, never from headers. `params` is the whole form (a QueryDict will do), empty
    and unknown fields included. https://www.twilio.com/docs/usage/security#validating-requests
    """
    if not signature or not token or not url:
        return False
    form = params if hasattr(params, "getlist") else dict(params)
    return bool(RequestValidator(token).validate(url, form, signature))


def sign(*, url: str, params: Mapping[str, str], token: str) -> str:
    """The header that Twilio would send: for the sandbox and for tests."""
    return str(RequestValidator(token).compute_signature(url, dict(params)))
