"""`manage.py worker`: runs django-q2's cluster as one process group, starts it again when it ends,
and leaves nothing behind.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection

from recall import worker_cluster
from sightsync import schedule

GRACE_S = 70.0
"""A little longer than the longest a job may run."""
QUICK_END_S = 5.0


class Command(BaseCommand):
    help = "Runs the workers. SIGTERM lets running jobs finish, then ends."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stopping = threading.Event()
        self.group: int | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        schedule.sync()
        _end_orphans()
        while not self.stopping.is_set():
            began = time.monotonic()
            self._run_cluster()
            if time.monotonic() - began < QUICK_END_S:
                self.stopping.wait(QUICK_END_S)

    def _run_cluster(self) -> None:
        """One life of a cluster. Whatever its main process left running is killed afterwards."""
        process = subprocess.Popen(  # noqa: S603  # our own interpreter and our own program
            [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "qcluster"],
            start_new_session=True,
        )
        self.group = process.pid
        worker_cluster.started(process.pid)
        connection.close()
        if self.stopping.is_set():
            process.send_signal(signal.SIGTERM)
        self._wait(process)
        worker_cluster.end(process.pid, by=signal.SIGKILL)
        worker_cluster.ended(process.pid)
        self.group = None

    def _wait(self, process: "subprocess.Popen[bytes]") -> None:
        while process.poll() is None:
            if self.stopping.wait(0.5):
                try:
                    process.wait(GRACE_S)
                except subprocess.TimeoutExpired:
                    worker_cluster.end(process.pid, by=signal.SIGKILL)
                    process.wait()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Ask the main process alone: it lets its workers finish what they are doing."""
        self.stopping.set()
        if self.group is not None:
            os.kill(self.group, signal.SIGTERM)


def _end_orphans() -> None:
    """A supervisor that was killed here leaves a cluster that nobody looks after."""
    for group in worker_cluster.groups_here():
        if not _has_parent(group):
            worker_cluster.end(group, by=signal.SIGKILL)
            worker_cluster.ended(group)


def _has_parent(group: int) -> bool:
    """Whether the cluster's main process lives and was not handed to process 1."""
    try:
        fields = Path(f"/proc/{group}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[1] != "1"
