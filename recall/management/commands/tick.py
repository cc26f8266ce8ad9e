"""`manage.py tick`: the product's heartbeat, a loop of two seconds. Run as many as you like."""

import signal
import threading
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections

from recall.tick import SECONDS, Tick


class Command(BaseCommand):
    help = "Finds what is due every two seconds and wakes the workers. Ends at once on SIGTERM."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="One tick, then end.")

    def handle(self, *args: Any, **options: Any) -> None:
        tick, stop = Tick(), threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        while not stop.is_set():
            began = time.monotonic()
            tick.run()
            if options["once"]:
                return
            # A lost connection is let go here, so that the next tick opens another.
            close_old_connections()
            stop.wait(max(0.0, SECONDS - (time.monotonic() - began)))
