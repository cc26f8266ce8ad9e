"""Shows or sets the sandbox's clock, which every process of the product follows."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrations import pretend_clock
from integrations.models import SandboxClock
from sightsync.lib import clock
from sightsync.lib.errors import AppError


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "moment",
            nargs="?",
            metavar="ISO",
            help="The new time, such as 2026-11-20T10:00; London time unless it has an offset.",
        )
        parser.add_argument(
            "--rate",
            metavar="N",
            help="How fast it runs: 1 as usual, 60 a minute a second, 0 stopped.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.LIVE:
            raise CommandError("There is no sandbox clock in live mode: real patients are called.")
        moment, rate = options["moment"], options["rate"]
        if moment is not None or rate is not None:
            try:
                pretend_clock.set_to(
                    None if moment is None else _moment(moment),
                    rate=None if rate is None else _rate(rate),
                )
            except AppError as error:
                raise CommandError(error.message) from error
        self._show()

    def _show(self) -> None:
        row = SandboxClock.objects.filter(pk=1).first()
        if row is None:
            self.stdout.write("The sandbox clock is not set: the machine's time is used.")
            return
        shown = clock.london(pretend_clock.now())
        self.stdout.write(
            f"It is {shown:%A} {shown.day} {shown:%B %Y %H:%M:%S} in the sandbox,"
            f" running at rate {row.rate:g}."
        )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=clock.LONDON)
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise CommandError(f"{text!r} is not a time: write it like 2026-11-20T10:00.") from error
    if not 2000 <= moment.year <= 2100:
        raise CommandError("The sandbox clock runs from the year 2000 to 2100.")
    return moment


def _rate(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise CommandError(f"{text!r} is not a rate: write a number such as 1 or 60.") from error
