"""Settings, Phone number: finding, buying, watching and giving back a number of one's own."""

from typing import Any, Literal, cast

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from integrations import reach
from integrations.models import DedicatedNumber, NumberState
from integrations.numbers import process, words
from integrations.numbers.forms import PapersForm, SearchForm
from integrations.twilio import client, numbers
from integrations.twilio.numbers import Offer
from practices import access, plans
from practices.access import StaffRequest
from practices.journal import Actor
from practices.models import Practice
from sightsync.lib.errors import AppError, ProviderError

_MAY = "numbers.manage"
_BOTH = ["GET", "HEAD", "POST"]


@require_safe
@access.require(_MAY)
def index(request: StaffRequest) -> HttpResponse:
    practice = request.practice
    number = process.of(practice)
    context: dict[str, Any] = {
        "number": number,
        "steps": words.steps(number) if number else [],
        "why": words.why(number) if number else "",
        "may_stop": number is not None and number.state in process.BEFORE_BUYING,
        "in_plan": plans.has_dedicated_number(practice.plan),
    }
    if number is None and context["in_plan"]:
        last = _last(practice)
        context |= {"last_why": words.why(last) if last else "", **_searched(request)}
    return render(request, "integrations/numbers/index.html", context)


def _last(practice: Practice) -> DedicatedNumber | None:
    """How an earlier purchase ended, so that it is said."""
    return (
        DedicatedNumber.objects.filter(practice=practice, state=NumberState.FAILED)
        .exclude(reason="abandoned")
        .order_by("-created_at")
        .first()
    )


def _searched(request: StaffRequest) -> dict[str, Any]:
    """The search form, and what the carrier has when it was asked."""
    if "kind" not in request.GET:
        return {"form": SearchForm()}
    form = SearchForm(request.GET)
    if not form.is_valid():
        return {"form": form}
    try:
        found = _offers(request.practice, form.cleaned_data["kind"], form.cleaned_data["contains"])
    except ProviderError:
        return {"form": form, "unreachable": True}
    return {"form": form, "offers": found, "asked": True}


def _offers(practice: Practice, kind: str, contains: str) -> list[Offer]:
    return numbers.search(
        account=client.account_for(sandbox=reach.is_sandbox(practice)),
        number_type=cast(Literal["local", "mobile"], kind),
        contains=contains,
    )


@require_http_methods(_BOTH)
@access.require(_MAY)
def buy(request: StaffRequest) -> HttpResponse:
    """The papers for the number in `number`, and the order."""
    asked = request.POST if request.method == "POST" else request.GET
    phone_number, kind = asked.get("number", ""), asked.get("kind", "local")
    if not words.is_number(phone_number) or kind not in ("local", "mobile"):
        messages.error(request, "Choose a number first.")
        return redirect("numbers:index")
    if process.of(request.practice) is not None and request.method != "POST":
        return redirect("numbers:index")
    form = PapersForm(request.POST if request.method == "POST" else None, initial=_known(request))
    if request.method == "POST" and form.is_valid():
        try:
            process.choose(
                practice=request.practice,
                phone_number=phone_number,
                number_type=kind,
                papers=form.cleaned_data,
                user=request.user,
                actor=Actor.user(request.user),
            )
        except AppError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, "The order is on its way. This page says how it stands.")
            return redirect("numbers:index")
    context = {"form": form, "phone_number": phone_number, "kind": kind}
    status = 400 if form.errors else 200
    return render(request, "integrations/numbers/papers.html", context, status=status)


def _known(request: StaffRequest) -> dict[str, str]:
    practice = request.practice
    return {"business_name": practice.name, "email": request.user.email}


@require_http_methods(_BOTH)
@access.require(_MAY)
def correct(request: StaffRequest) -> HttpResponse:
    """The papers again, after the carrier refused them."""
    number = process.of(request.practice)
    if number is None or number.state != NumberState.REFUSED:
        return redirect("numbers:index")
    form = PapersForm(request.POST if request.method == "POST" else None, initial=number.papers)
    if request.method == "POST" and form.is_valid():
        actor = Actor.user(request.user)
        process.correct(number=number, papers=form.cleaned_data, actor=actor)
        messages.success(request, "The papers are handed in again.")
        return redirect("numbers:index")
    context = {
        "form": form,
        "phone_number": number.phone_number,
        "kind": number.number_type,
        "again": True,
    }
    status = 400 if form.errors else 200
    return render(request, "integrations/numbers/papers.html", context, status=status)


@require_POST
@access.require(_MAY)
def abandon(request: StaffRequest) -> HttpResponse:
    number = process.of(request.practice)
    if number is not None and process.abandon(number=number, actor=Actor.user(request.user)):
        messages.success(request, "The order is stopped. Nothing was bought.")
    else:
        messages.info(request, "There is no order that can still be stopped.")
    return redirect("numbers:index")


@require_http_methods(_BOTH)
@access.require(_MAY)
def release(request: StaffRequest) -> HttpResponse:
    """Ask, then give it back: nobody can get the number again."""
    number = process.of(request.practice)
    if number is None or number.state != NumberState.ACTIVE:
        messages.info(request, "There is no number to give back.")
        return redirect("numbers:index")
    if request.method == "POST":
        process.release(number=number, actor=Actor.user(request.user))
        messages.success(request, "The number is being given back.")
        return redirect("numbers:index")
    return render(request, "integrations/numbers/release.html", {"number": number})
