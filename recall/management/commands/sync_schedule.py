"""`manage.py sync_schedule`: makes the queue's recurring jobs those of `sightsync.schedule`."""

from typing import Any

from django.core.management.base import BaseCommand

from sightsync import schedule


class Command(BaseCommand):
    help = "Makes the recurring jobs those of the list. `manage.py worker` does it at its start."

    def handle(self, *args: Any, **options: Any) -> None:
        changed = schedule.sync()
        self.stdout.write(f"{len(schedule.RECURRING)} recurring jobs, {changed} changed.")
