"""What every patient's page has in common: how a link is found, how it is refused, its headers.

The link is the key, so these pages need no session, no cookie and no CSRF token; a forged form
would have to know the link. A GET or HEAD never writes: mail scanners open every link.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from recall.booking import links
from recall.models import PatientLink
from recall.models.appointments import LinkKind

MISSES_ALLOWED = 30
MISS_WINDOW_SECONDS = 600

# The token is in the address: it goes to no other site, into no index and into no cache.
_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}

View = Callable[[HttpRequest, PatientLink], HttpResponse]
Route = Callable[..., HttpResponse]


def for_link(kind: LinkKind, *methods: str) -> Callable[[View], Route]:
    """Makes a route with a token out of a view of a link; refuses every link that does not work.

    Exempt from the CSRF check also because it could not pass: with `no-referrer`, browsers send
    `Origin: null` with a form.
    """

    def decorate(view: View) -> Route:
        @csrf_exempt
        @require_http_methods(["HEAD", *methods])
        @wraps(view)
        def route(request: HttpRequest, token: str) -> HttpResponse:
            link = links.find(token, kind)
            response = view(request, link) if link else _refuse(request)
            for name, value in _HEADERS.items():
                response[name] = value
            return response

        return route

    return decorate


def page(
    request: HttpRequest,
    link: PatientLink,
    template: str,
    context: Mapping[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    """A page of the practice whose link it is, from templates/public."""
    common = {
        "practice": link.practice,
        "patient_first_name": link.patient.first_name,
    }
    return render(request, f"public/{template}", {**common, **context}, status=status)


def _refuse(request: HttpRequest) -> HttpResponse:
    """One answer for every link that does not work; after many, one that is cheap to give.

    Links that work are never throttled: many patients may share one address.
    """
    key = f"public-miss:{request.META.get('REMOTE_ADDR', '')}"
    cache.add(key, 0, MISS_WINDOW_SECONDS)
    try:
        misses = cache.incr(key)
    except ValueError:  # it ran out in between
        misses = 1
    if misses > MISSES_ALLOWED:
        response = HttpResponse("Too many links that do not work. Try again in ten minutes.")
        response.status_code = 429
        response["Retry-After"] = str(MISS_WINDOW_SECONDS)
        response["Content-Type"] = "text/plain; charset=utf-8"
        return response
    return render(request, "public/link_over.html", {"practice": None}, status=404)
