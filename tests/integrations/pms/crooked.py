"""A small HTTP server that says what a test wants a practice management system to say."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

SESSION = {"token": "told.signed", "until": 1}
JSON = {"Content-Type": "application/json"}


class Crooked:
    """`says` is the answer to everything but Optisoft's session: a body (JSON, or bytes as they
    are), or a function of path with query that gives one. `asked` are the paths in order.
    """

    def __init__(self) -> None:
        self.says: Any = {}
        self.status = 200
        self.headers: dict[str, str] = {}
        self.sends: Callable[[BaseHTTPRequestHandler], None] | None = None
        self.asked: list[str] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self.port = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        crooked = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                crooked.asked.append(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                self.rfile.read(length)
                if self.path.endswith("/connect/session"):
                    return self._give(201, SESSION, {})
                if crooked.sends is not None:
                    return crooked.sends(self)
                says = crooked.says(self.path) if callable(crooked.says) else crooked.says
                return self._give(crooked.status, says, crooked.headers)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

            def _give(self, status: int, says: Any, headers: dict[str, str]) -> None:
                body = says if isinstance(says, bytes) else json.dumps(says).encode()
                self.send_response(status)
                for name, value in {**JSON, "Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(body)
                except (BrokenPipeError, ConnectionResetError):
                    return  # whoever asked has heard enough

            def log_message(self, *words: object) -> None:
                """Nothing on the console."""

        return Handler
