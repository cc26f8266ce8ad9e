"""`manage.py sandbox --port N`: the loopback providers, in one process, without a database."""

import asyncio
import signal
from argparse import ArgumentParser
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from integrations.sandbox import server


class Command(BaseCommand):
    help = "Run the sandbox: Twilio and LLM on --port, mail on the port after it."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        default = urlsplit(settings.SANDBOX_URL).port or 8010
        parser.add_argument("--port", type=int, default=default)

    def handle(self, *args: Any, **options: Any) -> None:
        port: int = options["port"]
        try:
            asyncio.run(self._run(port))
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {server.HOST}:{port} and {port + 1}: {error.strerror}."
            ) from error

    async def _run(self, port: int) -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, stop.set)

        def say_ready() -> None:
            url = f"http://{server.HOST}:{port}"
            self.stdout.write(f"Sandbox ready. The patients' phones: {url}/sandbox/phone")

        await server.serve(server.config_from_settings(), port=port, stop=stop, on_ready=say_ready)
