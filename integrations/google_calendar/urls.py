"""Routes of Settings, Integrations, Google Calendar."""

from django.urls import path

from integrations.google_calendar import views

app_name = "google"
_HOME = "settings/integrations/google"
urlpatterns = [
    path(_HOME, views.show, name="show"),
    path(f"{_HOME}/connect", views.connect, name="connect"),
    path(f"{_HOME}/callback", views.callback, name="callback"),
    path(f"{_HOME}/calendar", views.calendar, name="calendar"),
    path(f"{_HOME}/calendars", views.reload, name="reload"),
    path(f"{_HOME}/risk", views.risk, name="risk"),
    path(f"{_HOME}/test", views.test, name="test"),
    path(f"{_HOME}/disconnect", views.disconnect, name="disconnect"),
]
