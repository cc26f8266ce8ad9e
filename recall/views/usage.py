"""Settings, Plan and usage: what the plan includes, and what this month has used of it."""

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from practices import access, plans, quota
from practices.access import StaffRequest
from recall import selectors
from recall.selectors import daily_calls
from sightsync.lib import clock


@require_safe
@access.require("plan.view")
def show(request: StaffRequest) -> HttpResponse:
    practice, today = request.practice, clock.today()
    month = quota.month_of(clock.now())
    days = daily_calls.daily(practice, month, today)
    context = {
        "quota": selectors.quota(practice),
        "month": month,
        "last_day": quota.next_month(month) - timedelta(days=1),
        "own_number": plans.has_dedicated_number(practice.plan),
        "days": [
            {**day, "is_today": day["date"] == today} for day in reversed(days) if day["total"]
        ],
        "most": max(1, *(day["total"] for day in days)),
        "placed": sum(day["total"] for day in days),
    }
    return render(request, "recall/usage.html", context)
