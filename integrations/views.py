"""The one page control of the sandbox that the product itself has: moving the pretend time on."""

from datetime import datetime, timedelta

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from integrations import pretend_clock, pretend_days
from practices.access import StaffRequest, require
from sightsync.lib import clock
from sightsync.lib.errors import AppError

_STEPS = {"30m": timedelta(minutes=30), "3h": timedelta(hours=3)}


def _target(choice: str, nation: str) -> datetime:
    """The time that the choice means. Raises AppError."""
    if choice == "working-day":
        return pretend_days.next_morning(clock.now(), nation)
    if choice not in _STEPS:
        raise AppError("bad_choice", "Choose 30 minutes, 3 hours or the next working day.")
    return clock.now() + _STEPS[choice]


@require_POST
@require("sandbox.clock")
def sandbox_clock_forward(request: StaffRequest) -> HttpResponse:
    """Moves the pretend time on for everybody, then goes back to the page it came from."""
    if settings.LIVE:
        raise Http404
    try:
        pretend_clock.set_to(_target(request.POST.get("by", ""), request.practice.nation))
    except AppError as error:
        return HttpResponse(error.message, status=error.status, content_type="text/plain")
    back = request.POST.get("next", "")
    allowed = url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return redirect(back if allowed else "/")
