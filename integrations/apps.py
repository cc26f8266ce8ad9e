"""In sandbox mode the product's clock is the pretend one."""

from django.apps import AppConfig
from django.conf import settings


class IntegrationsConfig(AppConfig):
    name = "integrations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        if not settings.LIVE:
            from integrations import pretend_clock  # needs the app registry, which is ready now
            from sightsync.lib import clock

            clock.use(pretend_clock.now)
