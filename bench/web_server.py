"""The product's web process for a benchmark: the Procfile's line, or gunicorn in its place."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

ROOT = Path(__file__).resolve().parent.parent
READY_S = 40


def procfile_line() -> str:
    for line in (ROOT / "Procfile").read_text().splitlines():
        if line.startswith("web:"):
            return line.removeprefix("web:").strip()
    raise RuntimeError("the Procfile has no web line")


def gunicorn_line(*options: str) -> str:
    return (
        f"exec {sys.executable} -m gunicorn sightsync.wsgi:application --log-level error"
        f" --bind 127.0.0.1:$PORT --workers 2 {' '.join(options)}"
    )


def has_gunicorn() -> bool:
    return not subprocess.run(
        [sys.executable, "-c", "import gunicorn"], capture_output=True, check=False
    ).returncode


def database_url() -> str:
    """That of the database this process is connected to."""
    options = connection.settings_dict
    host = options["HOST"] or options["OPTIONS"].get("host", "")
    if host.startswith("/") or not host:
        return f"postgresql://{options['USER']}:@/{options['NAME']}?host={host}"
    password, port = options["PASSWORD"], options["PORT"] or 5432
    return f"postgresql://{options['USER']}:{password}@{host}:{port}/{options['NAME']}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(line: str, **environment: str) -> Iterator[int]:
    """Start `line` on the scratch database; the port it answers on."""
    port = free_port()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.Popen(
        ["bash", "-c", line],
        cwd=ROOT,
        env={
            **os.environ,
            "PATH": path,
            "PORT": str(port),
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "bench.api_settings",
            **environment,
        },
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait(port, process)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + READY_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/hello", timeout=10):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server did not start")
