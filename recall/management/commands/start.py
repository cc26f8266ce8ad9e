"""Starts the whole product on this machine, with the demo practice: what `make run` calls."""

import os
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from argparse import ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, connections
from honcho import environ, manager
from honcho.printer import Printer

from integrations import pretend_clock, pretend_days
from integrations.models import SandboxClock
from practices.models import Practice
from recall import worker_cluster
from recall.demo import people
from sightsync.lib import clock, embedded_postgres

_READY_WITHIN = 120
_GRACE_SECONDS = 30
_TOLD_TO_STOP = (0, 130, 143)
_LOCAL = "127.0.0.1"


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=_port, default=os.environ.get("PORT", "8000"))

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.LIVE:
            raise CommandError(
                "This starts the sandbox. In live mode, run the lines of the Procfile under a"
                " supervisor (docs/operations.md)."
            )
        self._check_ports(options["port"])
        self._prepare()
        self._serve(options["port"])

    def _check_ports(self, web: int) -> None:
        sandbox = int(settings.SANDBOX_URL.rpartition(":")[2])
        for name, port in (("PORT", web), ("SANDBOX_URL", sandbox), ("SANDBOX_URL", sandbox + 1)):
            if not _is_free(port):
                raise CommandError(
                    f"Port {port} is in use. Is SightSync running already? If another program uses"
                    f" it, set {name} to something else, as in:"
                    " PORT=8100 SANDBOX_URL=http://127.0.0.1:8110 make run"
                )

    def _prepare(self) -> None:
        call_command("migrate", verbosity=0)
        settings.STATIC_ROOT.mkdir(exist_ok=True)  # empty, but looked for
        fresh = not Practice.objects.exists() and not SandboxClock.objects.exists()
        if fresh and not pretend_days.is_working_time(clock.now()):
            pretend_clock.set_to(pretend_days.last_morning(clock.now()))
        call_command("demo", verbosity=0, stdout=self.stdout)

    def _serve(self, port: int) -> None:
        """Run the Procfile until it is told to stop, then leave nothing behind."""
        connections.close_all()
        told = os.environ | {
            "PORT": str(port),
            "PUBLIC_BASE_URL": settings.PUBLIC_BASE_URL,
            "SANDBOX_URL": settings.SANDBOX_URL,
            "LOG_FORMAT": os.environ.get("LOG_FORMAT", "plain"),
            "PYTHONUNBUFFERED": "1",
        }
        # By itself honcho kills after five seconds; a call being handed over may take ten.
        manager.KILL_WAIT = _GRACE_SECONDS
        stack = manager.Manager(Printer(sys.stdout))
        lines = environ.parse_procfile((settings.BASE_DIR / "Procfile").read_text())
        for name, command in lines.processes.items():
            stack.add_process(name, command, env=told, cwd=str(settings.BASE_DIR))
        threading.Thread(target=self._announce, args=(port,), daemon=True).start()
        stack.loop()
        _end_workers()
        _stop_database_unless_shared()
        if stack.returncode not in _TOLD_TO_STOP:
            raise CommandError("A process ended by itself, so everything was stopped; see above.")
        self.stdout.write("Stopped.")

    def _announce(self, port: int) -> None:
        """Wait until the product can be used, then say where and as whom."""
        ready = f"http://{_LOCAL}:{port}/readyz"
        until = time.monotonic() + _READY_WITHIN
        while time.monotonic() < until:
            time.sleep(0.5)
            if _answers(ready):
                self.stdout.write(_welcome())
                connection.close()
                return
        self.stderr.write(f"Not ready after {_READY_WITHIN} s: {ready} says why.")


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise ArgumentTypeError(f"{text!r} is not a port: set PORT to a number such as 8000.")
    return int(text)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_LOCAL, port))
        except OSError:
            return False
    return True


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310  # our own http
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _welcome() -> str:
    sign_in = people.sign_in()
    moment = clock.london(clock.now())
    lines = [
        "SightSync is running",
        "",
        f"  Open        {settings.PUBLIC_BASE_URL}/",
        f"  Sign in     {people.OWNER}",
        f"  Password    {sign_in}",
        f"  Practice    {people.practice().public_id}",
        f"  Phones      {settings.SANDBOX_URL}/sandbox/phone  what the patients hear and read",
        f"  Time there  {moment:%A} {moment.day} {moment:%B %Y, %H:%M}",
        "",
        "  Ctrl-C stops everything.",
    ]
    width = max(len(line) for line in lines) + 4
    rule = "-" * width
    return "\n" + "\n".join([rule, *(f"  {line}" for line in lines), rule]) + "\n"


def _end_workers() -> None:
    """Workers are process groups of their own: end those that outlived their supervisor."""
    for group in worker_cluster.groups_here():
        worker_cluster.end(group, by=signal.SIGKILL)
        worker_cluster.ended(group)


def _stop_database_unless_shared() -> None:
    """End the embedded server, unless another program (a test run) is using it now."""
    if not settings.DATABASE_IS_EMBEDDED:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        others = cursor.fetchone()[0]
    connections.close_all()
    if not others:
        embedded_postgres.stop(settings.POSTGRES_DIR)
