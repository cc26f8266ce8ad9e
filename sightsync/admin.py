"""The operators' admin site: staff with a second factor only, at /operator/."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse


class OperatorSite(admin.AdminSite):
    site_header = "SightSync operators"
    site_title = "SightSync operators"
    index_title = "Everything, practice by practice"
    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        """A live installation asks operators for a second factor; the sandbox does not."""
        if not super().has_permission(request):
            return False
        return not settings.LIVE or is_mfa_enabled(request.user)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Through the ordinary sign-in: Django's own form would not ask for the second factor."""
        answer: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return answer
