"""Django's admin under the operators' name and door."""

from django.contrib.admin import apps


class OperatorAdminConfig(apps.AdminConfig):
    default_site = "sightsync.admin.OperatorSite"
