"""Routes of the sandbox's controls and of the developer's pages."""

from django.urls import include, path

from integrations import views

urlpatterns = [
    path("sandbox-clock", views.sandbox_clock_forward, name="sandbox-clock-forward"),
    path("", include("integrations.webhooks.urls")),
]
