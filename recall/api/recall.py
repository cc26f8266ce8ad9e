"""POST /recall and POST /recall/batch: a call asked for by name, now or by the dialler's pace."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from django.urls import path
from drf_spectacular.utils import extend_schema

from patients import selectors as patients
from patients.models import Patient
from practices.api_access import ApiRequest, ApiView
from practices.journal import Actor
from practices.models import Practice
from recall.api import documenting, refusals, serializers
from recall.api.documenting import CALL, PATIENT, given, sent
from recall.attempts import place
from recall.eligibility import gather
from recall.eligibility.evaluate import Verdict
from recall.models import AttemptState, Channel
from sightsync.lib import clock, ids
from sightsync.lib.api import render
from sightsync.lib.errors import AppError

_TAG = ["Recall"]
_OTHER = "pat_01KKDW60B3D5F7H9J1K3M5N7P9"
_TPS = "pat_01KKDW6Q2R4S6T8V0W2X4Y6Z8A"
_NEXT = "2026-03-12T09:00:00Z"


class RecallView(ApiView):
    scopes: ClassVar[dict[str, str]] = {"POST": "recall"}

    @extend_schema(
        operation_id="triggerRecall",
        summary="Trigger a recall call for a patient",
        description="Checks every rule, then hands the call to the carrier and answers when the"
        " carrier has (at most 10 seconds). Lasting reasons are answered before passing ones, and"
        " `next_allowed_at` is the first instant at which all rules of time pass. `status` is"
        " `queued` instead of `calling` when all lines are taken; the call then goes out by itself."
        " Whether the phone rings when the carrier's answer was lost is found out later; the status"
        " is `calling` until then, and the call is never placed a second time.",
        tags=_TAG,
        request=serializers.RecallBodySerializer,
        responses={
            202: serializers.RecallSerializer,
            404: documenting.NO_PATIENT,
            409: documenting.error(
                "The patient opted out, has an appointment ahead, or is being called (`call_id`)."
            ),
            422: documenting.error("The number cannot be rung."),
            425: documenting.error("Outside the permitted calling hours."),
            429: documenting.error(
                "Three calls in 30 days, one in 24 hours, the month's calls used up, or more than"
                " 120 requests in a minute."
            ),
            451: documenting.error("The number is on the TPS or CTPS, or cannot be screened."),
        },
        examples=[
            sent({"patient_id": PATIENT}),
            given(
                {"success": True, "call_id": CALL, "patient_id": PATIENT, "status": "calling"},
                "202",
            ),
            given(
                {
                    "error": "The patient has opted out of all contact.",
                    "code": "opted_out",
                    "reason": "The patient has opted out of all contact.",
                },
                "409",
                "Opted out",
            ),
            given(
                {
                    "error": "Outside permitted calling hours",
                    "code": "calling_hours",
                    "reason": refusals.HOURS,
                    "next_allowed_at": _NEXT,
                },
                "425",
                "Outside calling hours",
            ),
            given(
                {
                    "error": "Monthly call limit reached",
                    "code": "quota_used_up",
                    "reason": "300 of 300 calls are used this month.",
                    "calls_used": 300,
                    "monthly_limit": 300,
                    "next_allowed_at": "2026-04-01T08:00:00Z",
                },
                "429",
                "Monthly call quota",
            ),
            given(
                {
                    "error": "Patient number is registered on the TPS/CTPS — call blocked per PECR"
                    " regulations",
                    "code": "tps_listed",
                    "reason": "The number is on the TPS.",
                },
                "451",
                "TPS registered",
            ),
        ],
    )
    def post(self, request: ApiRequest) -> HttpResponse:
        asked = serializers.RecallBodySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given_id = ids.encode(Patient.PREFIX, asked.validated_data["patient_id"])
        patient = patients.patient(request.practice, given_id)
        try:
            attempt = place.call_now(
                practice=request.practice,
                patient=patient,
                actor=self.actor,
                extended=asked.validated_data.get("extended"),
            )
        except AppError as error:
            raise refusals.documented(error, practice=request.practice, patient=patient) from error
        waiting = attempt.state == AttemptState.PLANNED
        answer = {
            "success": True,
            "call_id": attempt.public_id,
            "patient_id": patient.public_id,
            "status": "queued" if waiting else "calling",
        }
        return render.answer(answer, 202)


class BatchView(ApiView):
    scopes: ClassVar[dict[str, str]] = {"POST": "recall"}

    @extend_schema(
        operation_id="triggerRecallBatch",
        summary="Trigger recall calls for up to 50 patients",
        description="Every patient is put to every rule. Those who may be called are queued and go"
        " out one a second, each put to the rules again when its turn comes; the others are in"
        " `skipped` with the first reason. An id that is unknown or given twice is skipped too, and"
        " so is a second patient with the same number. With `dry_run` nothing is written, the"
        " answer is 200, and `call_id` is null.",
        tags=_TAG,
        request=serializers.BatchBodySerializer,
        responses={200: serializers.BatchSerializer, 202: serializers.BatchSerializer},
        examples=[
            sent({"patient_ids": [PATIENT, _OTHER, _TPS], "dry_run": False}),
            *(
                given(
                    {
                        "triggered": [
                            {"patient_id": PATIENT, "call_id": first},
                            {"patient_id": _OTHER, "call_id": second},
                        ],
                        "skipped": [refusals.skipped(_TPS, "tps_listed")],
                        "total": 3,
                        "triggered_count": 2,
                        "skipped_count": 1,
                    },
                    status,
                    name,
                )
                for status, name, first, second in (
                    ("200", "Dry run", None, None),
                    ("202", "Queued", CALL, "c_01KKE70B5Q6S8V1X6Z9C2N4M7M"),
                )
            ),
        ],
    )
    def post(self, request: ApiRequest) -> HttpResponse:
        asked = serializers.BatchBodySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        batch = _Batch(request.practice, self.actor, asked.validated_data["patient_ids"])
        dry = asked.validated_data["dry_run"]
        batch.run(dry=dry)
        answer = {
            "triggered": batch.triggered,
            "skipped": batch.skipped,
            "total": len(batch.triggered) + len(batch.skipped),
            "triggered_count": len(batch.triggered),
            "skipped_count": len(batch.skipped),
        }
        return render.answer(answer, 200 if dry else 202)


class _Batch:
    """One batch: who is asked for, and what becomes of each, in the order given."""

    def __init__(self, practice: Practice, actor: Actor, given_ids: list[str]) -> None:
        self.practice, self.actor, self.given = practice, actor, given_ids
        self.triggered: list[dict[str, object]] = []
        self.skipped: list[dict[str, object]] = []

    def run(self, *, dry: bool) -> None:
        now = clock.now()
        rows = list(self._rows())
        people = [row for row in rows if isinstance(row, Patient)]
        verdicts = self._verdicts(people, now)
        policy = gather.policy_of(self.practice, now)
        left = policy.calls_limit - policy.calls_used
        numbers: set[str] = set()
        for text, row in zip(self.given, rows, strict=True):
            if not isinstance(row, Patient):
                self._skip(text, row)
                continue
            verdict = verdicts[row.pk]
            if not verdict.allowed:
                self._skip(text, verdict.codes[0], verdict.next_allowed_at)
            elif row.phone_number in numbers:
                self._skip(text, "same_number")
            elif len(self.triggered) >= left:
                self._skip(text, "quota_used_up", policy.quota_resets_at)
            elif self._trigger(text, row, dry=dry):
                numbers.add(row.phone_number)

    def _rows(self) -> Iterator[Patient | str]:
        """For each id its patient, once; or the code of why there is none."""
        found = patients.by_ids(self.practice, self.given)
        seen: set[UUID] = set()
        for text in self.given:
            patient = found[text]
            if patient is None:
                yield refusals.NO_PATIENT
            elif patient.pk in seen:
                yield "duplicate"
            else:
                seen.add(patient.pk)
                yield patient

    def _verdicts(self, people: list[Patient], now: datetime) -> dict[UUID, Verdict]:
        if not people:
            return {}
        keys = [patient.pk for patient in people]
        return dict(
            gather.verdicts(practice=self.practice, channel=Channel.VOICE, now=now, patients=keys)
        )

    def _trigger(self, text: str, patient: Patient, *, dry: bool) -> bool:
        call_id = None
        if not dry:
            try:
                planned = place.plan(practice=self.practice, patient=patient, actor=self.actor)
            except AppError as error:
                self._skip(text, error.code, error.extra.get("next_allowed_at"))
                return False
            call_id = planned.attempt.public_id
        self.triggered.append({"patient_id": patient.public_id, "call_id": call_id})
        return True

    def _skip(self, text: str, code: str, next_allowed_at: Any = None) -> None:
        self.skipped.append(refusals.skipped(text, code, next_allowed_at))


urlpatterns = [
    path("recall", RecallView.as_view()),
    path("recall/batch", BatchView.as_view()),
]
