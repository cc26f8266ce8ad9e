"""How often a job was begun. Counted and committed before it runs, because the queue's own count
misses a job that kills its worker and would run it for ever.
"""

from datetime import timedelta
from enum import StrEnum

from django.db import connection, transaction

from practices.models import JobTry
from sightsync.lib import clock

LIMIT = 5
_FORGET_AFTER = timedelta(days=7)


class Verdict(StrEnum):
    RUN = "run"
    GIVE_UP = "give_up"
    """This is the first time past the limit: say so to somebody, then stop."""
    STOPPED = "stopped"
    """It was given up before."""


def begin(key: str) -> Verdict:
    """Count one more try of `key` (job and id), in one statement that is safe in several workers.

    Refuses to run inside a transaction: what a crash rolls back would not be counted.
    """
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO practices_jobtry AS t (key, tries, first_at) VALUES (%s, 1, %s)"
            " ON CONFLICT (key) DO UPDATE SET tries = LEAST(t.tries + 1, 30000) RETURNING tries",
            [key, clock.real_now()],
        )
        tries = cursor.fetchone()[0]
    if tries <= LIMIT:
        return Verdict.RUN
    return Verdict.GIVE_UP if tries == LIMIT + 1 else Verdict.STOPPED


def finish(key: str) -> None:
    """The job came to its end: forget its tries."""
    JobTry.objects.filter(key=key).delete()


def clear_old() -> int:
    """Forget the tries of jobs that nobody has asked for in a week; how many."""
    return JobTry.objects.filter(first_at__lt=clock.real_now() - _FORGET_AFTER).delete()[0]
