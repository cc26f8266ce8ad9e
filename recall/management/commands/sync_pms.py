"""`sync_pms [--practice ID]`: the nightly reading of practice systems, now."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.models import Connection, ConnectionState
from patients.models import SyncRun, SyncState
from patients.sync import plan, run, words
from practices import selectors
from practices.journal import Actor
from recall.booking.from_pms import FromPms
from sightsync.lib import clock
from sightsync.lib.errors import AppError

ACTOR = Actor.operator("sync_pms")


class Command(BaseCommand):
    help = (
        "Read the connected practice system of every practice, or of one, now. Exits 1 when one "
        "could not be read to the end; the others are read all the same."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--practice", metavar="ID", help="prc_...; every practice without it")
        parser.add_argument(
            "--full", action="store_true", help="Compare everything, not only what has changed."
        )
        parser.add_argument(
            "--accept-gone",
            action="store_true",
            help="Archive the patients who are gone, however many they are. Compares everything.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        accept: bool = options["accept_gone"]
        found = _connections(options["practice"])
        if not found:
            self.stdout.write("No practice system is connected.")
            return
        ended_well = [
            self._read(connection, full=options["full"], accept=accept) for connection in found
        ]
        if not all(ended_well):
            failed = ended_well.count(False)
            raise CommandError(f"{failed} of {len(found)} could not be read to the end.")

    def _read(self, connection: Connection, *, full: bool, accept: bool) -> bool:
        """Whether it was read to the end."""
        asked = plan.ask(connection, full=full, gone_accepted=accept)
        done = run.carry_on(
            asked.pk,
            appointments=FromPms(ACTOR),
            actor=ACTOR,
            seconds=float("inf"),
            at_once=True,
        )
        name = f"{connection.practice.name}, {connection.get_kind_display()}"
        if done is None:
            self.stdout.write(f"{name}: a worker is reading it.")
            return False
        self.stdout.write(f"{name}: {_counts(done)}")
        if done.state == SyncState.DONE:
            return True
        done.refresh_from_db()
        self.stdout.write(f"  {_problem(done)}")
        return False


def _connections(practice: str | None) -> list[Connection]:
    rows = Connection.objects.filter(kind__in=plan.NIGHTLY_KINDS)
    rows = rows.exclude(state=ConnectionState.DISCONNECTED).select_related("practice")
    if practice is not None:
        try:
            rows = rows.filter(practice=selectors.find_practice(practice))
        except AppError as error:
            raise CommandError(error.message) from error
    return list(rows.order_by("practice__name", "kind"))


def _counts(done: SyncRun) -> str:
    return (
        f"read {done.read}, created {done.created}, updated {done.updated}, "
        f"unchanged {done.unchanged}, rejected {done.rejected}, archived {done.archived}, "
        f"appointments {done.appointments}"
    )


def _problem(done: SyncRun) -> str:
    sentence = words.failure(done.error_code)
    if done.state == SyncState.FAILED:
        return f"Not read to the end ({done.error_code}): {sentence}"
    again = clock.london(done.due_at)
    return f"Not read to the end yet ({done.error_code}): {sentence} Next try at {again:%H:%M}."
