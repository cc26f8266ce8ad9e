"""The log of calls, and one call: what was said, what came of it, the rules when it was made."""

import re

from django import forms
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from practices import access
from practices.access import StaffRequest
from recall import receipts, selectors
from recall.models import Attempt, Outcome
from recall.voice import recordings
from recall.wording import OUTCOMES
from sightsync.lib.errors import AppError

PAGE_SIZE = 50
_RANGE = re.compile(r"bytes=(\d{1,9})-(\d{0,9})")


class FilterForm(forms.Form):
    """Blank or unknown values choose everything."""

    q = forms.CharField(required=False, max_length=80, label="Patient")
    outcome = forms.ChoiceField(
        required=False,
        label="What came of it",
        choices=[
            ("", "Anything"),
            ("live", "Under way"),
            ("spoken", "Spoke to somebody"),
            *((code, OUTCOMES[code].word) for code in Outcome.values if code in selectors.OF_CALLS),
        ],
    )
    day = forms.DateField(
        required=False,
        label="Day",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


@require_safe
@access.require("calls.view")
def index(request: StaffRequest) -> HttpResponse:
    form = FilterForm(request.GET)
    rows = _filtered(selectors.calls(request.practice), form)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    asked = any(request.GET.get(name) for name in form.fields)
    return render(request, "recall/calls.html", {"form": form, "page": page, "asked": asked})


@require_safe
@access.require("calls.view")
def show(request: StaffRequest, call_id: str) -> HttpResponse:
    attempt = access.load(selectors.call_with_turns(request.practice), call_id)
    context = {
        "call": attempt,
        "turns": attempt.turns.all(),
        "receipt": receipts.read(attempt),
        "others": selectors.attempts_of_episode(attempt),
    }
    return render(request, "recall/call.html", context)


@require_safe
@access.require("calls.view")
def recording(request: StaffRequest, call_id: str) -> HttpResponse:
    """The sound itself. Parts of it are answered as asked for: Safari plays nothing otherwise."""
    call = access.load(selectors.calls(request.practice), call_id)
    try:
        sound = recordings.sound(call)
    except AppError as error:
        return HttpResponse(error.message, status=error.status, content_type="text/plain")
    return _part(request, sound)


def _part(request: StaffRequest, sound: bytes) -> HttpResponse:
    asked = _RANGE.fullmatch(request.headers.get("Range", ""))
    first = int(asked[1]) if asked else 0
    last = min(int(asked[2] or len(sound)) if asked else len(sound), len(sound) - 1)
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "no-store"}
    if not asked or first > last:
        return HttpResponse(sound, content_type="audio/mpeg", headers=headers)
    headers["Content-Range"] = f"bytes {first}-{last}/{len(sound)}"
    part = sound[first : last + 1]
    return HttpResponse(part, status=206, content_type="audio/mpeg", headers=headers)


def _filtered(rows: QuerySet[Attempt], form: FilterForm) -> QuerySet[Attempt]:
    form.is_valid()
    asked = form.cleaned_data
    rows = selectors.of_person(rows, asked.get("q") or "")
    if asked.get("day"):
        rows = selectors.on_day(rows, asked["day"])
    return selectors.with_outcome(rows, asked.get("outcome") or "")
