"""Today: what needs a person, the month's figures, the recall funnel, the calls in the air."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from patients.sync import selectors as readings
from practices import access
from practices.access import StaffRequest
from practices.journal import Actor
from practices.models import Practice
from recall import selectors, staff_tasks
from recall.models import StaffTask
from sightsync.lib import clock


@require_safe
@access.require("today.view")
def show(request: StaffRequest) -> HttpResponse:
    practice = request.practice
    return render(
        request,
        "recall/today.html",
        {
            **_needs_you(practice),
            "numbers": selectors.numbers(practice),
            "funnel": selectors.funnel(practice),
            "funnel_days": selectors.FUNNEL_DAYS,
            "calls": selectors.in_the_air(practice),
            "greeting": _greeting(),
        },
    )


@require_safe
@access.require("today.view")
def live(request: StaffRequest) -> HttpResponse:
    """The two parts of Today that change by themselves, for the page to fetch every few seconds."""
    return render(
        request,
        "recall/_today_live.html",
        {
            **_needs_you(request.practice),
            "calls": selectors.in_the_air(request.practice),
        },
    )


@require_POST
@access.require("tasks.finish")
def finish_task(request: StaffRequest, task_id: str) -> HttpResponse:
    task = access.load(StaffTask.objects.filter(practice=request.practice), task_id)
    carry_on = request.POST.get("then") == staff_tasks.CONTINUE
    staff_tasks.finish(
        task=task,
        actor=Actor.user(request.user),
        note_code=staff_tasks.CONTINUE if carry_on else staff_tasks.BY_HAND,
    )
    if "patient" in request.POST and task.patient:
        return redirect("recall:patient", task.patient.public_id)
    return redirect("recall:today")


def _needs_you(practice: Practice) -> dict[str, Any]:
    """A system of which it is said already that it could not be read needs no second row, unless
    appointments wait for it.
    """
    unread = readings.troubles(practice)
    said = {trouble.connection.pk for trouble in unread}
    return {
        "tasks": selectors.open_tasks(practice),
        "unread": unread,
        "held_up": selectors.held_up_by_carrier(practice),
        "waiting": [
            system
            for system in selectors.systems_waiting(practice)
            if system.appointments or system.connection.pk not in said
        ],
    }


def _greeting() -> str:
    hour = clock.london(clock.now()).hour
    if hour < 12:
        return "Good morning"
    return "Good afternoon" if hour < 18 else "Good evening"
