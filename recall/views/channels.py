"""Settings, Integrations: WhatsApp, email and SMS. How each is sent, in which words, seen before it
is used, and tried on oneself.
"""

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from practices import access, policy
from practices.access import StaffRequest
from practices.journal import Actor
from practices.models import Practice
from recall.messages import approved, recall_letters, texts, trial, wordings
from recall.models import Channel, Text
from recall.views.channel_forms import ChannelForm, EmailForm, SmsForm, TestForm, WhatsAppForm
from sightsync.lib import clock
from sightsync.lib.errors import AppError

_MAY = "integrations.manage"
_BOTH = ["GET", "HEAD", "POST"]
_FORMS: dict[str, type[ChannelForm]] = {
    "whatsapp": WhatsAppForm,
    "email": EmailForm,
    "sms": SmsForm,
}


@require_http_methods(_BOTH)
@access.require(_MAY)
def whatsapp(request: StaffRequest) -> HttpResponse:
    return _page(request, "whatsapp")


@require_http_methods(_BOTH)
@access.require(_MAY)
def email(request: StaffRequest) -> HttpResponse:
    return _page(request, "email")


@require_http_methods(_BOTH)
@access.require(_MAY)
def sms(request: StaffRequest) -> HttpResponse:
    return _page(request, "sms")


@require_POST
@access.require(_MAY)
def preview(request: StaffRequest, channel: str) -> HttpResponse:
    """What the words in the form would look like. A POST for their length; it writes nothing."""
    form = _FORMS[channel](request.practice, request.POST)
    context = _preview(request.practice, channel, form)
    return render(request, f"recall/_{channel}_preview.html", context)


@require_POST
@access.require(_MAY)
def send_test(request: StaffRequest, channel: str) -> HttpResponse:
    """Send what patients get to oneself, by the same road."""
    form = TestForm(request.POST)
    pressed = request.POST.get("do") == "send"
    if not pressed or (channel == "whatsapp" and not form.is_valid()):
        return _shown(request, channel, _FORMS[channel](request.practice), form, status=400)
    destination = form.cleaned_data["number"] if channel == "whatsapp" else request.user.email
    try:
        trial.ask(
            practice=request.practice,
            channel=Channel(channel),
            destination=destination,
            user=request.user,
            actor=Actor.user(request.user),
        )
    except AppError as error:
        form.add_error(None if channel == "email" else "number", error.message)
        return _shown(
            request, channel, _FORMS[channel](request.practice), form, status=error.status
        )
    messages.success(request, "The test is on its way to you.")
    return redirect(f"recall:{channel}")


def _page(request: StaffRequest, channel: str) -> HttpResponse:
    bound = request.POST if request.method == "POST" else None
    form = _FORMS[channel](request.practice, bound)
    if request.POST.get("do") == "preview":
        return _shown(request, channel, form, TestForm())
    if bound is None or not form.is_valid():
        return _shown(request, channel, form, TestForm(), status=400 if form.errors else 200)
    actor = Actor.user(request.user)
    changed = bool(policy.change(practice=request.practice, values=form.policy, actor=actor))
    for name, text in form.texts.items():
        changed |= approved.approve(
            practice=request.practice,
            name=text,
            text=form.wording(name),
            user=request.user,
            actor=actor,
        )
    messages.success(request, "Saved." if changed else "Nothing was changed.")
    return redirect(f"recall:{channel}")


def _shown(
    request: StaffRequest, channel: str, form: ChannelForm, test: TestForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "test": test,
        "channel": channel,
        **_preview(request.practice, channel, form),
    }
    if channel != "sms":
        context["tests"] = trial.latest(request.practice, Channel(channel))
        rules = [wordings.RULES[text] for text in form.texts.values()]
        context["places"] = list(dict.fromkeys(place for rule in rules for place in rule.places))
    return render(request, f"recall/channel_{channel}.html", context, status=status)


def _preview(practice: Practice, channel: str, form: ChannelForm) -> dict[str, Any]:
    shows: dict[str, Callable[[Practice, Any], dict[str, Any]]] = {
        "whatsapp": _whatsapp_preview,
        "email": _email_preview,
        "sms": _sms_preview,
    }
    return shows[channel](practice, form)


def _whatsapp_preview(practice: Practice, form: WhatsAppForm) -> dict[str, Any]:
    text = form.wording("text")
    shown = recall_letters.whatsapp_text(practice, recall_letters.SAMPLE, own=text or " ")
    return {"shown": shown, "marked": _marked(Text.WHATSAPP_RECALL, text)}


def _email_preview(practice: Practice, form: EmailForm) -> dict[str, Any]:
    subject, text = form.wording("subject"), form.wording("text")
    filled = recall_letters.values(practice, recall_letters.SAMPLE)
    return {
        "subject": wordings.fill(subject, filled),
        "parts": recall_letters.parts(text, filled),
        "marked": [
            *_marked(Text.EMAIL_RECALL_SUBJECT, subject),
            *_marked(Text.EMAIL_RECALL_BODY, text),
        ],
    }


def _sms_preview(practice: Practice, form: SmsForm) -> dict[str, Any]:
    sender = recall_letters.sender_of(practice)
    starts_at = clock.at_london(clock.today() + timedelta(days=3), time(14, 30))
    base = "https://example.com"
    private = texts.Links(calendar=f"{base}/c/their-own-link", opt_out=f"{base}/o/their-own-link")
    hours = timedelta(hours=practice.reminder_hours_before)
    return {
        "confirmation": texts.sms_confirmation(sender=sender, starts_at=starts_at, links=private),
        "reminder": texts.sms_reminder(sender=sender, starts_at=starts_at, now=starts_at - hours),
    }


def _marked(name: str, text: str) -> list[wordings.Piece]:
    """The text cut at the words that may not be sent; nothing when there are none."""
    marks = wordings.judge(name, text).marks
    return wordings.pieces(text, marks) if marks else []
