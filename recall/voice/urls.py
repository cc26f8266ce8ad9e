"""Where Twilio asks what to say on a call."""

from django.urls import path

from recall.voice import views

urlpatterns = [
    path("hooks/twilio/voice/<str:attempt_id>", views.start, name="voice_start"),
    path("hooks/twilio/voice/<str:attempt_id>/turn", views.turn, name="voice_turn"),
    path("hooks/twilio/voice/<str:attempt_id>/amd", views.machine, name="voice_machine"),
    path("hooks/twilio/inbound/voice", views.inbound, name="voice_inbound"),
]
