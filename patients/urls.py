"""Routes of the patients' records."""

from django.urls import path

from patients import views

app_name = "patients"
urlpatterns = [
    path("patients", views.show_list, name="list"),
    path("patients/<str:patient_id>/contact", views.correct_contact, name="contact"),
    path("patients/<str:patient_id>/not-deceased", views.not_deceased, name="not-deceased"),
    path("patients/<str:patient_id>/take-up", views.take_up, name="take-up"),
]
