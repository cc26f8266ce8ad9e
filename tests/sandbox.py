"""The sandbox servers for tests: the real ones, on free ports, reset before every test.

A test takes the fixture `sandbox`. Its clock is the product's: what `at` sets, both follow.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from integrations.sandbox import server
from integrations.sandbox.world import Config
from sightsync.lib import clock

QUICK = 1200.0
"""Simulated seconds per real second: a call of a minute takes a twentieth of a second."""


def free_port_pair() -> int:
    """A port that is free together with the one after it."""
    for _ in range(200):
        with socket.socket() as first, socket.socket() as second:
            first.bind((server.HOST, 0))
            port: int = first.getsockname()[1]
            try:
                second.bind((server.HOST, port + 1))
            except OSError:
                continue
            return port
    raise RuntimeError("no two neighbouring ports are free")


class Sandbox:
    """The servers on a thread of their own, and what a test asks of them."""

    def __init__(self, config: Config) -> None:
        self.port = free_port_pair()
        self.url = f"http://{server.HOST}:{self.port}"
        self._config = config
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)
        self._http = httpx.Client(base_url=self.url, trust_env=False, timeout=20)

    def start(self) -> None:
        self._thread.start()
        self._ready.wait(20)
        if self._failure:
            raise self._failure
        self._http.get("/ready").raise_for_status()

    def stop(self) -> None:
        self._http.close()
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # handed to the test that waits for readiness
            self._failure = error
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        await server.serve(self._config, port=self.port, stop=self._stop, on_ready=self._ready.set)

    def log(self, server: str = "") -> list[dict[str, Any]]:
        """Every request received and answered, in order; of one server when named."""
        rows: list[dict[str, Any]] = self.get("/log")
        return [row for row in rows if not server or row["server"] == server]

    def calls_to(self, number: str) -> list[dict[str, Any]]:
        """The log's rows that asked for a call to the number and were accepted."""
        return self._accepted("/Calls.json", number)

    def messages_to(self, number: str) -> list[dict[str, Any]]:
        """The log's rows that asked for an SMS or WhatsApp message and were accepted."""
        return self._accepted("/Messages.json", number)

    def mails_to(self, address: str) -> list[dict[str, Any]]:
        return [mail for mail in self.get("/mails") if mail["to"] == address]

    def fault(self, server: str, mode: str, **wish: Any) -> None:
        """`times`, `match`, `seconds`, `retry_after`, `accept`: see the sandbox's faults."""
        self.post(f"/faults/{server}", {"mode": mode, **wish})

    def clear_faults(self, server: str) -> None:
        self._http.delete(f"/faults/{server}").raise_for_status()

    def persona(
        self, number: str, code: str = "", replies: list[dict[str, Any]] | None = None
    ) -> None:
        self.post("/personas", {"number": number, "persona": code, "replies": replies})

    def introduce(self, *, number: str, email: str, name: str = "") -> None:
        """Say that the address is the person's with that number."""
        self.post("/people", [{"number": number, "email": email, "name": name}])

    def inbound(self, *, channel: str, from_: str, to: str = "", body: str = "") -> None:
        self.post("/inbound", {"channel": channel, "from": from_, "to": to, "body": body})

    def transcript(self, sid: str) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self.get(f"/transcript/{sid}")
        return found

    def reset(self) -> None:
        self.post("/reset", {})

    def wait_idle(self, timeout: float = 20) -> None:
        """Until no call, message or patient is busy any more."""
        deadline = time.monotonic() + timeout
        pause = threading.Event()
        while not self.get("/idle")["idle"]:
            if time.monotonic() > deadline:
                raise AssertionError("The sandbox is still busy.")
            pause.wait(0.01)

    def get(self, path: str) -> Any:
        answer = self._http.get(path)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, body: Any) -> Any:
        answer = self._http.post(path, json=body)
        answer.raise_for_status()
        return answer.json()

    def _accepted(self, ending: str, number: str) -> list[dict[str, Any]]:
        return [
            row
            for row in self.log("twilio")
            if row["method"] == "POST"
            and row["path"].endswith(ending)
            and row["status"] == 201
            and row["params"].get("To", "").removeprefix("whatsapp:") == number
        ]


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[Sandbox]:
    config = server.config_from_settings()
    box = Sandbox(replace(config, speed=QUICK, source=lambda: clock.now()))
    box.start()
    yield box
    box.stop()


@pytest.fixture
def sandbox(sandbox_server: Sandbox, settings: Any) -> Iterator[Sandbox]:
    """The servers, empty, with the product's settings pointing at them."""
    sandbox_server.reset()
    port = sandbox_server.port + 1
    settings.SANDBOX_URL = sandbox_server.url
    settings.LLM_BASE_URL = f"{sandbox_server.url}/llm/v1"
    settings.EMAIL_URL = f"smtp://{server.HOST}:{port}"
    settings.EMAIL_HOST, settings.EMAIL_PORT = server.HOST, port
    yield sandbox_server
    sandbox_server.reset()
