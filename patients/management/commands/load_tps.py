"""`load_tps FILE`: put a newly downloaded TPS/CTPS register in force."""

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from patients import tps, tps_load
from patients.models import RegisterList
from practices.journal import Actor
from sightsync.lib import clock


class Command(BaseCommand):
    help = (
        "Load the licensed TPS/CTPS file (plain or gzip, both layouts), replacing the last one. "
        "A damaged file is refused and the register in force stays."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--date", help="The day the file was downloaded, YYYY-MM-DD (today).")
        parser.add_argument(
            "--list",
            choices=RegisterList.values,
            default=RegisterList.BOTH.value,
            help="Which list the file holds; both (the default) replaces both.",
        )
        parser.add_argument(
            "--accept-smaller",
            action="store_true",
            help="Load a file although it has many fewer numbers than the register in force.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(
                f"There is no file {path}. Give the path of the downloaded register."
            )
        try:
            loaded = tps_load.load(
                path=path,
                listing=RegisterList(options["list"]),
                register_date=_date(options["date"]),
                actor=Actor.operator("load_tps"),
                accept_smaller=options["accept_smaller"],
            )
        except tps_load.NotLoaded as refusal:
            raise CommandError(f"{refusal} The register in force was kept.") from refusal
        register = loaded.register
        self.stdout.write(
            f"Loaded {register.numbers} numbers ({register.get_listing_display()}), register of "
            f"{register.register_date}. Repeated lines left out: {loaded.repeats}. "
            f"Patients whose screening changed: {loaded.patients_changed}."
        )
        state = tps.state(clock.now())
        if not state.is_usable:
            self.stderr.write(
                f"Calls stay blocked ({state.status}): the oldest list in force is of "
                f"{state.register_date or 'no date: no TPS list is loaded'}."
            )


def _date(text: str | None) -> date:
    if text is None:
        return clock.today()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{text!r} is not a date. Write it as 2026-11-20.") from None
