"""A practice's other system: listens on a free port of this machine and does as it is told."""

import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes


Behaviour = Callable[["Receiver", socket.socket], None]


@dataclass
class Receiver:
    """`behave` gets the connection once the request is read. `connects` counts connections."""

    behave: Behaviour
    tls: ssl.SSLContext | None = None
    received: list[Received] = field(default_factory=list)
    connects: int = 0
    sent: int = 0
    most_at_once: int = 0
    at_once: int = 0
    closing: threading.Event = field(default_factory=threading.Event)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.closing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while not self.closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connects += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with self._guard:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            with connection, suppress(OSError):
                if self.tls is not None:
                    connection = self.tls.wrap_socket(connection, server_side=True)
                with connection:
                    self._read(connection)
                    self.behave(self, connection)
        finally:
            with self._guard:
                self.at_once -= 1

    def _read(self, connection: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:])
        length = int({key.lower(): value for key, value in headers.items()}["content-length"])
        while len(body) < length:
            body += connection.recv(65536)
        self.received.append(Received(lines[0].split(" ")[1], headers, body))


def answering(
    status: int, body: bytes = b"", headers: dict[str, str] | None = None, seconds: float = 0
) -> Behaviour:
    """Answers so, after `seconds`."""

    def behave(receiver: Receiver, connection: socket.socket) -> None:
        receiver.closing.wait(seconds)
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)

    return behave


def silent(receiver: Receiver, connection: socket.socket) -> None:
    """Takes the request and never answers."""
    receiver.closing.wait(60)


def dribbling(receiver: Receiver, connection: socket.socket) -> None:
    """A header that never ends, a byte at a time: each wait on its own is short."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not receiver.closing.wait(0.1):
        connection.sendall(b"a")


def endless(receiver: Receiver, connection: socket.socket) -> None:
    """A gigabyte, for as long as somebody reads."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
    block = b"x" * 65536
    for _ in range(16384):
        connection.sendall(block)
        receiver.sent += len(block)


def hanging_up(receiver: Receiver, connection: socket.socket) -> None:
    """Takes the request and closes."""


def until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Waits for another thread's work."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < end, "it did not come"
        pause.wait(0.01)
