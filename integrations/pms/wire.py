"""One request to a practice management system, and what its failure means.

Every failure leaves as ProviderError with one of the codes of `integrations.pms.words`. It must not
know any vendor: what an answer says is read by the vendor's folder.
"""

import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

import httpx

from integrations.pms.guard import Backend, ForbiddenError, Transport
from integrations.pms.pace import Bucket
from integrations.webhooks import addresses
from sightsync.lib import clock
from sightsync.lib.errors import ProviderError, ProviderKind

DEADLINE_S = 15.0
"""For one exchange: connecting, sending, the last byte of the answer."""
LONGEST_ANSWER = 5 * 1024 * 1024
LONGEST_WAIT_S = 3600.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A success, and the JSON that was in it; None when it was empty."""

    status: int
    body: Any


class Wire:
    """The line to one system. `guarded`: the address was typed in by somebody, so it must be a
    public https one (`loopback`: or on this machine).
    """

    def __init__(
        self,
        *,
        base_url: str,
        headers: Mapping[str, str],
        bucket: Bucket,
        guarded: bool,
        loopback: bool = False,
        auth: tuple[str, str] | None = None,
    ) -> None:
        self._base, self._bucket = base_url.rstrip("/"), bucket
        target = self._target(loopback) if guarded else None
        self._backend = Backend(target, loopback=loopback)
        self._client = httpx.Client(
            transport=Transport(self._backend),
            trust_env=False,
            follow_redirects=False,
            timeout=DEADLINE_S,
            auth=auth,
            headers={
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "User-Agent": "SightSync",
                "Connection": "close",
                **headers,
            },
        )

    def _target(self, loopback: bool) -> addresses.Target:
        if not self._base:
            raise ProviderError(ProviderKind.REJECTED, "There is no address.", "no_address")
        try:
            return addresses.read(self._base, loopback=loopback)
        except addresses.Refused as refused:
            raise _forbidden(refused.code) from refused

    def get(self, path: str, **params: str | int) -> Any:
        return self.send("GET", path, params=params).body

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer of a 2xx. Raises ProviderError for everything else."""
        request = self._client.build_request(
            method,
            self._base + path,
            params={name: str(value) for name, value in (params or {}).items()},
            json=body,
            headers=dict(headers or {}),
        )
        self._bucket.wait()
        self._backend.ends_at = time.monotonic() + DEADLINE_S
        try:
            response = self._client.send(request, stream=True)
            try:
                content = _read(response)
            finally:
                response.close()
        except ForbiddenError as forbidden:
            raise _forbidden(forbidden.code) from forbidden
        except httpx.HTTPError as error:
            _raise(error)
        if response.is_success:
            return Answer(response.status_code, _json(content))
        raise _refusal(response, content)

    def close(self) -> None:
        self._client.close()


def _read(response: httpx.Response) -> bytes:
    content = b""
    for chunk in response.iter_raw():
        content += chunk
        if len(content) > LONGEST_ANSWER:
            raise ProviderError(ProviderKind.UNKNOWN, "The answer has no end.", "too_large")
    return content


def _json(content: bytes) -> Any:
    if not content.strip():
        return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise broken() from error


def broken() -> ProviderError:
    """The answer is not what the wire format says."""
    return ProviderError(ProviderKind.UNKNOWN, "The answer cannot be read.", "broken_answer")


def _forbidden(code: str) -> ProviderError:
    return ProviderError(ProviderKind.REJECTED, f"The address is refused: {code}.", code)


def _raise(error: httpx.HTTPError) -> NoReturn:
    """Not sent for certain, or anything may have happened."""
    if _is_certificate(error):
        raise ProviderError(
            ProviderKind.TEMPORARY, "Its certificate is not trusted.", "bad_certificate"
        ) from error
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        raise ProviderError(
            ProviderKind.TEMPORARY, "It cannot be reached.", "unreachable"
        ) from error
    if isinstance(error, httpx.TimeoutException):
        raise ProviderError(ProviderKind.UNKNOWN, "It took too long.", "timeout") from error
    raise ProviderError(
        ProviderKind.UNKNOWN, "The connection broke.", "broken_connection"
    ) from error


def _is_certificate(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return isinstance(error, httpx.ConnectError)
        cause = cause.__cause__ or cause.__context__
    return False


_REFUSALS = {401: "auth", 403: "auth", 404: "not_found", 409: "taken", 410: "not_found"}


def _refusal(response: httpx.Response, content: bytes) -> ProviderError:
    """What a status other than 2xx means. The vendor's own words are not repeated: they may be
    about a person."""
    status = response.status_code
    if status == 429:
        wait = _seconds(response.headers.get("Retry-After", ""))
        return Refusal(ProviderKind.TEMPORARY, "slow_down", status, content, wait)
    if status in _REFUSALS:
        return Refusal(ProviderKind.REJECTED, _REFUSALS[status], status, content)
    if 300 <= status < 400:
        return Refusal(ProviderKind.REJECTED, "redirect", status, content)
    # 408: the request may have been read; nothing says what became of it.
    if 400 <= status < 500 and status != 408:
        return Refusal(ProviderKind.REJECTED, "refused", status, content)
    wait = _seconds(response.headers.get("Retry-After", ""))
    return Refusal(ProviderKind.UNKNOWN, "server_error", status, content, wait)


class Refusal(ProviderError):
    """An answer that is no success. `body` is for the vendor's folder to read codes from."""

    def __init__(
        self,
        kind: ProviderKind,
        code: str,
        status: int,
        content: bytes,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(kind, f"It answered {status}.", code, retry_after)
        self.status = status
        try:
            found = json.loads(content[:4096])
        except (ValueError, RecursionError):
            found = None
        self.body: dict[str, Any] = found if isinstance(found, dict) else {}


def _seconds(value: str) -> float | None:
    """Retry-After in seconds, from a number or an HTTP date; never longer than an hour."""
    if not value:
        return None
    try:
        wait = float(value)
    except ValueError:
        try:
            wait = (parsedate_to_datetime(value) - clock.real_now()).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(0.0, wait), LONGEST_WAIT_S) if wait == wait else None
