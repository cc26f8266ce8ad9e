"""The sender: claims what is due, posts it with no transaction open, writes down what came of it.

One job holds up to 400 deliveries at once, so that receivers that do not answer take neither the
workers from the calls nor the places from the receivers that do. Only one sender claims at a time.
"""

import logging
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from integrations.models import WebhookDelivery
from integrations.webhooks import claim, endpoints, events, fan_out, results, signing
from integrations.webhooks.post import Answer, Parcel, Post
from sightsync.lib import clock, failpoints, jobs

logger = logging.getLogger(__name__)

JOB = "integrations.tasks.deliver_webhooks"
CLAIMS_FOR_S = 20.0
"""Then the next sender takes over; with the last tries' ten seconds well within a job's time."""
POLL_S = 0.25
PLACES = 400
UNPROVEN_PLACES = 200
"""Of these, what endpoints that fail, or of which nothing is known, may take: the rest is always
free for those that work."""
LONGEST_QUEUE = 100
_LOCK = (0x5169, 1)

UnderWay = dict["Future[Answer]", WebhookDelivery]


def wake(now: datetime) -> None:
    """Plan deliveries for what was sealed, and wake a sender if something is due. The tick calls
    this after it has sealed the journal. Safe in several copies.
    """
    fan_out.run()
    claim.recover()
    if claim.anything_due(now) and not _claiming_elsewhere() and jobs.waiting() < LONGEST_QUEUE:
        jobs.enqueue(JOB)


def run(*, seconds: float = CLAIMS_FOR_S) -> int:
    """Send what is due until nothing is, claiming for at most `seconds`; how many tries were made.
    Another sender that claims already: nothing.
    """
    if connection.in_atomic_block:
        raise RuntimeError("nothing is sent inside a transaction")
    made, under_way = 0, UnderWay()
    until = time.monotonic() + seconds
    with Post() as post:
        with _only_claimer() as only:
            while only and time.monotonic() < until:
                made += _start(post, under_way)
                if not under_way:
                    break
                _finish(under_way, POLL_S)
        while under_way:
            _finish(under_way, POLL_S)
    return made


def _start(post: Post, under_way: UnderWay) -> int:
    unproven = sum(not claim.proven(row.endpoint) for row in under_way.values())
    now, free = clock.now(), PLACES - len(under_way)
    rows = claim.claim(now=now, limit=free, proven=True)
    left = min(free - len(rows), UNPROVEN_PLACES - unproven)
    rows += claim.claim(now=now, limit=left, proven=False)
    failpoints.hit("webhooks.claimed")
    for row in rows:
        parcel = _parcel(row)
        if parcel is None:
            results.record(delivery=row, answer=Answer(error=results.OUR_FAULT))
        else:
            under_way[post.send(parcel)] = row
    return len(rows)


def _finish(under_way: UnderWay, seconds: float) -> None:
    done, _ = wait(under_way, timeout=seconds, return_when=FIRST_COMPLETED)
    for future in done:
        failpoints.hit("webhooks.answered")
        row = under_way.pop(future)
        results.record(delivery=row, answer=_answer(future, row))


def _answer(future: "Future[Answer]", row: WebhookDelivery) -> Answer:
    """A bug in one delivery is logged and holds up no other."""
    try:
        return future.result()
    except Exception:
        logger.exception("a webhook could not be sent", extra={"delivery": str(row.pk)})
        return Answer(error=results.OUR_FAULT)


def _parcel(row: WebhookDelivery) -> Parcel | None:
    try:
        content = events.dump(content_of(row))
        return Parcel(
            url=row.endpoint.url,
            body=content,
            headers=signing.headers(
                event_id=events.public_id(row.event_id),
                body=content,
                secrets_in_force=endpoints.secrets_in_force(row.endpoint),
                at=clock.real_now(),
            ),
            loopback=endpoints.may_loop_back(row.endpoint.practice),
        )
    except Exception:
        logger.exception("a webhook's body could not be made", extra={"delivery": str(row.pk)})
        return None


def content_of(row: WebhookDelivery) -> dict[str, object]:
    """The body of a delivery. With full objects `data.object` is what the API would answer now, not
    what it was when the event happened: an erased patient is erased here too.
    """
    data: dict[str, Any] = (
        events.thin(row.entry) if row.entry is not None else {"webhook_id": row.endpoint.public_id}
    )
    if row.endpoint.full_objects and row.entry is not None:
        data["object"] = events.full(row.entry)
    return events.body(
        key=row.event_id, event_type=row.event_type, created_at=row.event_at, data=data
    )


@contextmanager
def _only_claimer() -> Iterator[bool]:
    """A lock of this database session: it ends with the process, whatever becomes of that."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", _LOCK)
        held = bool(cursor.fetchone()[0])
    try:
        yield held
    finally:
        if held:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", _LOCK)


def _claiming_elsewhere() -> bool:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", _LOCK)
        return not cursor.fetchone()[0]
