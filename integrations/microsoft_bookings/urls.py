"""Routes of Settings, Calendar & PMS, Microsoft Bookings."""

from django.urls import path

from integrations.microsoft_bookings import views

app_name = "microsoft"
_HOME = "settings/calendar-pms/microsoft"
urlpatterns = [
    path(_HOME, views.show, name="show"),
    path(f"{_HOME}/connect", views.connect, name="connect"),
    path(f"{_HOME}/callback", views.callback, name="callback"),
    path(f"{_HOME}/choose", views.choose, name="choose"),
    path(f"{_HOME}/test", views.test, name="test"),
    path(f"{_HOME}/disconnect", views.disconnect, name="disconnect"),
]
