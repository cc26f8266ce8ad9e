"""Routes of Settings, Calendar & PMS. A kind of system is no id: each has addresses of its own."""

from django.urls import path

from integrations.models import PMS_KINDS
from patients.pms_pages import changing, views

app_name = "pms"
_HOME = "settings/calendar-pms"
urlpatterns = [
    path(_HOME, views.index, name="index"),
    *(
        path(f"{_HOME}/connect/{kind}", changing.connect, {"kind": kind}, name=f"connect-{kind}")
        for kind in PMS_KINDS
    ),
    path(f"{_HOME}/test", changing.test, name="test"),
    path(f"{_HOME}/diaries", changing.diaries, name="diaries"),
    path(f"{_HOME}/diaries/load", changing.load_diaries, name="load-diaries"),
    path(f"{_HOME}/sync", views.sync, name="sync"),
    path(f"{_HOME}/gone", views.gone, name="gone"),
    path(f"{_HOME}/disconnect", changing.disconnect, name="disconnect"),
]
