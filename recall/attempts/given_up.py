"""What happens when a job has failed too often: its work is put out of reach of the queue, and a
person is told. It never tries again by itself.
"""

import logging
from uuid import UUID

from django.db import transaction

from practices import journal
from practices.journal import Actor
from recall import staff_tasks
from recall.attempts import claim, moves
from recall.booking.write_back import again
from recall.models import AttemptState, Episode, EpisodeState, TaskKind

logger = logging.getLogger(__name__)

REASON = "job_failed"


def report(*, job: str, key: str, actor: Actor) -> None:
    """Say that `job` will not be run again for `key`. The log line is what operators alert on."""
    logger.error("job given up", extra={"job": job, "code": REASON})
    if job.endswith(".advance"):
        _recall(UUID(key), actor)
    elif job.endswith(".write_copy"):
        again.job_failed(UUID(key), actor=actor)
    else:
        _attempt(UUID(key), actor)


def _attempt(key: UUID, actor: Actor) -> None:
    """Cancel what has certainly not left; what may have left stays for the reconciler."""
    with transaction.atomic():
        attempt = moves.lock(key)
        if attempt is None:
            return
        staff_tasks.open_task(
            practice=attempt.practice,
            patient=attempt.patient,
            attempt=attempt,
            kind=TaskKind.JOB_FAILED,
            actor=actor,
        )
        if attempt.state in (AttemptState.PLANNED, AttemptState.CLAIMED):
            claim.cancel(attempt, reason=REASON, actor=actor, goes_on=False)
            if attempt.episode is not None:
                _to_staff(attempt.episode, actor)


def _recall(key: UUID, actor: Actor) -> None:
    with transaction.atomic():
        episode = Episode.objects.select_related("practice", "patient").filter(pk=key).first()
        if episode is not None:
            staff_tasks.open_task(
                practice=episode.practice,
                patient=episode.patient,
                kind=TaskKind.JOB_FAILED,
                actor=actor,
            )
            _to_staff(episode, actor)


def _to_staff(episode: Episode, actor: Actor) -> None:
    """The recall rests until its task is done: its next attempt would fail in the same way."""
    rests = Episode.objects.filter(pk=episode.pk, closed_at=None).update(
        state=EpisodeState.NEEDS_STAFF, reason=REASON, next_step_at=None
    )
    if rests:
        journal.record(
            practice=episode.practice_id,
            action="recall.needs_staff",
            actor=actor,
            patient=episode.patient_id,
            subject=episode,
            facts={"reason": REASON},
        )
