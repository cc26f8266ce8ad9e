"""Puts the words of `recall.wording` on the page."""

from dataclasses import replace

from django import template
from django.utils.safestring import SafeString

from practices.templatetags.ui import pill
from recall import copy_words, message_words, wording
from recall.campaigns import preview
from recall.models import (
    Appointment,
    AppointmentCopy,
    Attempt,
    Channel,
    StaffTask,
    TestMessage,
)

register = template.Library()


@register.simple_tag
def status(row: object) -> SafeString:
    """The pill of an attempt, episode, campaign or appointment."""
    found = wording.status_of(row)
    return pill(found.word, found.tone, found.live)


@register.simple_tag
def outcome(code: str) -> SafeString:
    found = wording.OUTCOMES[code]
    return pill(found.word, found.tone, found.live)


@register.simple_tag
def episode_state(code: str) -> SafeString:
    found = wording.EPISODES[code]
    return pill(found.word, found.tone)


@register.simple_tag
def test_status(row: TestMessage) -> SafeString:
    """What became of a message that staff sent to themselves."""
    found = message_words.of_test(row)
    return pill(found.word, found.tone)


@register.filter
def task_words(task: StaffTask) -> wording.TaskWords:
    """What a task's row says: after the name, the reason, the icon, the tone, the action."""
    words = wording.task_words(task)
    return replace(words, why=copy_words.of(task.stuck_copy).why) if task.stuck_copy else words


@register.filter
def copy_says(copy: AppointmentCopy) -> copy_words.CopyWords:
    """One system's line about an appointment."""
    return copy_words.of(copy)


@register.simple_tag
def copy_pill(words: copy_words.CopyWords, *, named: bool = False) -> SafeString:
    """The pill of one system's line; `named` where the system is not said beside it."""
    status = words.status
    return pill(words.pill_text if named else status.word, status.tone, status.live)


@register.filter
def copies_in_need(visit: Appointment) -> list[copy_words.CopyWords]:
    """The systems in which an appointment is not as it should be and somebody is needed."""
    return copy_words.needs_somebody(visit.copies.all())


@register.filter
def channel_icon(channel: str) -> str:
    return wording.CHANNEL_ICONS[Channel(channel)]


@register.filter
def booked_how(source: str) -> str:
    return wording.APPOINTMENT_SOURCES.get(source, source)


@register.filter
def rule_says(code: str) -> str:
    """Why not, in a few words."""
    return wording.rule_words(code, passed=False)


@register.simple_tag
def fate(row: preview.Row) -> SafeString:
    """What a dry run says would become of a patient."""
    found = wording.fate_words(row.fate, row.channel, row.at, row.codes)
    return pill(found.word, found.tone)


@register.filter
def message_kind(message: Attempt) -> str:
    """What a message was about."""
    return message_words.KINDS[message.purpose]


@register.filter
def why_not(message: Attempt) -> str:
    """Why a message did not go or arrive, or why it waits."""
    return message_words.why_not(message)
