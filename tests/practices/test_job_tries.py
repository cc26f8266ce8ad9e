"""A job's tries are counted before it runs, and it stops after five."""

import pytest
from django.db import transaction

from practices import job_tries
from practices.job_tries import LIMIT, Verdict
from practices.models import JobTry

pytestmark = pytest.mark.django_db


def test_it_runs_five_times_says_so_once_and_then_stops():
    verdicts = [job_tries.begin("dial:1") for _ in range(LIMIT + 3)]
    assert verdicts == [Verdict.RUN] * LIMIT + [Verdict.GIVE_UP] + [Verdict.STOPPED] * 2


def test_a_job_that_came_to_its_end_starts_afresh():
    job_tries.begin("dial:1")
    job_tries.finish("dial:1")
    assert not JobTry.objects.exists()


def test_jobs_are_counted_apart():
    for _ in range(LIMIT + 1):
        job_tries.begin("dial:1")
    assert job_tries.begin("dial:2") is Verdict.RUN


@pytest.mark.django_db(transaction=True)
def test_a_try_that_a_rollback_would_forget_is_refused():
    with pytest.raises(RuntimeError), transaction.atomic():
        job_tries.begin("dial:1")
