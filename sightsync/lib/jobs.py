"""The one way onto the queue.

The queue lives in the application's database, so that `enqueue` inside a transaction is an outbox.
It may run a job twice or late: a job finds out from its own row whether there is work to do.
"""

from django_q.models import OrmQ
from django_q.tasks import async_task


def enqueue(job: str, *ids: str) -> None:
    """Wake `job` (a dotted path) with ids only: payloads are pickled and kept in the database."""
    for value in ids:
        if not isinstance(value, str):
            raise TypeError(f"{job}: a job takes ids as text, not {type(value).__name__}")
    async_task(job, *ids)


def waiting() -> int:
    """How many jobs are on the queue, those being run included."""
    return int(OrmQ.objects.count())
