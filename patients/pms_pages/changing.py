"""Settings, Calendar & PMS: connecting a system, trying it, saying whose diary is whose, and
disconnecting.
"""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from integrations import connections, reach
from integrations.models import Kind
from integrations.pms import connecting
from patients.pms_pages.forms import ConnectForm, DiariesForm
from patients.pms_pages.views import HOME, MAY
from patients.sync import plan
from practices import access
from practices.access import StaffRequest
from practices.journal import Actor
from sightsync.lib.errors import AppError

_BOTH = ["GET", "HEAD", "POST"]


@never_cache
@require_http_methods(_BOTH)
@access.require(MAY)
def connect(request: StaffRequest, kind: Kind) -> HttpResponse:
    """Connect, give a new key, or change what is under Advanced: the system is asked first."""
    before = connections.of(request.practice, kind)
    other = connections.pms_of(request.practice)
    if other is not None and other.kind != kind:
        name = other.get_kind_display()
        messages.error(request, f"{name} is connected. Disconnect {name} first.")
        return redirect(HOME)
    data = request.POST if request.method == "POST" else None
    form = ConnectForm(request.practice, kind, before, data)
    status = 200
    if request.method == "POST":
        if form.is_valid() and _connected(request, form):
            return redirect("pms:diaries" if before is None else HOME)
        status = 400
    context = {
        "form": form,
        "kind": kind,
        "name": kind.label,
        "before": before,
        "pretend": reach.is_sandbox(request.practice),
    }
    return render(request, "integrations/connections/connect.html", context, status=status)


def _connected(request: StaffRequest, form: ConnectForm) -> bool:
    """Whether the system answered and is connected; if not, the form says why."""
    try:
        done = connecting.connect(
            practice=request.practice,
            wish=form.wish,
            user=request.user,
            actor=Actor.user(request.user),
        )
    except AppError as error:
        field = error.extra.get("field") or None
        form.add_error(field if field in form.fields else None, error.message)
        return False
    plan.ask(done.connection)
    name, version = form.kind.label, f", {done.site.version}" if done.site.version else ""
    messages.success(
        request,
        f"{name} is connected: {done.site.name}{version}. Its patients are being read now; then the"
        " appointments ahead that are booked here are written into it.",
    )
    return True


@require_POST
@access.require(MAY)
def test(request: StaffRequest) -> HttpResponse:
    connection = connections.pms_of(request.practice)
    if connection is None:
        return redirect(HOME)
    try:
        site = connecting.test(connection=connection, actor=Actor.user(request.user))
    except AppError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"{connection.get_kind_display()} answers: {site.name}.")
    return redirect(HOME)


@require_http_methods(_BOTH)
@access.require(MAY)
def diaries(request: StaffRequest) -> HttpResponse:
    connection = connections.pms_of(request.practice)
    if connection is None:
        return redirect(HOME)
    form = DiariesForm(connection, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        connections.configure(
            connection=connection,
            settings={"diaries": form.chosen},
            actor=Actor.user(request.user),
        )
        messages.success(request, "Saved. Appointments follow within five minutes, both ways.")
        return redirect(HOME)
    context = {"form": form, "connection": connection, "name": connection.get_kind_display()}
    status = 400 if form.errors else 200
    return render(request, "integrations/connections/diaries.html", context, status=status)


@require_POST
@access.require(MAY)
def load_diaries(request: StaffRequest) -> HttpResponse:
    connection = connections.pms_of(request.practice)
    if connection is None:
        return redirect(HOME)
    try:
        connecting.reload_diaries(connection=connection, actor=Actor.user(request.user))
    except AppError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"This is the list as {connection.get_kind_display()} has it.")
    return redirect("pms:diaries")


@require_http_methods(_BOTH)
@access.require(MAY)
def disconnect(request: StaffRequest) -> HttpResponse:
    connection = connections.pms_of(request.practice)
    if connection is None:
        return redirect(HOME)
    name = connection.get_kind_display()
    if request.method != "POST":
        context = {"connection": connection, "name": name}
        return render(request, "integrations/connections/disconnect.html", context)
    connections.disconnect(connection=connection, actor=Actor.user(request.user))
    messages.success(request, f"{name} is disconnected, and its key is forgotten. Patients stay.")
    return redirect(HOME)
