"""Routes of Data protection."""

from django.urls import path

from gdpr import views

app_name = "gdpr"
_PATIENT = "data-protection/patients/<str:patient_id>"
urlpatterns = [
    path("data-protection", views.index, name="requests"),
    path("data-protection/new", views.choose, name="choose"),
    path(_PATIENT, views.of_patient, name="patient"),
    path(f"{_PATIENT}/export", views.export, name="export"),
    path(f"{_PATIENT}/erase", views.erase, name="erase"),
    path("data-protection/<str:request_id>", views.show, name="show"),
    path("data-protection/<str:request_id>/download", views.download, name="download"),
]
