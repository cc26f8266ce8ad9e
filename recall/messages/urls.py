"""Where the carrier delivers patients' replies."""

from django.urls import path

from recall.messages import views

urlpatterns = [
    path("hooks/twilio/inbound/message", views.inbound_message, name="inbound_message"),
]
