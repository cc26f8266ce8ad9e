"""The recurring jobs: one list, checked before it is written, so that no row stops the others."""

from datetime import time

import pytest
from django.core.exceptions import ImproperlyConfigured
from django_q.models import Schedule

from sightsync import schedule
from sightsync.lib import clock
from sightsync.schedule import Recurring

GOOD = "recall.tasks.clear_old"


@pytest.mark.django_db
def test_rows_follow_the_list_and_a_second_run_changes_nothing():
    Schedule.objects.create(name="by hand", func="nobody.knows", args="(((")
    assert schedule.sync() == 1 + len(schedule.RECURRING)
    assert schedule.sync() == 0
    assert set(Schedule.objects.values_list("name", flat=True)) == {
        job.name for job in schedule.RECURRING
    }


@pytest.mark.django_db
def test_a_row_that_somebody_spoilt_is_mended():
    schedule.sync()
    Schedule.objects.update(args="(((", func="nobody.knows")
    assert schedule.sync() == len(schedule.RECURRING)
    row = Schedule.objects.get(name="forget finished jobs")
    assert (row.func, row.args) == (GOOD, None)
    assert clock.london(row.next_run).time() == time(3, 40)
    assert row.next_run > clock.real_now()


@pytest.mark.parametrize(
    "job",
    [
        Recurring(name="x", job="recall.tasks.nothing", at=time(4)),
        Recurring(name="x", job="not a path", at=time(4)),
        Recurring(name="x", job="recall.tasks.WORKER", at=time(4)),
        Recurring(name="x", job=GOOD),
        Recurring(name="x", job=GOOD, at=time(4), minutes=5),
        Recurring(name="x", job=GOOD, at=time(1, 30)),
        Recurring(name="x", job=GOOD, minutes=0),
    ],
)
def test_a_job_that_would_stop_all_others_is_refused(job):
    with pytest.raises(ImproperlyConfigured):
        schedule.check((job,))


def test_two_jobs_of_one_name_are_refused():
    job = Recurring(name="x", job=GOOD, at=time(4))
    with pytest.raises(ImproperlyConfigured):
        schedule.check((job, job))
