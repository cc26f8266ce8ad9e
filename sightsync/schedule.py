"""The one list of jobs that recur nightly or hourly. What must come sooner is the tick's.

django-q2 fires all schedules in one transaction, so that a single bad row stops every one of them
for ever. Rows are therefore written from this list only, and checked before they are.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.utils.module_loading import import_string
from django_q.models import Schedule

from sightsync.lib import clock

# On the nights when the clocks change these times do not exist or come twice, and a daily job set
# for one of them would stay an hour off for good.
_UNSAFE_FROM, _UNSAFE_UNTIL = time(0, 59), time(2, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurring:
    """`job` is a dotted path to a function without arguments. Either daily at a London wall time,
    or every so many minutes.
    """

    name: str
    job: str
    at: time | None = None
    minutes: int | None = None


RECURRING = (
    Recurring(name="forget finished jobs", job="recall.tasks.clear_old", at=time(3, 40)),
    Recurring(name="forget API use", job="practices.tasks.forget_api_use", minutes=60),
    Recurring(
        name="forget old webhooks", job="integrations.tasks.clear_old_webhooks", at=time(3, 50)
    ),
    Recurring(name="forget old imports", job="patients.tasks.forget_old_imports", at=time(4, 0)),
    Recurring(name="data protection", job="gdpr.tasks.keep_house", minutes=15),
)


def check(jobs: tuple[Recurring, ...] = RECURRING) -> None:
    """Raises ImproperlyConfigured with what is wrong."""
    if len({job.name for job in jobs}) != len(jobs):
        raise ImproperlyConfigured("Two recurring jobs have the same name.")
    for job in jobs:
        _check(job)


def _check(job: Recurring) -> None:
    try:
        found = import_string(job.job)
    except ImportError as error:
        raise ImproperlyConfigured(f"{job.name}: there is no {job.job}.") from error
    if not callable(found):
        raise ImproperlyConfigured(f"{job.name}: {job.job} is not a function.")
    if (job.at is None) == (job.minutes is None):
        raise ImproperlyConfigured(f"{job.name}: give either a time of day or minutes.")
    if job.at is not None and _UNSAFE_FROM <= job.at <= _UNSAFE_UNTIL:
        raise ImproperlyConfigured(f"{job.name}: {job.at:%H:%M} may not exist or come twice.")
    if job.minutes is not None and not 1 <= job.minutes <= 24 * 60:
        raise ImproperlyConfigured(f"{job.name}: minutes run from 1 to 1440.")


def sync(jobs: tuple[Recurring, ...] = RECURRING) -> int:
    """Make django-q2's rows say what the list says, and nothing else; how many rows changed."""
    check(jobs)
    with transaction.atomic():
        removed, _ = Schedule.objects.exclude(name__in=[job.name for job in jobs]).delete()
        return int(removed) + sum(_sync(job) for job in jobs)


def _sync(job: Recurring) -> bool:
    kind = Schedule.DAILY if job.at is not None else Schedule.MINUTES
    wanted = {
        "func": job.job,
        "schedule_type": kind,
        "minutes": job.minutes,
        "repeats": -1,
        "args": None,
        "kwargs": None,
        "hook": None,
        "cron": None,
        "cluster": None,
        "intended_date_kwarg": None,
    }
    rows = Schedule.objects.select_for_update().filter(name=job.name).order_by("pk")
    row = rows.first()
    rows.exclude(pk=row.pk if row else None).delete()
    if row is None:
        Schedule.objects.create(name=job.name, next_run=_first_run(job), **wanted)
        return True
    same = all(getattr(row, name) == value for name, value in wanted.items())
    if same and row.next_run and (job.at is None or _wall(row.next_run) == job.at):
        return False
    for name, value in {**wanted, "next_run": _first_run(job)}.items():
        setattr(row, name, value)
    row.save(update_fields=[*wanted, "next_run"])
    return True


def _wall(moment: datetime) -> time:
    return clock.london(moment).time().replace(microsecond=0)


def _first_run(job: Recurring) -> datetime:
    """The queue goes by the machine's clock, never the pretend one."""
    now = clock.real_now()
    if job.at is None:
        return now
    today = clock.london(now).date()
    first = clock.at_london(today, job.at)
    return first if first > now else clock.at_london(today + timedelta(days=1), job.at)
