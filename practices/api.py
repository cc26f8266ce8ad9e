"""GET /usage: what the practice has used of its plan this calendar month (Europe/London)."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema

from practices import plans, quota
from practices.api_access import ApiRequest, ApiView
from practices.models import Practice
from practices.serializers import UsageSerializer
from sightsync.lib import clock
from sightsync.lib.api import render

Daily = Callable[[Practice, date, date], list[dict[str, Any]]]


class UsageView(ApiView):
    """`daily` counts the calls of each day: calls belong to a higher floor, so routes give it."""

    works_unpaid = frozenset({"GET"})
    daily: Daily | None = None

    @extend_schema(
        operation_id="getUsage",
        summary="Current billing period usage",
        description="Calls used, left and over the plan's number in the current calendar month of"
        " Europe/London, with the calls of each day. Keeps working without a subscription.",
        tags=["Usage"],
        responses=UsageSerializer,
        examples=[
            OpenApiExample(
                "Usage",
                response_only=True,
                status_codes=["200"],
                value={
                    "period": {"start": "2026-03-01", "end": "2026-03-31"},
                    "plan": "growth",
                    "status": "active",
                    "calls": {"used": 312, "limit": 750, "remaining": 438, "overage": 0},
                    "daily": [
                        {"date": "2026-03-01", "total": 0, "completed": 0, "failed": 0},
                        {"date": "2026-03-02", "total": 24, "completed": 21, "failed": 3},
                    ],
                },
            )
        ],
    )
    def get(self, request: ApiRequest) -> HttpResponse:
        practice = request.practice
        start = quota.month_of(clock.now())
        used = quota.used(practice_id=practice.pk, month=start)
        limit = plans.monthly_limit(practice.plan)
        end = quota.next_month(start) - timedelta(days=1)
        return render.answer(
            {
                "period": {"start": start, "end": end},
                "plan": practice.plan,
                "status": practice.subscription_status,
                "calls": {
                    "used": used,
                    "limit": limit,
                    "remaining": max(0, limit - used),
                    "overage": max(0, used - limit),
                },
                "daily": self.daily(practice, start, clock.today()) if self.daily else [],
            }
        )
