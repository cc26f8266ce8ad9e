"""The demo practice: 400 made-up patients with history, appointments and messages. Made once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recall.demo import build, people
from sightsync.lib.errors import AppError


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if people.exists():
                build.refresh_register()
                self._say("The demo practice is there already; nothing was changed.", options)
            else:
                self.stdout.write("Making the demo practice")
                build.build()
        except AppError as error:
            raise CommandError(error.message) from error
        self._say(f"Practice {people.practice().public_id}", options)
        self._say(f"Sign in as {people.OWNER}, password {people.sign_in()}", options)

    def _say(self, line: str, options: dict[str, Any]) -> None:
        """`start` says these things itself, when everything is up."""
        if options["verbosity"]:
            self.stdout.write(line)
