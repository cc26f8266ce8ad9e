"""Puts the words of `patients.sync.words` on the page."""

from django import template

from patients.models import SyncRun
from patients.sync import words

register = template.Library()


@register.filter
def unusable(run: SyncRun) -> list[tuple[str, int]]:
    """Why records of a reading could not be used, and how many."""
    return words.unusable(run.reasons)
