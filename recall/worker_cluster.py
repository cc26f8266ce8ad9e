"""The worker cluster as the operating system and the heartbeat rows see it: beating, finding a
frozen one, ending one with all its processes.

django-q2 leaves orphans when its main process is killed, and an idle worker that is killed can
freeze the rest. So each cluster is one process group, named in a Heartbeat row of its own.
"""

import contextlib
import hashlib
import os
import signal
import socket
from datetime import timedelta
from pathlib import Path

from practices.models import Heartbeat
from sightsync.lib import clock

WORKER = "worker"
SILENCE = timedelta(seconds=90)
FORGET_AFTER = timedelta(days=1)
_PROGRAM = "qcluster"


def host() -> str:
    """This machine, in eight letters that fit into a row's name."""
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def name_of(group: int) -> str:
    return f"{WORKER}:{host()}:{group}"


def put(name: str) -> None:
    """This process did real work just now."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": clock.real_now()})


def beat() -> None:
    """From within a job: the workers in general, and this cluster in particular, are alive."""
    put(WORKER)
    own = name_of(os.getpgid(0))
    Heartbeat.objects.filter(name=own).update(at=clock.real_now())


def started(group: int) -> None:
    """A cluster has been started; from now on it has to show signs of life."""
    put(name_of(group))


def ended(group: int) -> None:
    Heartbeat.objects.filter(name=name_of(group)).delete()


def groups_here() -> dict[int, Heartbeat]:
    """The clusters of this machine that have a row, by process group."""
    prefix = f"{WORKER}:{host()}:"
    rows = Heartbeat.objects.filter(name__startswith=prefix)
    return {int(row.name.removeprefix(prefix)): row for row in rows}


def is_cluster(group: int) -> bool:
    """Whether that process group still has a process, and is ours: numbers are used again."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    command_lines = Path("/proc").glob("[0-9]*/stat")
    if not Path("/proc/self/stat").exists():
        return True  # no /proc here; the number alone has to do
    return any(_belongs(stat, group) for stat in command_lines)


def _belongs(stat: Path, group: int) -> bool:
    with contextlib.suppress(OSError, IndexError, ValueError):
        fields = stat.read_text().rpartition(")")[2].split()
        if int(fields[2]) == group:
            return _PROGRAM in (stat.parent / "cmdline").read_text()
    return False


def end(group: int, *, by: signal.Signals) -> None:
    """Signal every process of the cluster."""
    if is_cluster(group):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, by)


def clear_old() -> int:
    """Forget clusters that have not been heard of for a day; how many."""
    old = clock.real_now() - FORGET_AFTER
    return Heartbeat.objects.filter(name__startswith=f"{WORKER}:", at__lt=old).delete()[0]
