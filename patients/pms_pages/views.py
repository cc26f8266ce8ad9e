"""Settings, Calendar & PMS: what is connected, how fresh our copy of it is, and reading it now."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from integrations import connections, reach
from integrations.models import PMS_KINDS, Connection, ConnectionState, Kind
from patients.pms_pages import words
from patients.sync import plan, selectors
from practices import access
from practices.access import StaffRequest
from practices.models import Practice

HOME = "pms:index"
MAY = "integrations.manage"
TOO_MANY_GONE = "too_many_gone"


@require_safe
@access.require(MAY)
def index(request: StaffRequest) -> HttpResponse:
    connection = connections.pms_of(request.practice)
    context = {
        "connection": connection,
        "choices": [
            {"kind": kind, "name": kind.label, "about": words.ABOUT[kind]}
            for kind in PMS_KINDS
            if connection is None or connection.kind != kind
        ],
        "bookings": connections.of(request.practice, Kind.MICROSOFT_BOOKINGS),
        "pretend": reach.is_sandbox(request.practice),
        **(_of(connection) if connection else {}),
    }
    return render(request, "integrations/connections/index.html", context)


@require_POST
@access.require(MAY)
def sync(request: StaffRequest) -> HttpResponse:
    """Read it now; `full` compares everything."""
    connection = connections.pms_of(request.practice)
    if connection is None:
        return redirect(HOME)
    name = connection.get_kind_display()
    if connection.state == ConnectionState.NEEDS_ATTENTION:
        messages.error(request, f"{name} cannot be read before it is connected again.")
        return redirect(HOME)
    plan.ask(connection, full="full" in request.POST)
    messages.success(request, f"{name} is being read. Load this page again to see how far it is.")
    return redirect(HOME)


@require_http_methods(["GET", "HEAD", "POST"])
@access.require(MAY)
def gone(request: StaffRequest) -> HttpResponse:
    """After a reading in which too many were missing: somebody says that this is so."""
    connection = connections.pms_of(request.practice)
    last = selectors.freshness(connection).last if connection else None
    if connection is None or last is None or last.error_code != TOO_MANY_GONE:
        return redirect(HOME)
    if request.method != "POST":
        return render(request, "integrations/connections/gone.html", {"connection": connection})
    plan.ask(connection, gone_accepted=True)
    messages.success(
        request, "Everything is compared again, and who is not there any more is put away."
    )
    return redirect(HOME)


def _of(connection: Connection) -> dict[str, object]:
    found = selectors.freshness(connection)
    last = found.last
    return {
        "standing": words.standing(connection),
        "freshness": found,
        "fresh": words.freshness(found),
        "runs": selectors.runs(connection),
        "too_many_gone": last is not None and last.error_code == TOO_MANY_GONE,
        "diaries": _diaries(connection, connection.practice),
    }


def _diaries(connection: Connection, practice: Practice) -> list[dict[str, str]]:
    """Their diaries and which of ours each stands for."""
    chosen = connection.settings.get("diaries") or {}
    names = {diary.public_id: diary.name for diary in practice.diaries.all()}
    return [
        {"theirs": each["name"], "ours": names.get(chosen.get(each["id"], ""), "")}
        for each in connection.settings.get("their_diaries") or []
    ]
