"""Where the carrier delivers patients' replies, and says what became of test messages."""

from django.urls import path

from recall.messages import views

urlpatterns = [
    path("hooks/twilio/inbound/message", views.inbound_message, name="inbound_message"),
    path("hooks/twilio/test/<str:test_id>/status", views.test_status, name="test-status"),
]
