"""Checks the journal's chain of hashes, practice by practice."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from practices import journal, selectors
from practices.models import JournalEntry, Practice
from sightsync.lib.errors import AppError


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--practice", metavar="ID", help="Only this practice's chain.")

    def handle(self, *args: Any, **options: Any) -> None:
        broken = [self._check(practice) for practice in self._practices(options["practice"])]
        if any(broken):
            raise CommandError("The journal is not as it was written.")

    def _practices(self, wanted: str | None) -> list[Practice]:
        if wanted is None:
            return list(Practice.objects.order_by("name", "pk"))
        try:
            return [selectors.find_practice(wanted)]
        except AppError as error:
            raise CommandError(error.message) from error

    def _check(self, practice: Practice) -> bool:
        """Whether the practice's chain is broken; prints what was found."""
        label = f"{practice.name} ({practice.public_id})"
        found = journal.verify(practice.pk)
        if found is not None:
            self.stdout.write(f"{label}: broken at entry {found.sequence}, which is {found.what}.")
            return True
        rows = JournalEntry.objects.filter(practice=practice)
        sealed = rows.filter(sequence__isnull=False).count()
        waiting = rows.filter(sequence=None).count()
        self.stdout.write(
            f"{label}: {sealed} sealed entries hold"
            + (f"; {waiting} are not sealed yet." if waiting else ".")
        )
        return False
