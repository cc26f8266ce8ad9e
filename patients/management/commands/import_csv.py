"""`import_csv FILE --practice ID`: patients from a practice's own export."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from patients.csv_import import at_once, drafts, reader
from patients.csv_import.survey import Rejected
from patients.models import ImportRun
from practices import selectors
from practices.journal import Actor
from practices.models import Practice
from sightsync.lib.errors import AppError


class Command(BaseCommand):
    help = (
        "Import patients from a CSV or XLSX export. Rows that cannot be used go, with the reason, "
        "to FILE.rejected.csv. Importing a file again changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--practice", required=True, metavar="ID", help="prc_...")
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done.")

    def handle(self, *args: Any, **options: Any) -> None:
        practice = _practice(options["practice"])
        path: Path = options["file"]
        dry_run: bool = options["dry_run"]
        try:
            done = at_once.run(
                practice=practice,
                file_name=path.name,
                content=_content(path),
                actor=Actor.operator("import_csv"),
                dry_run=dry_run,
            )
        except reader.Unreadable as refusal:
            raise CommandError(f"{path.name}: {refusal} Nothing was imported.") from refusal
        run = done.run
        if dry_run:
            self.stdout.write("Dry run: nothing was written.")
        self.stdout.write(
            f"Rows read: {run.rows_read}\n"
            f"Created: {run.created}\n"
            f"Updated: {run.updated}\n"
            f"Unchanged: {run.unchanged}\n"
            f"Rejected: {run.rejected}"
        )
        if run.unknown_risks:
            self.stdout.write(f"Unknown risk categories, taken as standard: {run.unknown_risks}")
        if run.suppressed:
            self.stdout.write(
                f"Never to be contacted, from an earlier opt-out or erasure: {run.suppressed}"
            )
        if done.unused:
            self.stdout.write(f"Columns not used: {', '.join(done.unused)}")
        self._write_rejected(path, run, done.rejected)

    def _write_rejected(self, path: Path, run: ImportRun, rows: list[Rejected]) -> None:
        target = path.with_name(f"{path.name}.rejected.csv")
        if not rows:
            target.unlink(missing_ok=True)
            return
        try:
            with target.open("w", encoding="utf-8", newline="") as file:
                file.writelines(drafts.rejected_lines(run, rows))
        except OSError as error:
            raise CommandError(
                f"The good rows were imported, but the rejected ones could not be written to "
                f"{target} ({error.strerror}). Make the folder writable and import the file again."
            ) from error
        self.stdout.write(f"Rejected rows, with reasons: {target}")


def _practice(text: str) -> Practice:
    try:
        return selectors.find_practice(text)
    except AppError as error:
        raise CommandError(
            f"{error.message} create_practice printed it as practice_id. Nothing was imported."
        ) from error


def _content(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > reader.MAX_BYTES:
            raise CommandError(
                f"{path.name} is over {reader.MAX_BYTES // 1024 // 1024} MB. Split it and import "
                "the parts."
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise CommandError(f"There is no file {path}. Check the path.") from None
    except OSError as error:
        raise CommandError(f"{path} cannot be read ({error.strerror}). Check it.") from error
