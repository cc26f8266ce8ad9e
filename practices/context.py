"""What every staff page shows around its content."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from practices import access
from sightsync.lib import clock

OWN_ACCOUNT = "/accounts/"  # allauth's pages, which no `access.require` guards


def practice(request: HttpRequest) -> dict[str, Any]:
    """The practice one works in, one's role and permissions, and the sandbox's time."""
    place = getattr(request, "membership", None)
    if place is None and request.path.startswith(OWN_ACCOUNT):
        place = access.membership_of(request)
    return {
        "practice": place.practice if place else None,
        "membership": place,
        "permissions": access.PERMISSIONS.get(place.role, frozenset()) if place else frozenset(),
        "sandbox": not settings.LIVE,
        "sandbox_url": "" if settings.LIVE else settings.SANDBOX_URL,
        "now": clock.now(),
    }
