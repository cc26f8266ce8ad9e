"""Telling the owners of a practice that its system could not be read for two nights: by email, once
for each spell of failures.
"""

from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

from patients.models import SyncRun, SyncState
from patients.sync import words
from practices import selectors
from sightsync.lib import clock, jobs

NIGHTS = 2
JOB = "patients.tasks.tell_of_failed_sync"
SETTINGS_PATH = "/settings/calendar-pms"


def after_failure(run: SyncRun) -> None:
    """In the transaction that ends the run: wake the email when it was the second night."""
    if run.night is not None and _nights_failed(run) >= NIGHTS and not _told(run):
        jobs.enqueue(JOB, str(run.pk))


def _spell(run: SyncRun) -> "list[SyncRun]":
    """The failed nights since the system was last read to the end."""
    runs = SyncRun.objects.filter(connection=run.connection_id)
    last = runs.filter(state=SyncState.DONE).order_by("-finished_at").first()
    failed = runs.filter(state=SyncState.FAILED, night__isnull=False)
    failed = failed.filter(finished_at__gte=run.connection.connected_at)
    if last is not None:
        failed = failed.filter(finished_at__gt=last.finished_at)
    return list(failed)


def _nights_failed(run: SyncRun) -> int:
    return len(_spell(run))


def _told(run: SyncRun) -> bool:
    return any(one.owners_told_at for one in _spell(run))


def tell(key: UUID) -> int:
    """How many people were written to: nobody when they were told before, or it has worked since.

    The run is marked first: rather no email than one for every try of the job.
    """
    run = SyncRun.objects.select_related("connection", "practice").filter(pk=key).first()
    if run is None or run.pk not in {one.pk for one in _spell(run)} or _told(run):
        return 0
    marked = SyncRun.objects.filter(pk=key, owners_told_at=None).update(owners_told_at=clock.now())
    if not marked:
        return 0
    try:
        return _send(run)
    except OSError:
        SyncRun.objects.filter(pk=key).update(owners_told_at=None)
        raise


def _send(run: SyncRun) -> int:
    context = {
        "practice": run.practice,
        "system": run.connection.get_kind_display(),
        "reason": words.failure(run.error_code),
        "nights": _nights_failed(run),
        "last": last_done(run),
        "link": settings.PUBLIC_BASE_URL + SETTINGS_PATH,
    }
    subject = render_to_string("emails/sync_failed/subject.txt", context).strip()
    text = render_to_string("emails/sync_failed/body.txt", context)
    people = [place.user.email for place in selectors.owners(run.practice)]
    for address in people:
        send_mail(subject, text, None, [address])
    return len(people)


def last_done(run: SyncRun) -> SyncRun | None:
    runs = SyncRun.objects.filter(connection=run.connection_id, state=SyncState.DONE)
    return runs.order_by("-finished_at").first()
