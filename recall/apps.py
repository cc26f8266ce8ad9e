"""Tells webhooks what a whole call, appointment and campaign look like."""

from django.apps import AppConfig


class RecallConfig(AppConfig):
    name = "recall"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from integrations.webhooks import events  # needs the models, which are ready now
        from recall import full_objects

        events.register("attempt", full_objects.call)
        events.register("appointment", full_objects.appointment)
        events.register("campaign", full_objects.campaign)
