"""All routes."""

from django.contrib import admin
from django.urls import include, path

from sightsync import views

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("developer/reference", views.api_reference, name="api-reference"),
    path("accounts/", include("allauth.urls")),
    path("operator/", admin.site.urls),
    path("api/", include("sightsync.api")),
    path("", include("practices.urls")),
    path("", include("gdpr.urls")),
    path("", include("integrations.urls")),
    path("", include("patients.import_pages.urls")),
    path("", include("patients.urls")),
    path("", include("patients.pms_pages.urls")),
    path("", include("recall.urls")),
    path("", include("recall.booking.urls")),
    path("", include("recall.attempts.urls")),
    path("", include("recall.messages.urls")),
    path("", include("recall.voice.urls")),
]
