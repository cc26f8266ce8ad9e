"""One HTTP request to a receiver: ten seconds in all, no redirects, no proxy, and only to an
address that was checked a moment ago. Knows no database; many run beside each other in one thread.
"""

import asyncio
import ssl
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import Self

import httpx

from integrations.webhooks import addresses

DEADLINE_S = 10.0
"""For everything together: looking the name up, connecting, sending, the last byte of the answer.
A receiver that sends a byte now and then does not make it longer."""
READ_AT_MOST = 64 * 1024
KEPT = 2 * 1024
LOOK_UPS_AT_ONCE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What is to be sent. `loopback`: a receiver on this machine is allowed."""

    url: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    loopback: bool = False


@dataclass(slots=True, kw_only=True)
class Answer:
    """What came of it. `status` is None when nothing was answered; then `error` says why."""

    status: int | None = None
    error: str = ""
    latency_ms: int = 0
    excerpt: str = field(default="", repr=False)
    retry_after: str = ""

    @property
    def taken(self) -> bool:
        """A 2xx and nothing else: a redirect is a failure and is not followed."""
        return self.status is not None and 200 <= self.status < 300


@cache
def _trusted() -> ssl.SSLContext:
    """The usual authorities; certificates named by the environment do not count."""
    return httpx.create_ssl_context(trust_env=False)


class Post:
    """A thread with an event loop that sends; `send` may be called from any other thread.

    Leaving the block drops what is still on its way.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._look_ups = ThreadPoolExecutor(LOOK_UPS_AT_ONCE, "webhook-names")
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="webhook-post", daemon=True
        )
        # Without kept connections: one address may serve many names, each with its certificate.
        self._client = httpx.AsyncClient(
            verify=_trusted(),
            trust_env=False,
            follow_redirects=False,
            timeout=DEADLINE_S,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._look_ups.shutdown(wait=False, cancel_futures=True)

    def send(self, parcel: Parcel) -> "Future[Answer]":
        return asyncio.run_coroutine_threadsafe(self._send(parcel), self._loop)

    async def _close(self) -> None:
        ours = asyncio.current_task()
        rest = [task for task in asyncio.all_tasks() if task is not ours]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        await self._client.aclose()

    async def _send(self, parcel: Parcel) -> Answer:
        began, answer = time.monotonic(), Answer()
        try:
            async with asyncio.timeout(DEADLINE_S):
                await self._exchange(parcel, answer)
        except TimeoutError:
            answer.error = "timeout"
        except addresses.Refused as refused:
            answer.error = refused.code
        except addresses.NotFound:
            answer.error = "name_not_found"
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
            answer.error = _code(error)
        if answer.taken:
            answer.error = ""  # it said so in time; that the rest was slow or broke changes nothing
        elif answer.status is not None:
            answer.error = "redirect" if 300 <= answer.status < 400 else "bad_status"
        answer.latency_ms = round((time.monotonic() - began) * 1000)
        return answer

    async def _exchange(self, parcel: Parcel, answer: Answer) -> None:
        target = addresses.read(parcel.url, loopback=parcel.loopback)
        found = await self._loop.run_in_executor(
            self._look_ups, lambda: addresses.allowed(target, loopback=parcel.loopback)
        )
        for address in found[:-1]:
            try:
                return await self._to(address, target, parcel, answer)
            except httpx.ConnectError:
                continue  # nothing was sent: the next address may be reachable
        await self._to(found[-1], target, parcel, answer)

    async def _to(
        self,
        address: addresses.Address,
        target: addresses.Target,
        parcel: Parcel,
        answer: Answer,
    ) -> None:
        """To that very address; the name stays in Host and in the certificate's check."""
        url = httpx.URL(parcel.url)
        request = self._client.build_request(
            "POST",
            url.copy_with(host=str(address)),
            content=parcel.body,
            headers={
                **parcel.headers,
                "Host": url.netloc.decode("ascii"),
                "Accept": "*/*",
                "Accept-Encoding": "identity",
                "Connection": "close",
            },
            extensions={"sni_hostname": target.host},
        )
        response = await self._client.send(request, stream=True)
        try:
            answer.status = response.status_code
            answer.retry_after = response.headers.get("Retry-After", "")[:64]
            await _read(response, answer)
        finally:
            await response.aclose()


async def _read(response: httpx.Response, answer: Answer) -> None:
    """The start of the answer, as it came: unpacked, a small one could fill the memory."""
    read, kept = 0, b""
    async for chunk in response.aiter_raw():
        read += len(chunk)
        if len(kept) < KEPT:
            kept += chunk[: KEPT - len(kept)]
            answer.excerpt = kept.decode(errors="replace").replace("\0", "")
        if read >= READ_AT_MOST:
            return


def _code(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "timeout"
    if isinstance(error, httpx.ConnectError):
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, ssl.SSLError):
                return "bad_certificate"
            cause = cause.__cause__ or cause.__context__
        return "cannot_connect"
    return "broken_answer"
