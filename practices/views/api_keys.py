"""Settings, API keys: the keys in use and the ended ones, a new one shown once, and ending one."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from practices import access, api_keys
from practices.access import StaffRequest
from practices.journal import Actor
from practices.models import ApiKey, Mode
from sightsync.lib import clock, ids
from sightsync.lib.errors import AppError

_MAY = "keys.manage"
_LONGEST_DAYS = 10 * 365
_ENDS_SOON = timedelta(days=14)

SCOPE_WORDS = {
    "read": ("Read", "See patients, calls, appointments, messages and events."),
    "write": ("Write", "Add and change patients, opt them out, book, move and cancel."),
    "recall": ("Recall", "Start recalls: patients are called and messaged. It costs calls."),
    "admin": ("Admin", "Erase patients, take data requests, and change webhooks."),
}
_ONE_FORM_ONE_KEY = (
    "The key was made and shown before, so nothing new was made. If it was not copied,"
    " revoke it and make another."
)
_FIELD_OF = {"bad_name": "name", "bad_scopes": "scopes", "bad_expiry": "last_day"}


class KeyForm(forms.Form):
    key_id = forms.UUIDField(
        widget=forms.HiddenInput,
        initial=ids.new,
        error_messages=dict.fromkeys(["required", "invalid"], "Start again from the list of keys."),
    )
    """The id of the key to be, so that a form that is sent twice makes one."""
    name = forms.CharField(
        label="Name",
        max_length=80,
        help_text="Where the key will be used, so that you know it again: Optix, the website.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": "Enter a name for the key.",
            "max_length": "Give the key a name of up to 80 characters.",
        },
    )
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        help_text="Tick only what the other system needs. A key cannot be changed afterwards.",
        choices=[(scope, SCOPE_WORDS[scope][0]) for scope in api_keys.SCOPES],
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": "Choose at least one thing the key may do.",
            "invalid_choice": "Choose out of read, write, recall and admin.",
        },
    )
    last_day = forms.DateField(
        label="Last day",
        required=False,
        help_text="Left empty, the key works until you revoke it.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Enter the last day as day, month and year."},
    )

    def clean_last_day(self) -> date | None:
        day: date | None = self.cleaned_data["last_day"]
        if day is None:
            return None
        if day < clock.today():
            raise forms.ValidationError("The last day is in the past. Choose today or a later one.")
        if day > clock.today() + timedelta(days=_LONGEST_DAYS):
            raise forms.ValidationError("Choose a last day within ten years, or leave it empty.")
        return day

    @property
    def described_scopes(self) -> list[tuple[Any, str]]:
        """Each tick box with what it allows, in words."""
        boxes = self["scopes"].subwidgets
        return [(box, SCOPE_WORDS[box.data["value"]][1]) for box in boxes]


@require_safe
@access.require(_MAY)
def index(request: StaffRequest) -> HttpResponse:
    now = clock.now()
    keys = api_keys.listed(request.practice)
    context = {
        "keys": [key for key in keys if not _is_over(key)],
        "ended": [key for key in keys if _is_over(key)],
        "soon": now + _ENDS_SOON,
        "is_sandbox": request.practice.mode == Mode.SANDBOX,
    }
    return render(request, "practices/api_keys.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@access.require(_MAY)
def new(request: StaffRequest) -> HttpResponse:
    """The key is on the page that answers the form, and nowhere after that."""
    form = KeyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            key, plain = api_keys.create(
                practice=request.practice,
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                expires_at=_end_of(form.cleaned_data["last_day"]),
                key_id=form.cleaned_data["key_id"],
                actor=Actor.user(request.user),
            )
        except AppError as error:
            if error.code == "made_already":
                messages.info(request, _ONE_FORM_ONE_KEY)
                return redirect("practices:api-keys")
            form.add_error(_FIELD_OF.get(error.code), error.message)
        else:
            answer = render(request, "practices/api_key_made.html", {"key": key, "plain": plain})
            answer["Cache-Control"] = "no-store"
            return answer
    context = {"form": form, "is_sandbox": request.practice.mode == Mode.SANDBOX}
    status = 400 if form.errors else 200
    return render(request, "practices/api_key_form.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@access.require(_MAY)
def revoke(request: StaffRequest, key_id: str) -> HttpResponse:
    key = access.load(request.practice.api_keys.all(), key_id)
    if request.method != "POST" and key.revoked_at is None:
        return render(request, "practices/api_key_revoke.html", {"key": key})
    if request.method == "POST" and api_keys.revoke(key=key, actor=Actor.user(request.user)):
        messages.success(request, f"{key.name} is revoked. Nothing gets in with it any more.")
    else:
        messages.info(request, f"{key.name} was revoked before.")
    return redirect("practices:api-keys")


def _is_over(key: ApiKey) -> bool:
    expired = key.expires_at is not None and key.expires_at <= clock.now()
    return expired or key.revoked_at is not None


def _end_of(day: date | None) -> datetime | None:
    """The instant at which that day is over in London."""
    return clock.at_london(day + timedelta(days=1), time(0)) if day else None
