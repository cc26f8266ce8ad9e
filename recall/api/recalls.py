"""GET /recalls: who is due, and where each of them stands."""

from collections.abc import Sequence

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import path
from drf_spectacular.utils import extend_schema

from patients.models import Patient, RiskCategory
from practices.api_access import ApiRequest, ApiView
from practices.models import Practice
from recall import standing
from recall.api.documenting import CAMPAIGN, PATIENT, RECALL, given
from recall.api.serializers import DuePatientSerializer
from recall.models import EpisodeState
from recall.selectors import for_api
from recall.standing import Standing
from sightsync.lib import clock
from sightsync.lib.api import fields, paging, render, schema

DEFAULT_LIMIT, MAX_LIMIT = 100, 500
_EXAMPLE = {
    "patient_id": PATIENT,
    "patient": {"first_name": "Jane", "last_name": "Smith"},
    "risk_category": "diabetic",
    "next_clinical_due_date": "2025-01-15",
    "state": "contacting",
    "reason": "voice_planned",
    "recall_id": RECALL,
    "campaign_id": CAMPAIGN,
    "opened_at": "2026-03-15T10:00:00Z",
    "next_step_at": "2026-03-16T10:00:00Z",
}


class RecallsView(ApiView):
    @extend_schema(
        operation_id="listRecalls",
        summary="List who is due and where each stands",
        description="Every patient whose examination is due, earliest first, each with exactly one"
        " state and reason. `recall_id` is null while nobody has begun, and after a recall ended.",
        tags=["Recall"],
        parameters=[
            *schema.paging(DEFAULT_LIMIT, MAX_LIMIT),
            schema.text_parameter("state", "Only those.", enum=list(EpisodeState.values)),
            schema.text_parameter(
                "risk_category", "Only this category.", enum=list(RiskCategory.values)
            ),
            schema.id_parameter("patient_id", Patient.PREFIX, "Only this patient.", "query"),
        ],
        responses=schema.listed("DuePatient", "recalls", DuePatientSerializer),
        examples=[given({"recalls": [_EXAMPLE], "total": 1, "limit": 100, "offset": 0})],
    )
    def get(self, request: ApiRequest) -> HttpResponse:
        query, practice = request._request.GET, request.practice
        window = paging.window(query, default=DEFAULT_LIMIT, maximum=MAX_LIMIT)
        state = fields.query_choice(query, "state", list(EpisodeState.values))
        risk = fields.query_choice(query, "risk_category", list(RiskCategory.values))
        patient_id = fields.query_id(query, "patient_id", Patient.PREFIX)
        if state:
            stand, total = standing.of_state(
                practice,
                state,
                risk=risk,
                patient=patient_id,
                offset=window.offset,
                limit=window.limit,
            )
        else:
            rows = standing.overdue_patients(practice, clock.today())
            rows = rows.filter(risk_category=risk) if risk else rows
            rows = rows.filter(pk=patient_id) if patient_id else rows
            stand, total = _page(practice, rows, window), rows.count()
        return render.answer(window.answer("recalls", _out(practice, stand), total))


def _page(practice: Practice, rows: QuerySet[Patient], window: paging.Window) -> list[Standing]:
    """Of everybody the page is chosen on an index first, and then asked where each stands."""
    keys = list(
        rows.order_by("next_clinical_due_date", "pk").values_list("pk", flat=True)[
            window.offset : window.offset + window.limit
        ]
    )
    stand = {one.patient_id: one for one in standing.standing(practice, patients=keys)}
    return [stand[key] for key in keys if key in stand]


def _out(practice: Practice, stand: Sequence[Standing]) -> list[dict[str, object]]:
    rows = for_api.due_rows(practice, [one.patient_id for one in stand])
    # Somebody may have been seen to between the queries: who is due no longer is left out.
    return [
        {**rows[one.patient_id], "state": one.state, "reason": one.reason}
        for one in stand
        if one.patient_id in rows
    ]


urlpatterns = [path("recalls", RecallsView.as_view())]
