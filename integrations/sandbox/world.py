"""What the sandbox remembers: settings, clock, log, faults, people, and what is still going on.

Everything is in memory and belongs to one event loop. It must not speak to anybody.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from aiohttp import ClientSession, web

from integrations.sandbox.faults import Faults
from integrations.sandbox.letters import Mail
from integrations.sandbox.people import People
from integrations.sandbox.resources import Call, Message
from sightsync.lib import clock

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Config:
    """`speed` is simulated seconds per real second. The account is the product's own.

    `source` is the time that the sandbox's clock starts from: the machine's.
    """

    account_sid: str
    auth_token: str
    public_base_url: str
    speed: float = 60.0
    source: Callable[[], datetime] = clock.real_now

    @property
    def seconds_per_call(self) -> float:
        """Real seconds between two calls of one account: one, shorter only when tests hurry."""
        return min(1.0, 60.0 / self.speed)


@dataclass(kw_only=True)
class LogRow:
    """One request that a server received, and what it answered."""

    at: datetime
    server: str
    method: str
    path: str
    params: Any
    status: int | None = None
    answer: Any = None

    def as_json(self) -> dict[str, Any]:
        return {
            "at": stamp(self.at),
            "server": self.server,
            "method": self.method,
            "path": self.path,
            "params": self.params,
            "status": self.status,
            "answer": self.answer,
        }


Room = TypeVar("Room")


class PretendClock:
    """The sandbox's time: the machine's, until the product tells its pretend time."""

    def __init__(self, source: Callable[[], datetime]) -> None:
        self._source = source
        self.reset()

    def reset(self) -> None:
        self._anchors: tuple[datetime, datetime] | None = None
        self._rate = 1.0

    def set(self, *, now: datetime, rate: float) -> None:
        self._anchors, self._rate = (self._source(), now.astimezone(UTC)), rate

    def now(self) -> datetime:
        if self._anchors is None:
            return self._source()
        began, pretended = self._anchors
        return pretended + (self._source() - began) * self._rate


class World:
    """The sandbox's memory, shared by its servers."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.clock = PretendClock(config.source)
        self.http: ClientSession | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._start_empty()

    def _start_empty(self) -> None:
        self.log: list[LogRow] = []
        self.faults = Faults()
        self.people = People()
        self.calls: dict[str, Call] = {}
        self.messages: dict[str, Message] = {}
        self.mails: list[Mail] = []
        self.tokens: dict[str, str] = {self.config.account_sid: self.config.auth_token}
        self.next_call_at: dict[str, float] = {}
        self.stopped_texts: set[tuple[str, str]] = set()
        self.whatsapp_windows: dict[tuple[str, str], datetime] = {}
        self.homes: dict[str, tuple[str, str]] = {}
        self.llm_mode = "scripted"
        self.llm_answers: list[Any] = []
        self.memory: dict[str, Any] = {}
        self.clock.reset()

    def room(self, server: str, furnish: Callable[[], Room]) -> Room:
        """One server's own memory, made when it is first asked for and forgotten at a reset."""
        if server not in self.memory:
            self.memory[server] = furnish()
        found: Room = self.memory[server]
        return found

    async def reset(self) -> None:
        """Forget everything and stop whatever is going on."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._start_empty()

    @property
    def is_idle(self) -> bool:
        return not self._tasks

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something beside the requests; `is_idle` waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("sandbox task failed", exc_info=error)

    async def spend(self, seconds: float) -> None:
        """Let simulated seconds pass."""
        await asyncio.sleep(max(0.0, seconds) / self.config.speed)

    def is_ours(self, url: str) -> bool:
        """True for addresses of the product: the only ones that a sandbox patient opens."""
        known = {origin(self.config.public_base_url), *(home for home, _ in self.homes.values())}
        return origin(url) in known

    def remember_home(self, *, practice_number: str, callback_url: str, account_sid: str) -> None:
        """Where replies to a practice's number go: the place its callbacks were asked for."""
        if practice_number and callback_url:
            self.homes[practice_number] = (origin(callback_url), account_sid)

    def home_of(self, practice_number: str) -> tuple[str, str]:
        """Origin and account that answer for a practice's number."""
        default = (origin(self.config.public_base_url), self.config.account_sid)
        return self.homes.get(practice_number, default)


def origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


WORLD = web.AppKey("world", World)


def world_of(request: web.Request) -> World:
    return request.app[WORLD]
