"""Pages that belong to no room: health, the API's reference, and what is shown when a form's
protection has expired.
"""

from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from practices import key_check
from practices.models import Heartbeat
from sightsync.lib import clock
from sightsync.lib.api import reference

WORKER_SILENCE = timedelta(seconds=90)


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """The database answers, and the worker and the tick have done something lately."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        beats = dict(Heartbeat.objects.values_list("name", "at"))
    except DatabaseError:
        return JsonResponse({"status": "unavailable", "database": "down"}, status=503)
    oldest = clock.real_now() - WORKER_SILENCE
    parts = {
        name: "ok" if beats.get(name) and beats[name] > oldest else "silent"
        for name in ("worker", "tick")
    }
    ready = all(state == "ok" for state in parts.values())
    body = {"status": "ok" if ready else "unavailable", "database": "ok", **parts}
    return JsonResponse(body, status=200 if ready else 503)


@require_safe
def api_reference(request: HttpRequest) -> HttpResponse:
    """The API's operations, for anybody, from the OpenAPI document."""
    told = {
        "groups": reference.groups(),
        "info": {"description": settings.SPECTACULAR_SETTINGS["DESCRIPTION"]},
        "base": settings.PUBLIC_BASE_URL,
        "limit": key_check.LIMIT,
    }
    return render(request, "developer/reference.html", told)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", status=403)
