"""The log of messages: to whom, what about, when, and whether it arrived."""

from django import forms
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from practices import access
from practices.access import StaffRequest
from recall import selectors
from recall.message_words import KINDS
from recall.models import Attempt, Channel

PAGE_SIZE = 50


class FilterForm(forms.Form):
    """Blank or unknown values choose everything."""

    q = forms.CharField(required=False, max_length=80, label="Patient")
    channel = forms.ChoiceField(
        required=False,
        label="Channel",
        choices=[
            ("", "All channels"),
            *((code, word) for code, word in Channel.choices if code != Channel.VOICE),
        ],
    )
    kind = forms.ChoiceField(
        required=False, label="Message", choices=[("", "All messages"), *KINDS.items()]
    )
    delivery = forms.ChoiceField(
        required=False,
        label="Delivery",
        choices=[
            ("", "Any"),
            ("under_way", "On its way"),
            ("delivered", "Delivered"),
            ("failed", "Not delivered"),
            ("planned", "Planned"),
            ("cancelled", "Not sent"),
        ],
    )
    day = forms.DateField(
        required=False,
        label="Day",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


@require_safe
@access.require("messages.view")
def index(request: StaffRequest) -> HttpResponse:
    form = FilterForm(request.GET)
    rows = _filtered(selectors.messages(request.practice), form)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    asked = any(request.GET.get(name) for name in form.fields)
    return render(request, "recall/messages.html", {"form": form, "page": page, "asked": asked})


def _filtered(rows: QuerySet[Attempt], form: FilterForm) -> QuerySet[Attempt]:
    form.is_valid()
    asked = form.cleaned_data
    rows = selectors.of_person(rows, asked.get("q") or "")
    if asked.get("channel"):
        rows = rows.filter(channel=asked["channel"])
    if asked.get("kind"):
        rows = rows.filter(purpose=asked["kind"])
    if asked.get("day"):
        rows = selectors.on_day(rows, asked["day"])
    return selectors.with_delivery(rows, asked.get("delivery") or "")
