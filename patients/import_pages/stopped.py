"""Telling whoever started an import that it has stopped before its end: by email, for they may have
left the page. That it is done is no news to write of; the pages say it.
"""

from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse

from patients.models import ImportRun, ImportState
from practices import selectors

JOB = "patients.tasks.tell_of_stopped_import"


def tell(key: UUID) -> bool:
    """Whether somebody was written to: nobody is who does not work there any more."""
    rows = ImportRun.objects.select_related("practice", "asked_by")
    run = rows.filter(pk=key, state=ImportState.FAILED).first()
    if run is None or run.asked_by is None or not run.asked_by.is_active:
        return False
    if not selectors.team(run.practice).filter(user=run.asked_by).exists():
        return False
    page = reverse("imports:show", args=[run.public_id])
    context = {"run": run, "link": settings.PUBLIC_BASE_URL + page}
    subject = render_to_string("emails/import_stopped/subject.txt", context).strip()
    text = render_to_string("emails/import_stopped/body.txt", context)
    send_mail(subject, text, None, [run.asked_by.email])
    return True
