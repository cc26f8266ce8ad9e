"""POST /agent: a recall campaign from a goal in plain English."""

from typing import Any, ClassVar

from django.http import HttpResponse
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers

from patients.models import Patient
from practices.api_access import ApiRequest, ApiView
from recall.api import documenting, refusals
from recall.api.documenting import CAMPAIGN, PATIENT, given, sent
from recall.campaigns import agent, grammar_text
from recall.campaigns.agent import Run
from recall.campaigns.choice import MAX_PATIENTS
from recall.campaigns.preview import Row
from recall.models import Campaign, Channel
from sightsync.lib.api import render
from sightsync.lib.api.fields import Bool, Int, PublicId, Text

DEFAULT_LIMIT = 50
_TPS = "pat_01KKDW6Q2R4S6T8V0W2X4Y6Z8A"
_GOAL = "Call all diabetic patients overdue by more than 12 months"

_Shape = serializers.Serializer[Any]


class AgentInput(_Shape):
    goal = Text(
        max_length=grammar_text.MAX_LETTERS,
        help_text="Who to contact, in plain English. Not kept: it becomes a filter.",
    )
    dry_run = Bool(required=False, default=False, help_text="Tell, and write and call nothing.")
    limit = Int(
        required=False,
        default=DEFAULT_LIMIT,
        min_value=1,
        max_value=MAX_PATIENTS,
        help_text="At most so many patients; a lower number in the goal holds instead.",
    )


class AgentSkipped(_Shape):
    patient_id = PublicId(Patient.PREFIX)
    reason = serializers.CharField()
    code = serializers.CharField(help_text="The rule in the way of a call.")
    instead = serializers.ChoiceField(
        [Channel.WHATSAPP, Channel.EMAIL],
        allow_null=True,
        help_text="How the campaign contacts this patient instead of calling.",
    )


class AgentPair(_Shape):
    what = serializers.CharField()
    value = serializers.CharField()


class AgentShape(_Shape):
    success = serializers.BooleanField()
    campaign_id = PublicId(Campaign.PREFIX, allow_null=True, help_text="Null after a dry run.")
    patients_selected = serializers.IntegerField(min_value=0)
    calls_triggered = serializers.IntegerField(
        min_value=0, help_text="Patients to be called, now or when the hours allow."
    )
    skipped = AgentSkipped(many=True)
    ai_reasoning = serializers.CharField(help_text="What was understood, in words.")
    understood = AgentPair(many=True)
    filters = serializers.DictField(help_text="The filter itself, as the campaign keeps it.")


_EXAMPLE = {
    "success": True,
    "campaign_id": CAMPAIGN,
    "patients_selected": 14,
    "calls_triggered": 12,
    "skipped": [
        {"patient_id": _TPS, "reason": "TPS registered", "code": "tps_listed", "instead": "email"},
        {"patient_id": PATIENT, "reason": "Opted out", "code": "opted_out", "instead": None},
    ],
    "ai_reasoning": "Selected 14 patients: diabetic patients, overdue by more than 12 months;"
    " at most 30 patients.",
    "understood": [
        {"what": "Risk", "value": "diabetic"},
        {"what": "Overdue", "value": "more than 12 months"},
        {"what": "At most", "value": "30 patients"},
    ],
    "filters": {"risks": ["diabetic"], "overdue_months": 12, "overdue_days": 1, "limit": 30},
}


class AgentView(ApiView):
    scopes: ClassVar[dict[str, str]] = {"POST": "recall"}

    @extend_schema(
        operation_id="runAgent",
        summary="Run a recall campaign from a goal in plain English",
        description="The goal is read as a filter of patients who are due, and never as anything"
        " else. A word that is not understood is not guessed: the answer is 422 with what was"
        " understood and, in `not_understood`, the exact words that were not. Every run is a"
        " campaign, read back by `GET /campaigns/{id}`, also one in which nobody could be"
        " contacted: `calls_triggered` is then 0 and `skipped` says why. Outside calling hours the"
        " calls wait for them. `patients_selected` is `calls_triggered` and everybody in `skipped`;"
        " who cannot be called and gets a message has its channel in `instead`. With `dry_run`"
        " nothing is written, the answer is 200 and `campaign_id` is null.",
        tags=["AI agent"],
        request=AgentInput,
        responses={
            200: AgentShape,
            202: AgentShape,
            422: documenting.error("Words of the goal were not understood."),
        },
        examples=[
            sent({"goal": _GOAL, "dry_run": False, "limit": 30}),
            given(_EXAMPLE, "202"),
            given({**_EXAMPLE, "campaign_id": None}, "200", "Dry run"),
            given(
                {
                    "error": "Not understood: “rude”.",
                    "code": "goal_not_understood",
                    "understood": ["Risk: diabetic"],
                    "not_understood": ["rude"],
                },
                "422",
                "Not understood",
            ),
        ],
    )
    def post(self, request: ApiRequest) -> HttpResponse:
        asked = AgentInput(data=request.data)
        asked.is_valid(raise_exception=True)
        typed, limit = asked.validated_data["goal"], asked.validated_data["limit"]
        if asked.validated_data["dry_run"]:
            told = agent.dry_run(practice=request.practice, typed=typed, limit=limit)
            return render.answer(_out(told))
        done = agent.start(practice=request.practice, typed=typed, limit=limit, actor=self.actor)
        return render.answer(_out(done), 202)


def _out(run: Run) -> dict[str, object]:
    return {
        "success": True,
        "campaign_id": run.campaign and run.campaign.public_id,
        "patients_selected": run.selected,
        "calls_triggered": run.calls,
        "skipped": [_skipped(row) for row in run.not_called],
        "ai_reasoning": run.words,
        "understood": [{"what": what, "value": value} for what, value in run.understood],
        "filters": run.choice.as_json(),
    }


def _skipped(row: Row) -> dict[str, object]:
    code = row.codes[0] if row.codes else "not_contactable"
    return {
        "patient_id": row.patient.public_id,
        "reason": refusals.reason(code),
        "code": code,
        "instead": row.channel,
    }


urlpatterns = [path("agent", AgentView.as_view())]
