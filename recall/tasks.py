"""The jobs that django-q2 runs: load by id, call a change. A job run twice does nothing twice."""

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from patients.sync import run as sync_run
from practices import job_tries
from practices.journal import Actor
from recall import episodes, worker_cluster
from recall.attempts import claim, given_up, pace, reconcile, submit
from recall.attempts.carriers import account_of
from recall.booking import poll as polling
from recall.booking.from_pms import FromPms
from recall.booking.write_back import catch_up as catching_up
from recall.booking.write_back import due as copies_due
from recall.booking.write_back import write
from recall.messages import render, trial
from recall.models import Attempt, AttemptState, Channel, Episode
from sightsync.lib import clock, jobs

WORKER = Actor.system("worker")
Job = Callable[[str], None]


def counted(job: Job) -> Job:
    """Count the try before it runs, stop after five, and tell those who can act, once."""

    @wraps(job)
    def run(key: str) -> None:
        name = f"{job.__module__}.{job.__name__}"
        verdict = job_tries.begin(f"{name}:{key}")
        if verdict is job_tries.Verdict.RUN:
            job(key)
            job_tries.finish(f"{name}:{key}")
        elif verdict is job_tries.Verdict.GIVE_UP:
            given_up.report(job=name, key=key, actor=WORKER)

    return run


@counted
def dial(key: str) -> None:
    """Send one planned attempt, whatever its channel."""
    planned = Attempt.objects.select_related("practice").filter(
        pk=UUID(key), state=AttemptState.PLANNED
    )
    attempt = planned.first()
    if attempt is None:
        return
    if attempt.channel == Channel.VOICE and not pace.wait(account_of(attempt.practice).sid):
        return
    claimed = claim.claim(attempt.pk, actor=WORKER)
    if claimed is not None:
        submit.submit(claimed, compose=render.message, actor=WORKER)


@counted
def advance(key: str) -> None:
    """A recall's wait is over: decide its next step."""
    episode = Episode.objects.filter(pk=UUID(key)).first()
    if episode is not None:
        episodes.advance(episode=episode, actor=WORKER)


@counted
def look_up(key: str) -> None:
    """Ask the carrier about an attempt that nobody has told us the end of."""
    reconcile.look_up(UUID(key), actor=WORKER)


@counted
def write_copy(key: str) -> None:
    """Write one appointment into a connected system, and wake the next of that system."""
    answered = write.run(UUID(key), actor=WORKER)
    following = copies_due.next_of(answered, clock.now()) if answered else None
    if following is not None:
        jobs.enqueue("recall.tasks.write_copy", str(following))


def catch_up(key: str) -> None:
    """Plan what is ahead for a system that was connected or set up anew."""
    catching_up.run(UUID(key))


def sync(key: str) -> None:
    """Read a practice's system for a while: it counts its own tries."""
    sync_run.carry_on(UUID(key), appointments=FromPms())


def poll(key: str) -> None:
    """Ask a connected system what has changed in the last minutes."""
    polling.run(UUID(key), actor=WORKER)


def send_trial(key: str) -> None:
    """Send the message that a member of staff wants to see."""
    trial.send(UUID(key))


def beat() -> None:
    """Show that the workers run jobs."""
    worker_cluster.beat()


def clear_old() -> None:
    """Forget finished jobs' rows that only grow."""
    job_tries.clear_old()
    worker_cluster.clear_old()
