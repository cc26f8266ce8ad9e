"""The HTTP under Google's library: one request is one connection, no retries, no proxies, bounded.

httplib2, which the library would use, repeats a request when its connection dies and cannot be
shared between threads. What an answer means is decided in `refusals`.
"""

import time
from typing import Any

import httplib2
import httpx

from sightsync.lib.errors import ProviderError, ProviderKind

TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 3.05
LONGEST_ANSWER = 4 * 1024 * 1024


def send(
    method: str,
    url: str,
    *,
    content: bytes | str | None = None,
    headers: dict[str, str] | None = None,
    form: dict[str, str] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> httpx.Response:
    """The whole answer, whatever its status. Raises ProviderError: TEMPORARY when no connection
    could be opened, UNKNOWN when it is not known what became of the request.
    """
    deadline = time.monotonic() + timeout_s
    limits = httpx.Timeout(timeout_s, connect=min(CONNECT_TIMEOUT_S, timeout_s))
    try:
        with (
            httpx.Client(trust_env=False, timeout=limits, follow_redirects=False) as client,
            client.stream(method, url, content=content, data=form, headers=headers) as answer,
        ):
            body = _read(answer, deadline)
            kept = {
                name: value
                for name, value in answer.headers.items()
                if name not in ("content-encoding", "content-length", "transfer-encoding")
            }
            return httpx.Response(answer.status_code, headers=kept, content=body)
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise ProviderError(
            ProviderKind.TEMPORARY, "Google could not be reached.", "cannot_connect"
        ) from error
    except (httpx.HTTPError, httpx.StreamError) as error:
        raise ProviderError(ProviderKind.UNKNOWN, "Google did not answer.", "timeout") from error


def _read(answer: httpx.Response, deadline: float) -> bytes:
    body = b""
    for chunk in answer.iter_bytes():
        body += chunk
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("The answer dripped past its deadline.")
        if len(body) > LONGEST_ANSWER:
            raise httpx.DecodingError("The answer has no end.")
    return body


class Http:
    """What Google's library takes for an httplib2.Http."""

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: bytes | str | None = None,
        headers: dict[str, Any] | None = None,
        **_: Any,
    ) -> tuple[httplib2.Response, bytes]:
        plain = {
            str(name): value.decode() if isinstance(value, bytes) else str(value)
            for name, value in (headers or {}).items()
            if name.lower() != "content-length"
        }
        answer = send(method, uri, content=body, headers=plain)
        found = httplib2.Response({**answer.headers, "status": str(answer.status_code)})
        found.reason = answer.reason_phrase
        return found, answer.content

    def close(self) -> None:
        """Nothing is kept open."""
