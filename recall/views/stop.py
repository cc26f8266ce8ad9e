"""The practice-wide stop switch: asks first, then stops everything; resuming asks again."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from practices import access, contact_switch
from practices.access import StaffRequest
from practices.journal import Actor
from recall import selectors


@require_http_methods(["GET", "HEAD", "POST"])
@access.require("contact.stop")
def stop(request: StaffRequest) -> HttpResponse:
    if request.method != "POST":
        context = {"waiting": selectors.waiting_to_leave(request.practice)}
        return render(request, "recall/stop.html", context)
    contact_switch.stop(practice=request.practice, actor=Actor.user(request.user))
    messages.success(request, "All contact is stopped.")
    return redirect("recall:stop")


@require_POST
@access.require("contact.resume")
def resume(request: StaffRequest) -> HttpResponse:
    contact_switch.resume(practice=request.practice, actor=Actor.user(request.user))
    messages.success(request, "Contact is running again.")
    return redirect("recall:today")
