"""Tells webhooks what a whole patient looks like."""

from django.apps import AppConfig


class PatientsConfig(AppConfig):
    name = "patients"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from integrations.webhooks import events  # needs the models, which are ready now
        from patients import full_objects

        events.register("patient", full_objects.patient)
