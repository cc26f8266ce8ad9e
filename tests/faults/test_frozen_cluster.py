"""A cluster that takes no jobs any more is ended by the tick, and its supervisor starts another;
a killed one leaves nothing behind.
"""

import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings

from practices.models import Heartbeat
from recall import watchdog, worker_cluster
from recall.watchdog import Watchdog
from sightsync.lib import clock, jobs
from tests import engine
from tests.engine import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def supervisor():
    """`manage.py worker`, running; whatever it leaves is killed after the test."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "worker"],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": engine.database_url(), "WORKERS": "2"},
        start_new_session=True,
    )
    yield process
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
    for group in worker_cluster.groups_here():
        worker_cluster.end(group, by=signal.SIGKILL)


def the_group() -> int:
    """The one cluster that has beaten."""
    until(worker_cluster.groups_here, 30)
    (group,) = worker_cluster.groups_here()
    return group


def beats_since(moment) -> bool:
    return Heartbeat.objects.filter(name="worker", at__gt=moment).exists()


def ask_until_it_beats() -> None:
    asked = clock.real_now()
    jobs.enqueue("recall.tasks.beat")
    until(lambda: beats_since(asked), 40)


def make_silent(group: int) -> None:
    old = clock.real_now() - worker_cluster.SILENCE - timedelta(seconds=1)
    Heartbeat.objects.filter(name=worker_cluster.name_of(group)).update(at=old)


def test_a_frozen_cluster_is_ended_and_another_takes_its_place(supervisor, monkeypatch):
    monkeypatch.setattr(watchdog, "GRACE_S", 0.0)
    ask_until_it_beats()
    first = the_group()

    os.killpg(first, signal.SIGSTOP)  # alive, and deaf: as a cluster with a lost queue lock
    jobs.enqueue("recall.tasks.beat")
    make_silent(first)
    dog = Watchdog()
    dog.run()
    until(lambda: dog.run() or not worker_cluster.is_cluster(first), 20)

    ask_until_it_beats()
    assert the_group() != first
    assert supervisor.poll() is None


def test_a_cluster_that_beats_or_has_nothing_to_do_is_left_alone(supervisor):
    ask_until_it_beats()
    group = the_group()
    Watchdog().run()
    assert worker_cluster.is_cluster(group)


def test_when_the_main_process_is_killed_its_orphans_go_too(supervisor):
    ask_until_it_beats()
    first = the_group()

    os.kill(first, signal.SIGKILL)

    until(lambda: not worker_cluster.is_cluster(first), 20)
    ask_until_it_beats()
    assert the_group() != first


def test_told_to_stop_it_ends_with_all_its_processes(supervisor):
    ask_until_it_beats()
    group = the_group()

    supervisor.send_signal(signal.SIGTERM)

    assert supervisor.wait(40) == 0
    assert not worker_cluster.is_cluster(group)
    assert not worker_cluster.groups_here()
