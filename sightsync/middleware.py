"""A request id on every request, answer and log line; and the API's own, shorter way in."""

import logging
import re
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from practices.api_access import rate_headers
from sightsync.lib import ids
from sightsync.lib.api import errors, routes
from sightsync.lib.logging import RequestLog, request_id

_log = RequestLog("sightsync.requests")
_PROBES = ("healthz", "readyz")
_MOST_HOSTS = 100
_ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestId:
    """Takes a caller's X-Request-Id when it is harmless, else makes one; logs route and status.

    The log names the route's pattern, never the path: paths carry patients' private tokens.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        value = given if _ACCEPTABLE.fullmatch(given) else ids.encode("req", ids.new())
        token = request_id.set(value)
        started = time.perf_counter()
        try:
            response = self.get_response(request)
            response["X-Request-Id"] = value
            route = request.resolver_match.route if request.resolver_match else "-"
            quiet = route in _PROBES or (route == "-" and response.status_code < 400)
            level = logging.DEBUG if quiet else logging.INFO  # probes and static files
            _log.write(str(request.method), route, response.status_code, started, level)
            return response
        finally:
            request_id.reset(token)


class ApiGate:
    """Takes requests under /api/ straight to their view: sessions, forms and pages' policies mean
    nothing there, and cost more than most endpoints. Whatever goes wrong is answered as JSON.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._hosts: set[str] = set()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/api/"):
            return self.get_response(request)
        try:
            self._check_host(request)
            match = routes.find(request.path_info)
            request.resolver_match = match
            response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        except Exception as error:
            response = errors.handle(error) or errors.crash(request, error)
        headers = response.headers
        if "RateLimit-Limit" not in headers:
            for name, value in rate_headers().items():
                headers.setdefault(name, value)
        headers.setdefault("Cache-Control", "no-store")
        if not response.streaming and "Content-Length" not in headers:
            headers["Content-Length"] = str(len(response.content))
        return response

    def _check_host(self, request: HttpRequest) -> None:
        """Raises DisallowedHost; what has been accepted once is accepted."""
        host = request.META.get("HTTP_HOST")
        if host not in self._hosts:
            request.get_host()
            if host and len(self._hosts) < _MOST_HOSTS:
                self._hosts.add(host)
