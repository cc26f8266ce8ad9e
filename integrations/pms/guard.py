"""Where a connector's bytes may go, and for how long: only to addresses that were checked a moment
ago, and no exchange outlasts its deadline however slowly the other side drips.
"""

import ssl
import time
from collections.abc import Iterable
from functools import cache
from ipaddress import IPv6Address
from typing import Any

import httpcore
import httpx

from integrations.webhooks import addresses
from integrations.webhooks.addresses import Target

CONNECT_S = 4.0


class ForbiddenError(Exception):
    """The address is one that nothing is sent to. `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@cache
def _trusted() -> ssl.SSLContext:
    """The usual authorities; certificates named by the environment do not count."""
    return httpx.create_ssl_context(trust_env=False)


class _Stream(httpcore.NetworkStream):
    """A connection whose every wait ends at the deadline of its backend."""

    def __init__(self, inner: httpcore.NetworkStream, backend: "Backend") -> None:
        self._inner, self._backend = inner, backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = self._backend.left(timeout, httpcore.ReadTimeout)
        return self._inner.read(max_bytes, timeout=left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        left = self._backend.left(timeout, httpcore.WriteTimeout)
        self._inner.write(buffer, timeout=left)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._backend.left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._backend)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class Backend(httpcore.NetworkBackend):
    """Opens connections to `target` only, at the very addresses that were found to be public; the
    name stays in the certificate's check. Without a target every address is allowed: ours.
    """

    def __init__(self, target: Target | None, *, loopback: bool) -> None:
        self._target, self._loopback = target, loopback
        self._inner = httpcore.SyncBackend()
        self.ends_at = 0.0

    def left(self, timeout: float | None, late: type[httpcore.TimeoutException]) -> float:
        """Seconds that one wait may take. Raises `late` when there are none."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise late("The exchange outlasted its deadline.")
        return left if timeout is None else min(timeout, left)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        found = self._checked(host, port)
        for address in found[:-1]:
            try:
                return self._open(address, port, timeout)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue  # nothing was sent: the next address may be reachable
        return self._open(found[-1], port, timeout)

    def _open(self, address: str, port: int, timeout: float | None) -> httpcore.NetworkStream:
        left = self.left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.connect_tcp(address, port, min(left, CONNECT_S)), self)

    def _checked(self, host: str, port: int) -> list[str]:
        if self._target is None:
            return [host]
        if _spelt(host) != self._target.host or port != self._target.port:
            raise ForbiddenError("url_host")
        try:
            found = addresses.allowed(self._target, loopback=self._loopback)
        except addresses.Refused as refused:
            raise ForbiddenError(refused.code) from refused
        except addresses.NotFound as missing:
            raise httpcore.ConnectError("The name stands for no address.") from missing
        return [str(address) for address in found]


def _spelt(host: str) -> str:
    """The host as `addresses.read` spells it: two readings of one URL must mean the same."""
    host = host.strip("[]").lower()
    try:
        return str(IPv6Address(host)) if ":" in host else host
    except ValueError:
        return ""


class Transport(httpx.HTTPTransport):
    """httpx over a guarded backend, no proxies, no retries."""

    def __init__(self, backend: Backend) -> None:
        super().__init__(verify=_trusted(), trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=_trusted(), network_backend=backend, max_connections=2
        )
