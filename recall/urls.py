"""Routes of the staff pages. Patients' pages and the carrier's callbacks have their own."""

from django.urls import path

from recall.views import (
    appointments,
    calls,
    campaigns,
    channels,
    messages,
    patients,
    stop,
    today,
    usage,
)

app_name = "recall"
urlpatterns = [
    path("", today.show, name="today"),
    path("today/live", today.live, name="today-live"),
    path("tasks/<str:task_id>/done", today.finish_task, name="finish-task"),
    path("patients/<str:patient_id>", patients.show, name="patient"),
    path("patients/<str:patient_id>/call", patients.call, name="call-patient"),
    path("patients/<str:patient_id>/close", patients.close, name="close-patient"),
    path("patients/<str:patient_id>/opt-out", patients.ask_opt_out, name="ask-opt-out"),
    path("patients/<str:patient_id>/opt-out/record", patients.record_opt_out, name="opt-out"),
    path("patients/<str:patient_id>/opt-out/withdraw", patients.withdraw_opt_out, name="opt-in"),
    path("recall", campaigns.index, name="campaigns"),
    path("recall/new", campaigns.choose, name="new"),
    path("recall/new/preview.csv", campaigns.download, name="download-preview"),
    path("recall/start", campaigns.start, name="start"),
    path("recall/<str:campaign_id>", campaigns.show, name="campaign"),
    path("recall/<str:campaign_id>/live", campaigns.progress, name="campaign-live"),
    path("recall/<str:campaign_id>/pause", campaigns.pause, name="pause-campaign"),
    path("recall/<str:campaign_id>/resume", campaigns.resume, name="resume-campaign"),
    path("recall/<str:campaign_id>/stop", campaigns.ask_stop, name="ask-stop-campaign"),
    path("recall/<str:campaign_id>/stop/now", campaigns.stop, name="stop-campaign"),
    path("calls", calls.index, name="calls"),
    path("calls/<str:call_id>", calls.show, name="call"),
    path("calls/<str:call_id>/recording", calls.recording, name="recording"),
    path("messages", messages.index, name="messages"),
    path("appointments", appointments.index, name="appointments"),
    path("appointments/book", appointments.book, name="book"),
    path("appointments/<str:appointment_id>", appointments.show, name="appointment"),
    path("appointments/<str:appointment_id>/move", appointments.move, name="move-appointment"),
    path(
        "appointments/<str:appointment_id>/cancel", appointments.cancel, name="cancel-appointment"
    ),
    path("appointments/<str:appointment_id>/mark", appointments.mark, name="mark-appointment"),
    path(
        "appointments/<str:appointment_id>/write-again",
        appointments.write_again,
        name="write-again",
    ),
    path("settings/integrations/whatsapp", channels.whatsapp, name="whatsapp"),
    path("settings/integrations/email", channels.email, name="email"),
    path("settings/integrations/sms", channels.sms, name="sms"),
    *(
        path(
            f"settings/integrations/{channel}/{what}",
            view,
            {"channel": channel},
            name=f"{what}-{channel}",
        )
        for channel in ("whatsapp", "email")
        for what, view in (("preview", channels.preview), ("test", channels.send_test))
    ),
    path("settings/usage", usage.show, name="usage"),
    path("stop", stop.stop, name="stop"),
    path("stop/resume", stop.resume, name="resume"),
]
