"""Where Twilio reports what became of a call or a message."""

from django.urls import path

from recall.attempts import views

urlpatterns = [
    path("hooks/twilio/voice/<str:attempt_id>/status", views.call_status, name="call-status"),
    path(
        "hooks/twilio/message/<str:attempt_id>/status", views.message_status, name="message-status"
    ),
]
