"""GET /campaigns/{id}: how far a campaign has come, and whom it left out and why."""

from django.http import HttpResponse
from django.urls import path
from drf_spectacular.utils import extend_schema

from practices import access
from practices.api_access import ApiRequest, ApiView
from recall import selectors
from recall.api import refusals
from recall.api.documenting import CAMPAIGN, given
from recall.api.serializers import OneCampaignSerializer
from recall.models import Campaign
from sightsync.lib.api import render, schema

_EXAMPLE = {
    "id": CAMPAIGN,
    "name": "Diabetic, 12 months overdue",
    "status": "running",
    "started_at": "2026-03-15T10:00:00Z",
    "ended_at": None,
    "filters": {"risks": ["diabetic"]},
    "patients": 12,
    "open": 9,
    "by_state": {"contacting": 7, "waiting": 2, "booked": 3},
    "funnel": {"due": 12, "contacted": 10, "reached": 5, "booked": 3, "attended": 0},
    "left_out": [{"code": "tps_listed", "reason": "TPS registered", "count": 1}],
}


class CampaignView(ApiView):
    @extend_schema(
        operation_id="getCampaign",
        summary="Get a campaign",
        description="How many recalls it has, in which state each is, how far they came, and why"
        " patients were left out when it began.",
        tags=["Campaigns"],
        parameters=[schema.id_parameter("campaign_id", Campaign.PREFIX, "The campaign's id.")],
        responses=OneCampaignSerializer,
        examples=[given({"campaign": _EXAMPLE})],
    )
    def get(self, request: ApiRequest, campaign_id: str) -> HttpResponse:
        row = access.load(Campaign.objects.filter(practice=request.practice), campaign_id)
        return render.answer({"campaign": shape(row)})


def shape(row: Campaign) -> dict[str, object]:
    done = selectors.progress(row)
    return {
        "id": row.public_id,
        "name": row.name,
        "status": row.state,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "filters": row.filters,
        "patients": done.people,
        "open": done.still_open,
        "by_state": dict(done.parts),
        "funnel": {step.name.lower(): step.count for step in done.steps},
        "left_out": [
            {"code": code, "reason": refusals.reason(code), "count": count}
            for code, count in selectors.left_out(row)
        ],
    }


urlpatterns = [path("campaigns/<str:campaign_id>", CampaignView.as_view())]
