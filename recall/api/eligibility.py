"""The API's "may this patient be contacted, and if not, why and from when": every rule of every
channel, as `eligibility` answers it. It decides nothing.
"""

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.urls import path
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers

from patients import selectors
from patients.models import Patient
from practices.api_access import ApiRequest, ApiView
from practices.models import Practice
from recall.eligibility import gather
from recall.eligibility.case import Kind
from recall.eligibility.evaluate import Result, Verdict, evaluate
from recall.models import Channel
from sightsync.lib import clock
from sightsync.lib.api import errors, fields, render, schema

_Shape = serializers.Serializer[Any]

AHEAD = timedelta(days=400)
"""So far ahead closures are known."""


class RuleSerializer(_Shape):
    code = serializers.CharField()
    passed = serializers.BooleanField()
    evidence = serializers.CharField(help_text="In words.")
    kind = serializers.ChoiceField(
        [kind.value for kind in Kind],
        help_text="What a failure means: lasting until the record changes, held until somebody at"
        " the practice acts, passing by itself.",
    )
    status = serializers.IntegerField(
        help_text="What POST /recall answers when this is the first rule to fail."
    )
    passes_at = serializers.DateTimeField(
        allow_null=True, help_text="When a failed rule passes by itself, looked at alone."
    )


class ChannelSerializer(_Shape):
    allowed = serializers.BooleanField()
    next_allowed_at = serializers.DateTimeField(
        allow_null=True,
        help_text="The first instant at which all rules pass; null when one does not by itself.",
    )
    rules = RuleSerializer(many=True)


class ChannelsSerializer(_Shape):
    voice = ChannelSerializer()
    whatsapp = ChannelSerializer()
    sms = ChannelSerializer()
    email = ChannelSerializer()


class EligibilitySerializer(_Shape):
    patient_id = fields.PublicId("pat")
    at = serializers.DateTimeField()
    allowed = serializers.BooleanField(help_text="Of a call: whether POST /recall would place it.")
    next_allowed_at = serializers.DateTimeField(allow_null=True, help_text="Of a call.")
    channels = ChannelsSerializer()


def _rule(code: str, **other: Any) -> dict[str, Any]:
    passed = {"passed": True, "evidence": "No opt-out is recorded.", "kind": "lasting"}
    return {"code": code, **passed, "status": 409, "passes_at": None, **other}


_TOO_EARLY = _rule(
    "outside_hours",
    passed=False,
    evidence="It is Wednesday 11 March at 8am; calls are made Monday to Friday, 9am to 6pm.",
    kind="passing",
    status=425,
    passes_at="2026-03-11T09:00:00Z",
)
_CLOSED = {
    "allowed": False,
    "next_allowed_at": "2026-03-11T09:00:00Z",
    "rules": [_rule("opted_out"), _TOO_EARLY],
}
_OPEN = {
    "allowed": True,
    "next_allowed_at": "2026-03-11T08:00:00Z",
    "rules": [_rule("opted_out")],
}
_EXAMPLE = {
    "patient_id": "pat_01HXYZ5T4W0V8S2Q6R9K3M7N1B",
    "at": "2026-03-11T08:00:00Z",
    "allowed": False,
    "next_allowed_at": "2026-03-11T09:00:00Z",
    "channels": {"voice": _CLOSED, "whatsapp": _OPEN, "sms": _OPEN, "email": _OPEN},
}


class EligibilityView(ApiView):
    @extend_schema(
        operation_id="getEligibility",
        summary="May this patient be contacted?",
        description="Every rule of every channel, passed ones too, with the evidence in words and,"
        " for a rule that ends by itself, when. The record and its calls are taken as they are now;"
        " `at` only moves the time that they are judged at. Nothing is placed or counted.",
        tags=["Patients"],
        parameters=[
            schema.id_parameter("patient_id", "pat", "The patient's id."),
            OpenApiParameter(
                "at",
                {"type": "string", "format": "date-time"},
                description="Judge at this instant, at most 400 days ahead. Default: now.",
            ),
        ],
        responses=EligibilitySerializer,
        examples=[OpenApiExample("Before hours", response_only=True, value=_EXAMPLE)],
    )
    def get(self, request: ApiRequest, patient_id: str) -> HttpResponse:
        patient = selectors.patient(request.practice, patient_id)
        now = clock.now()
        at = fields.query_time(request.GET, "at") or now
        if at > now + AHEAD:
            raise errors.InvalidFields({"at": ["This is more than 400 days ahead."]})
        return render.answer(eligibility(practice=request.practice, patient=patient, at=at))


def eligibility(*, practice: Practice, patient: Patient, at: datetime) -> dict[str, Any]:
    """The whole answer, in four queries and the register's look-up."""
    facts = gather.facts_of_patient(patient, at)
    policy = gather.policy_of(practice, at)
    channels = {str(channel): _channel(evaluate(facts, policy, at, channel)) for channel in Channel}
    call = channels[str(Channel.VOICE)]
    return {
        "patient_id": patient.public_id,
        "at": render.instant(at),
        "allowed": call["allowed"],
        "next_allowed_at": call["next_allowed_at"],
        "channels": channels,
    }


def _channel(verdict: Verdict) -> dict[str, Any]:
    return {
        "allowed": verdict.allowed,
        "next_allowed_at": render.instant(verdict.next_allowed_at),
        "rules": [_result(result) for result in verdict.results],
    }


def _result(result: Result) -> dict[str, Any]:
    return {
        "code": result.code,
        "passed": result.passed,
        "evidence": result.evidence,
        "kind": str(result.kind),
        "status": result.status,
        "passes_at": render.instant(result.passes_at),
    }


urlpatterns = [path("patients/<str:patient_id>/eligibility", EligibilityView.as_view())]
