"""Puts the words of `patients.import_pages.wording` on the page."""

from django import template
from django.utils.safestring import SafeString

from patients.import_pages import wording
from patients.models import ImportRun, ImportState
from practices.templatetags.ui import pill

register = template.Library()


@register.simple_tag
def import_status(run: ImportRun) -> SafeString:
    found = wording.STATES[ImportState(run.state)]
    return pill(found.word, found.tone, found.live)
