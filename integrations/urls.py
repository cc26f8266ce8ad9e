"""Routes of the sandbox's controls, of the integrations and of the developer's pages."""

from django.urls import include, path

from integrations import overview, views

urlpatterns = [
    path("sandbox-clock", views.sandbox_clock_forward, name="sandbox-clock-forward"),
    path("settings/integrations", overview.index, name="integrations"),
    path("", include("integrations.google_calendar.urls")),
    path("", include("integrations.microsoft_bookings.urls")),
    path("", include("integrations.numbers.urls")),
    path("", include("integrations.webhooks.urls")),
]
