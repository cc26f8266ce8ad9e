"""Routes of the public API, all under /api/v1 and without a slash at the end."""

from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from practices.api import UsageView
from practices.api_access import NothingHere
from recall.selectors import daily_calls
from sightsync.lib.api.schema import OpenApiView

v1: list[URLPattern | URLResolver] = [
    path("openapi.json", OpenApiView.as_view()),
    path("docs", RedirectView.as_view(url="/developer/reference")),
    path("usage", UsageView.as_view(daily=daily_calls.daily)),
    path("", include("integrations.webhooks.api")),
    path("", include("patients.api")),
    path("", include("recall.api.eligibility")),
    path("", include("gdpr.api")),
    path("", include("recall.api")),
]
"""Each app's `urlpatterns` are included here."""

urlpatterns = [
    path("v1/", include(v1)),
    re_path(r"^[\s\S]*$", NothingHere.as_view()),
]
