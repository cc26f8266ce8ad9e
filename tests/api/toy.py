"""An endpoint that does nothing but show what the machinery does, at /api/v1/toy and below."""

import threading
from collections.abc import Callable
from typing import Any, ClassVar

from django.http import Http404, HttpResponse
from django.urls import include, path
from rest_framework import serializers
from rest_framework.response import Response

from patients.models import Patient
from practices import journal
from practices.api_access import ApiRequest, ApiView
from sightsync.lib.api import fields, lists, paging, render

effects: list[Any] = []
during: list[Callable[[], Any]] = []
lock = threading.Lock()


class ToySerializer(serializers.Serializer):
    name = fields.Text(max_length=20)
    count = fields.Int(required=False, min_value=1, max_value=50)
    sure = fields.Bool(required=False)
    on = fields.Date(required=False)
    at = fields.Time(required=False)
    patient_id = fields.PublicId("pat", required=False)
    extended = fields.Extended(required=False)
    kind = fields.Choice(["a", "b"], required=False)


TABLE = lists.Table(
    Patient,
    columns={
        "id": lists.public_id("pat"),
        **lists.texts(["first_name", "next_clinical_due_date"]),
        "extended": lists.json("extended"),
        "created_at": lists.instant("created_at"),
        "opted_out_at": lists.instant("opted_out_at"),
    },
    order=("next_clinical_due_date", "id"),
)


class ToyView(ApiView):
    scopes: ClassVar = {"POST": "recall"}

    def get(self, request: ApiRequest) -> HttpResponse:
        asked = paging.window(request.GET, default=2, maximum=5)
        rows = Patient.objects.filter(practice=request.practice)
        if kind := fields.query_choice(request.GET, "risk", ["diabetic", "standard"]):
            rows = rows.filter(risk_category=kind)
        found, total = TABLE.page(rows, asked, journal.version(request.practice.pk))
        return render.answer(asked.answer("patients", found, total))

    def post(self, request: ApiRequest) -> HttpResponse:
        form = ToySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        for act in during:
            act()
        with lock:
            effects.append(form.validated_data)
        return render.answer({"name": form.validated_data["name"], "number": len(effects)}, 201)


class Raising(ApiView):
    error: Exception = Http404()

    def get(self, request: ApiRequest) -> HttpResponse:
        raise self.error

    post = get


class Plain(ApiView):
    def get(self, request: ApiRequest) -> Response:
        return Response({"plain": True}, status=202, headers={"X-Own": "1"})


urlpatterns = [
    path("api/v1/toy", ToyView.as_view()),
    path("api/v1/toy/raising", Raising.as_view()),
    path("api/v1/toy/plain", Plain.as_view()),
    path("api/", include("sightsync.api")),
]
