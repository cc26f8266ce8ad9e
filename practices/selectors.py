"""Reads about practices: the one a command names, and its people."""

from django.db.models import QuerySet

from practices.models import Membership, Practice, Role
from sightsync.lib import ids
from sightsync.lib.errors import AppError


def find_practice(text: str) -> Practice:
    """The practice with that id: `prc_...` or the bare UUID. Raises AppError if none has it."""
    try:
        key = ids.decode(Practice.PREFIX, text)
    except ids.BadId as error:
        raise AppError(
            "bad_practice_id",
            f"{text[:40]!r} is not a practice's id: it looks like prc_ and 26 letters and digits.",
        ) from error
    found = Practice.objects.filter(pk=key).first()
    if found is None:
        raise AppError("no_such_practice", f"There is no practice with the id {text[:40]}.", 404)
    return found


def team(practice: Practice) -> QuerySet[Membership]:
    """Everybody who works in the practice, longest first."""
    return practice.memberships.select_related("user").order_by("created_at", "pk")


def owners(practice: Practice) -> QuerySet[Membership]:
    return team(practice).filter(role=Role.OWNER)
