"""The rooms of the staff pages' navigation. A room that is not built yet is not in the list."""

from typing import Any, NamedTuple, TypedDict

from django import template
from django.urls import reverse

from recall.models import StaffTask

register = template.Library()

ROOMS = (
    ("Today", "house", "recall:today", "today"),
    ("Patients", "user-round", "patients:list", "patients"),
    ("Recall", "phone-outgoing", "recall:campaigns", "recall"),
    ("Calls", "list", "recall:calls", "calls"),
    ("Messages", "message-square", "recall:messages", "messages"),
    ("Appointments", "calendar-days", "recall:appointments", "appointments"),
    ("Import", "upload", "imports:list", "import"),
)
_NOT_FOR_ALL = {"import": "imports.run"}
"""Rooms that not everybody may enter: first part of the address, permission."""


class _Page(NamedTuple):
    name: str
    route: str
    permission: str


BACK_ROOMS = (
    (
        "Settings",
        "settings",
        "settings",
        (
            _Page("Calendar & PMS", "pms:index", "integrations.manage"),
            _Page("Integrations", "integrations", "integrations.manage"),
            _Page("Phone number", "numbers:index", "numbers.manage"),
            _Page("API keys", "practices:api-keys", "keys.manage"),
            _Page("Plan and usage", "recall:usage", "plan.view"),
        ),
    ),
    (
        "Developer",
        "code-xml",
        "developer",
        (
            _Page("Webhooks", "webhooks:list", "developer.manage"),
            _Page("API reference", "api-reference", "developer.manage"),
        ),
    ),
    (
        "Data protection",
        "shield-check",
        "data-protection",
        (_Page("Data requests", "gdpr:requests", "data.manage"),),
    ),
)
"""What is arranged now and then: name, icon, first part of the address, pages."""


class Room(TypedDict):
    name: str
    icon: str
    url: str
    current: bool
    count: int


class Corner(TypedDict):
    """A page inside a back room."""

    name: str
    url: str
    current: bool


class BackRoom(TypedDict):
    name: str
    icon: str
    url: str
    current: bool
    pages: list[Corner]


@register.simple_tag(takes_context=True)
def rooms(context: dict[str, Any]) -> list[Room]:
    """The rooms in order, the one we stand in marked, Today with the number of open tasks."""
    here = context["request"].path.strip("/").split("/")[0]
    practice = context["practice"]
    waiting = StaffTask.objects.filter(practice=practice, done_at=None).count()
    return [
        Room(
            name=name,
            icon=symbol,
            url=reverse(route),
            current=here == ("" if first == "today" else first),
            count=waiting if first == "today" else 0,
        )
        for name, symbol, route, first in ROOMS
        if first not in _NOT_FOR_ALL or _NOT_FOR_ALL[first] in context["permissions"]
    ]


@register.simple_tag(takes_context=True)
def back_rooms(context: dict[str, Any]) -> list[BackRoom]:
    """The back rooms with those of their pages that the person may open; never empty."""
    path, allowed = context["request"].path, context["permissions"]
    found = []
    for name, symbol, first, pages in BACK_ROOMS:
        corners = [
            Corner(name=page.name, url=address, current=f"{path}/".startswith(f"{address}/"))
            for page in pages
            if page.permission in allowed
            for address in [reverse(page.route)]
        ]
        if corners:
            inside = f"{path}/".startswith(f"/{first}/")
            found.append(
                BackRoom(
                    name=name, icon=symbol, url=corners[0]["url"], current=inside, pages=corners
                )
            )
    return found
