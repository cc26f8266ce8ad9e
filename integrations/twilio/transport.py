"""The HTTP under the Twilio SDK: one connection per request, to an address we choose, no retries.

It must not decide what an answer means; `client.py` does.
"""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from twilio.http import HttpClient
from twilio.http.response import Response

CONNECT_TIMEOUT_S = 3.05
LONGEST_ANSWER = 16 * 1024 * 1024
"""A recording of an hour; lists and records are far shorter."""


class UnknownProductError(LookupError):
    """The SDK asked for a Twilio product that has no address here, so nothing was sent."""


class NotSentError(Exception):
    """No connection could be opened: it is certain that nothing reached the provider."""


class Answer(Response):
    """With the bytes as they came: a recording is no text."""

    def __init__(self, status_code: int, raw: bytes, headers: Any) -> None:
        super().__init__(status_code, raw.decode("utf-8", "replace"), headers)
        self.raw = raw


class Transport(HttpClient):
    """Sends the SDK's requests to `bases[product]`, where the SDK has `<product>.twilio.com`.

    The SDK has no base URL option, and `region`/`edge` only ever lead to twilio.com. A connection
    is used once: a kept one may be dead by the next call, and a request that dies on it looks like
    a call which may have been accepted. `timeout_s` bounds the whole answer, however slowly it
    drips.
    """

    def __init__(self, *, bases: Mapping[str, str], timeout_s: float) -> None:
        super().__init__(None, False, timeout_s)
        self.bases = dict(bases)
        self.timeout_s = timeout_s
        self.answer: Answer | None = None
        self.retry_after: float | None = None

    def address(self, url: str) -> str:
        parts = urlsplit(url)
        product = (parts.hostname or "").split(".")[0]
        if product not in self.bases:
            raise UnknownProductError(product)
        query = f"?{parts.query}" if parts.query else ""
        return self.bases[product].rstrip("/") + parts.path + query

    def request(
        self,
        method: str,
        url: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        deadline = time.monotonic() + self.timeout_s
        self.answer = self.retry_after = None
        with requests.Session() as session:
            session.trust_env = False
            try:
                answer = session.request(
                    method.upper(),
                    self.address(url),
                    params=params,  # type: ignore[arg-type]
                    data=data,
                    headers={**(headers or {}), "Connection": "close"},
                    auth=auth,
                    timeout=(min(CONNECT_TIMEOUT_S, self.timeout_s), self.timeout_s),
                    allow_redirects=False,
                    stream=True,
                )
            except requests.exceptions.ConnectionError as error:
                if _nothing_was_sent(error):
                    raise NotSentError from error
                raise
            self.retry_after = _seconds(answer.headers.get("Retry-After"))
            self.answer = Answer(answer.status_code, _read(answer, deadline), answer.headers)
            return self.answer


def _read(answer: requests.Response, deadline: float) -> bytes:
    body = bytearray()
    for chunk in answer.iter_content(16 * 1024):
        body += chunk
        if time.monotonic() > deadline:
            raise requests.exceptions.ReadTimeout("The answer dripped past its deadline.")
        if len(body) > LONGEST_ANSWER:
            raise requests.exceptions.ContentDecodingError("The answer has no end.")
    return bytes(body)


def _nothing_was_sent(error: requests.exceptions.ConnectionError) -> bool:
    """True when the connection itself could not be opened (refused, no such host, no route)."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    cause: Any = error.args[0] if error.args else None
    return type(getattr(cause, "reason", None)).__name__ in (
        "NewConnectionError",
        "NameResolutionError",
    )


def _seconds(value: str | None) -> float | None:
    try:
        return max(0.0, float(value)) if value else None
    except ValueError:
        return None
