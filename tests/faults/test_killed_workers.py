"""A worker is killed with -9 at every named place: one request at most, and nothing is lost."""

import signal

import pytest

from practices import job_tries, quota
from recall import tasks
from recall.attempts import reconcile
from recall.models import Attempt, AttemptState, Channel, EpisodeState, StaffTask, TaskKind
from sightsync.lib import clock
from tests import engine
from tests.engine import ACTOR

pytestmark = pytest.mark.django_db(transaction=True)


def requests_to(carrier, number: str) -> int:
    return len(
        [
            row
            for row in carrier.log("twilio")
            if row["method"] == "POST" and row["params"].get("To", "").endswith(number)
        ]
    )


# Where it dies, the state it leaves, and whether the request had left by then.
FAILPOINTS = [
    ("claim.before_commit", AttemptState.PLANNED, False),
    ("claim.after_commit", AttemptState.CLAIMED, False),
    ("submit.before_request", AttemptState.SUBMITTING, False),
    ("submit.after_request", AttemptState.SUBMITTING, True),
    ("record.before_commit", AttemptState.SUBMITTING, True),
    ("record.after_commit", AttemptState.ACCEPTED, True),
]


@pytest.mark.parametrize("channel", [Channel.VOICE, Channel.WHATSAPP])
@pytest.mark.parametrize(("failpoint", "left_in", "had_left"), FAILPOINTS)
def test_killed_there_it_is_sent_once_at_most_and_ends_somewhere(
    jane, carrier, worker, at, channel, failpoint, left_in, had_left
):
    carrier.fault("twilio", "callbacks_off", match="To=")
    attempt = engine.planned(jane, channel)

    assert worker("recall.tasks.dial", attempt.pk, failpoint) == -signal.SIGKILL

    attempt.refresh_from_db()
    assert attempt.state == left_in
    assert requests_to(carrier, jane.phone_number) == int(had_left)

    # The queue delivers the job again at once, and again after the lease; the reconciler comes by.
    assert worker("recall.tasks.dial", attempt.pk) == 0
    at("2026-11-18T10:06:00Z")
    reconcile.run(clock.now(), actor=ACTOR)
    assert worker("recall.tasks.dial", attempt.pk) == 0
    carrier.wait_idle()
    tasks.look_up(str(attempt.pk))

    attempt.refresh_from_db()
    never_left = failpoint == "submit.before_request"
    assert requests_to(carrier, jane.phone_number) == (0 if never_left else 1)
    if never_left:
        assert attempt.state == AttemptState.UNKNOWN
        at("2026-11-18T10:40:00Z")
        reconcile.run(clock.now(), actor=ACTOR)
        assert StaffTask.objects.get().kind == TaskKind.UNKNOWN_OUTCOME
    else:
        assert attempt.state in (AttemptState.ACCEPTED, AttemptState.DONE)


def test_killed_after_the_request_its_callbacks_settle_it(jane, carrier, worker):
    attempt = engine.planned(jane)
    assert worker("recall.tasks.dial", attempt.pk, "submit.after_request") == -signal.SIGKILL
    carrier.wait_idle()
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.DONE
    assert len(carrier.calls_to(jane.phone_number)) == 1


def test_killed_after_the_claim_its_place_in_the_quota_is_given_back(jane, carrier, worker, at):
    attempt = engine.planned(jane)
    worker("recall.tasks.dial", attempt.pk, "claim.after_commit")
    month = quota.month_of(clock.now())
    assert quota.used(practice_id=jane.practice_id, month=month) == 1
    at("2026-11-18T10:06:00Z")
    reconcile.run(clock.now(), actor=ACTOR)
    assert quota.used(practice_id=jane.practice_id, month=month) == 0
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.PLANNED


def test_a_job_that_kills_its_worker_is_stopped_after_five_tries(jane, carrier, worker):
    attempt = engine.planned(jane)
    for _ in range(job_tries.LIMIT):
        assert worker("recall.tasks.dial", attempt.pk, "claim.before_commit") == -signal.SIGKILL

    assert worker("recall.tasks.dial", attempt.pk, "claim.before_commit") == 0
    assert worker("recall.tasks.dial", attempt.pk, "claim.before_commit") == 0

    attempt.refresh_from_db()
    assert (attempt.state, attempt.reason) == (AttemptState.CANCELLED, "job_failed")
    assert StaffTask.objects.get().kind == TaskKind.JOB_FAILED
    assert requests_to(carrier, jane.phone_number) == 0
    assert not Attempt.objects.exclude(pk=attempt.pk).exists()
    assert attempt.episode.state == EpisodeState.NEEDS_STAFF
