"""Settings, Integrations, Google Calendar: connect, choose, try, disconnect."""

from datetime import time, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

from integrations import reach
from integrations.google_calendar import account, oauth, sign_in, words
from integrations.google_calendar.client import connector_for
from integrations.google_calendar.forms import CalendarForm, RiskForm
from integrations.models import Connection
from practices import access
from practices.access import StaffRequest
from practices.journal import Actor
from sightsync.lib import clock
from sightsync.lib.errors import AppError, ProviderError

_MAY = "integrations.manage"
_BOTH = ["GET", "HEAD", "POST"]
HOME = "google:show"


@require_safe
@access.require(_MAY)
def show(request: StaffRequest) -> HttpResponse:
    connection = account.of(request.practice)
    app = oauth.app_for(request.practice)
    context = {
        "connection": connection,
        "standing": words.standing(connection),
        "can_connect": app is not None,
        "diary": _diary_name(connection),
        "pretend_url": f"{settings.SANDBOX_URL}/sandbox/google"
        if reach.is_sandbox(request.practice)
        else "",
    }
    answer = render(request, "integrations/google/show.html", context)
    if app is not None:
        # The button's form ends at Google's sign-in, which this page alone may lead to.
        parts = urlsplit(app.auth_url)
        answer._csp_update = {"form-action": [f"{parts.scheme}://{parts.netloc}"]}  # type: ignore[attr-defined]
    return answer


@require_POST
@access.require(_MAY)
def connect(request: StaffRequest) -> HttpResponse:
    """Off to Google, with what brings the person back kept in the session."""
    app = oauth.app_for(request.practice)
    if app is None:
        return _not_connected(request, "no_app")
    known = account.of(request.practice)
    hint = str(known.settings.get("account", "")) if known else ""
    return redirect(sign_in.begin(request, app, hint=hint))


@require_GET
@access.require(_MAY)
def callback(request: StaffRequest) -> HttpResponse:
    """Back from Google. A GET by its nature: what guards it is the state, which works once."""
    verifier = sign_in.finish(request, request.GET.get("state", ""))
    app = oauth.app_for(request.practice)
    if verifier is None or app is None:
        return _not_connected(request, "lost")
    code = request.GET.get("code", "")
    if not code:
        return _not_connected(request, "denied")
    try:
        tokens = oauth.exchange(app, code=code, verifier=verifier)
        if problem := _problem(tokens):
            return _not_connected(request, problem)
        connection = account.connect(
            practice=request.practice,
            tokens=tokens,
            user=request.user,
            actor=Actor.user(request.user),
        )
    except ProviderError as error:
        return _not_connected(request, error.code)
    if connection.error_code == words.CHOOSE:
        return redirect("google:calendar")
    messages.success(request, "Connected again. What waited is written now.")
    return redirect(HOME)


@require_http_methods(_BOTH)
@access.require(_MAY)
def calendar(request: StaffRequest) -> HttpResponse:
    connection = account.of(request.practice)
    if connection is None:
        return redirect(HOME)
    data = request.POST if request.method == "POST" else None
    form = CalendarForm(request.practice, connection, data)
    if request.method == "POST" and form.is_valid():
        try:
            account.choose(
                connection=connection,
                calendar_id=form.cleaned_data["calendar"],
                diary=form.cleaned_data["diary"],
                title=form.cleaned_data["title"],
                actor=Actor.user(request.user),
            )
        except AppError as error:
            form.add_error("calendar", error.message)
        else:
            name = connection.settings["calendar_name"]
            messages.success(request, f"Bookings are written to {name}, those ahead already too.")
            return redirect(HOME)
    context = {"form": form, "connection": connection}
    status = 400 if form.errors else 200
    return render(request, "integrations/google/calendar.html", context, status=status)


@require_POST
@access.require(_MAY)
def reload(request: StaffRequest) -> HttpResponse:
    connection = account.of(request.practice)
    if connection is None:
        return redirect(HOME)
    try:
        account.reload(connection=connection, actor=Actor.user(request.user))
    except ProviderError:
        messages.error(request, "Google could not be asked for the list.")  # why is on the page
        return redirect(HOME)
    messages.success(request, "This is the list as Google has it now.")
    return redirect("google:calendar")


@require_http_methods(_BOTH)
@access.require(_MAY)
def risk(request: StaffRequest) -> HttpResponse:
    """Turning it on asks to have read a warning; turning it off asks nothing."""
    connection = account.of(request.practice)
    if connection is None:
        return redirect(HOME)
    actor = Actor.user(request.user)
    if "off" in request.POST:
        account.tell_risk(connection=connection, told=False, actor=actor)
        messages.success(request, "New events leave the risk category out. Older ones keep it.")
        return redirect(HOME)
    form = RiskForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        account.tell_risk(connection=connection, told=True, actor=actor)
        messages.success(request, "New events say the patient’s risk category.")
        return redirect(HOME)
    context = {"form": form, "connection": connection}
    status = 400 if form.errors else 200
    return render(request, "integrations/google/risk.html", context, status=status)


@require_POST
@access.require(_MAY)
def test(request: StaffRequest) -> HttpResponse:
    """Writes an event for tomorrow morning, so that people see where bookings appear."""
    connection = account.of(request.practice)
    if connection is None or not connection.settings.get("calendar_id"):
        return redirect(HOME)
    starts_at = clock.at_london(clock.today() + timedelta(days=1), time(8))
    try:
        connector_for(connection).write_test(starts_at=starts_at)
    except ProviderError:
        messages.error(request, "The test event was not written.")  # why is on the page
    else:
        name = connection.settings["calendar_name"]
        messages.success(request, f"“Test from SightSync” is in {name}, tomorrow at 8:00am.")
    return redirect(HOME)


@require_http_methods(_BOTH)
@access.require(_MAY)
def disconnect(request: StaffRequest) -> HttpResponse:
    connection = account.of(request.practice)
    if connection is None:
        return redirect(HOME)
    if request.method != "POST":
        return render(request, "integrations/google/disconnect.html", {"connection": connection})
    if account.disconnect(connection=connection, actor=Actor.user(request.user)):
        messages.success(request, "Google Calendar is disconnected. Its events stay.")
    else:
        messages.warning(
            request,
            "Google Calendar is disconnected here. Google did not confirm the end of the"
            " permission: remove SightSync at myaccount.google.com/permissions.",
        )
    return redirect(HOME)


def _not_connected(request: StaffRequest, code: str) -> HttpResponse:
    messages.error(request, words.sign_in(code))
    return redirect(HOME)


def _problem(tokens: oauth.Tokens) -> str:
    """Why what was permitted will not do, or nothing. It is forgotten then, not revoked: Google
    would end an earlier permission of the same account with it.
    """
    if tokens.missing:
        return "scopes"
    return "" if tokens.refresh_token else "no_refresh"


def _diary_name(connection: Connection | None) -> str:
    wanted = connection.settings.get("diary") if connection else ""
    if connection is None or not wanted:
        return "All diaries"
    found = (each for each in connection.practice.diaries.all() if each.public_id == wanted)
    return next((each.name for each in found), "A diary that is no longer there")
