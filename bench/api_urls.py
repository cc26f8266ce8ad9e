"""What the API is measured against: a bare view, and DRF as its documentation has it."""

import time
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import include, path, resolve
from rest_framework import routers, serializers, viewsets
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.renderers import JSONRenderer

from patients.models import Patient
from practices import key_check
from practices.api_access import ApiRequest, ApiView
from sightsync import urls
from sightsync.lib.api import render

key_check.LIMIT = 10**9  # a benchmark asks more than 120 times a minute


class Bare:
    """Takes the peers' paths past every middleware: they pay for nothing of ours."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(("/hello", "/stock/")):
            return self.get_response(request)
        match = resolve(request.path_info)
        response: Any = match.func(request, *match.args, **match.kwargs)
        response = response.render() if hasattr(response, "render") else response
        response["Content-Length"] = str(len(response.content))  # else CommonMiddleware's work
        return response


def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"hello", content_type="text/plain")


class PatientSerializer(serializers.ModelSerializer):
    class Meta:
        model = Patient
        fields = [
            "id",
            "first_name",
            "last_name",
            "phone_number",
            "email",
            "date_of_birth",
            "risk_category",
            "last_eye_test_date",
            "next_clinical_due_date",
            "clinical_notes",
            "external_id",
            "extended",
            "opted_out",
            "opted_out_at",
            "created_at",
            "updated_at",
        ]


class Pagination(LimitOffsetPagination):
    default_limit = 100
    max_limit = 500


class StockPatients(viewsets.ModelViewSet):
    queryset = Patient.objects.order_by("next_clinical_due_date", "id")
    serializer_class = PatientSerializer
    pagination_class = Pagination
    renderer_classes = [JSONRenderer]


class KeyOnly(ApiView):
    """Our key check and shared count, and nothing else."""

    def get(self, request: ApiRequest) -> HttpResponse:
        return render.answer({"ok": True})


class Slow(ApiView):
    """A recall that waits for the carrier as long as it may."""

    def get(self, request: ApiRequest) -> HttpResponse:
        time.sleep(10)
        return render.answer({"ok": True})


router = routers.SimpleRouter(trailing_slash=False)
router.register("patients", StockPatients)

urlpatterns = [
    path("hello", hello),
    path("stock/", include(router.urls)),
    path("api/bench/key", KeyOnly.as_view()),
    path("api/bench/slow", Slow.as_view()),
    *urls.urlpatterns,
]
