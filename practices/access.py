"""Who may do what: one table, one decorator, one loader.

"Missing" and "not yours" are the same 404.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse

from practices.models import Membership, Practice, Role, User
from sightsync.lib import ids

_VIEWER = {
    "today.view",
    "patients.view",
    "recall.view",
    "calls.view",
    "appointments.view",
    "messages.view",
}
_STAFF = _VIEWER | {
    "patients.edit",
    "patients.opt_out",
    "patients.call",
    "appointments.edit",
    "tasks.finish",
    "imports.run",
    "contact.stop",
}
_MANAGER = _STAFF | {
    "recall.start",
    "recall.control",
    "contact.resume",
    "sandbox.clock",
    "imports.undo",
    "integrations.manage",
    "developer.manage",
    "data.manage",
    "plan.view",
}
_OWNER = _MANAGER | {"practice.settings", "team.manage", "keys.manage", "numbers.manage"}

PERMISSIONS: dict[str, frozenset[str]] = {
    Role.VIEWER: frozenset(_VIEWER),
    Role.STAFF: frozenset(_STAFF),
    Role.MANAGER: frozenset(_MANAGER),
    Role.OWNER: frozenset(_OWNER),
}

SESSION_KEY = "practice"
Row = TypeVar("Row", bound=Model)


class StaffRequest(HttpRequest):
    """A request that `require` has let through."""

    user: User
    practice: Practice
    membership: Membership


def may(role: str, permission: str) -> bool:
    return permission in PERMISSIONS.get(role, frozenset())


def membership_of(request: HttpRequest) -> Membership | None:
    """The signed-in person's place in the practice they work in now; fresh from the database."""
    if not isinstance(request.user, User):
        return None
    places = Membership.objects.select_related("practice").filter(user=request.user)
    chosen = request.session.get(SESSION_KEY)
    if chosen:
        place = places.filter(practice_id=chosen).first()
        if place is not None:
            return place
    return places.order_by("created_at", "pk").first()


View = Callable[..., HttpResponse]


def require(permission: str) -> Callable[[View], View]:
    """Signed in, a member of a practice, and allowed: sets `request.practice` and `.membership`."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: StaffRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            place = membership_of(request)
            if place is None or not may(place.role, permission):
                raise PermissionDenied
            request.membership, request.practice = place, place.practice
            return view(request, *args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]  # read by the route guard test
        return login_required(guarded)

    return decorate


def load(rows: QuerySet[Row], public_id: str) -> Row:
    """The row of `rows` (already limited to the practice) with that public id, else Http404."""
    try:
        key = ids.decode(rows.model.PREFIX, public_id)  # type: ignore[attr-defined]
    except ids.BadId as error:
        raise Http404 from error
    row = rows.filter(pk=key).first()
    if row is None:
        raise Http404
    return row
