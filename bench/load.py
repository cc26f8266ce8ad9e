"""A load generator: keep-alive connections over one epoll loop, in a process of its own.

`python -m bench.load PORT CONNECTIONS SECONDS` reads requests from standard input, one JSON string
of a path and one of a header line per line, takes turns with them, and prints one JSON object.
"""

import json
import re
import select
import socket
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

_CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HEAD = 4096
"""Nobody's headers are longer; what follows them is counted, and not kept."""


@dataclass(frozen=True, slots=True)
class Result:
    """Requests a second and milliseconds; `bad` counts answers that are not 2xx."""

    rate: float
    p50: float
    p99: float
    worst: float
    bad: int
    size: int


def run(
    port: int,
    paths: list[str],
    *,
    headers: list[str] | None = None,
    connections: int = 8,
    seconds: float = 2.0,
) -> Result:
    """Load on 127.0.0.1:`port`; request n has path n and header line n, each list in turns."""
    lines = json.dumps({"paths": paths, "headers": headers or [""]})
    done = subprocess.run(
        [sys.executable, "-m", "bench.load", str(port), str(connections), str(seconds)],
        input=lines,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Result(**json.loads(done.stdout))


class _Connection:
    __slots__ = ("body_end", "got", "head", "sent_at", "sock")

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at = 0.0
        self.reset()

    def reset(self) -> None:
        self.head, self.got, self.body_end = b"", 0, -1

    def take(self, buffer: bytearray, got: int) -> bool:
        """`got` more bytes have come; whether the answer is complete."""
        self.got += got
        if self.body_end < 0:
            self.head += buffer[: min(got, _HEAD)]
            end = self.head.find(b"\r\n\r\n")
            if end < 0:
                return False
            found = _LENGTH.search(self.head, 0, end)
            if found is None:
                raise SystemExit("an answer without Content-Length")
            self.body_end = end + 4 + int(found[1])
        return self.got >= self.body_end


def _opened(port: int, poll: select.epoll, table: dict[int, _Connection]) -> _Connection:
    connection = _Connection(port)
    table[connection.sock.fileno()] = connection
    poll.register(connection.sock.fileno(), select.EPOLLIN)
    return connection


def _drive(  # noqa: C901  # one loop, for speed
    port: int, requests: list[bytes], connections: int, seconds: float
) -> Result:
    poll = select.epoll()
    table: dict[int, _Connection] = {}
    for _ in range(connections):
        _opened(port, poll, table)
    buffer = bytearray(1 << 18)
    turn, count, bad, size = 0, len(requests), 0, 0
    took: list[float] = []
    clock = time.perf_counter
    for connection in table.values():
        connection.sent_at = clock()
        connection.sock.sendall(requests[turn % count])
        turn += 1
    warm = clock() + min(0.5, seconds / 4)
    start, end = warm, warm + seconds
    while (now := clock()) < end:
        for descriptor, _event in poll.poll(1):
            connection = table[descriptor]
            got = connection.sock.recv_into(buffer)
            if not got:
                raise SystemExit("the server closed a connection")
            if not connection.take(buffer, got):
                continue
            now = clock()
            if now >= warm:
                took.append(now - connection.sent_at)
                bad += connection.head[9:10] != b"2"
                size = connection.got
            if _CLOSES.search(connection.head):  # gunicorn's sync worker keeps none open
                poll.unregister(descriptor)
                connection.sock.close()
                connection = _opened(port, poll, table)
            connection.reset()
            connection.sent_at = now
            connection.sock.sendall(requests[turn % count])
            turn += 1
    took.sort()
    return Result(
        rate=len(took) / (clock() - start),
        p50=statistics.median(took) * 1000,
        p99=took[int(len(took) * 0.99)] * 1000,
        worst=took[-1] * 1000,
        bad=bad,
        size=size,
    )


def main() -> None:
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    asked = json.loads(sys.stdin.read())
    paths, headers = asked["paths"], asked["headers"]
    requests = [
        (
            f"GET {paths[n % len(paths)]} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            + (f"{headers[n % len(headers)]}\r\n" if headers[n % len(headers)] else "")
            + "\r\n"
        ).encode()
        for n in range(len(paths) * len(headers))
    ]
    found = _drive(port, requests, connections, seconds)
    print(json.dumps({name: getattr(found, name) for name in Result.__slots__}))


if __name__ == "__main__":
    main()
