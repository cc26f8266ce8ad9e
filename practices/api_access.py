"""Who may ask what of the public API: the base of every endpoint.

The order is the contract's: 401 key, 429 rate, 405, 403 scope, 402 subscription, 400 body; what
follows is the endpoint's own.
"""

import math
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Empty, Request
from rest_framework.response import Response
from rest_framework.views import APIView

from practices import api_keys, idempotency, key_check
from practices.journal import Actor
from practices.models import ApiKey, Practice, SubscriptionStatus
from sightsync.lib import clock
from sightsync.lib.api import body, errors, render
from sightsync.lib.errors import AppError

PAID = frozenset({SubscriptionStatus.TRIALING, SubscriptionStatus.ACTIVE})
_SCHEME = "bearer "
_NOTE_USE_EVERY = timedelta(minutes=1)


class ApiRequest(Request):
    """A request that `ApiView` has let through.

    DRF's own refers to itself, so that it and all that it holds would stay until the garbage
    collector comes by. This one does not, and keeps at hand what every request is asked for.
    """

    practice: Practice
    api_key: ApiKey

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self.method, self.META = request.method, request.META
        self.parsers, self.authenticators, self.negotiator = _PARSERS, (), _NEGOTIATOR
        self.parser_context: dict[str, Any] = {}
        self._data = self._files = self._full_data = Empty
        self._content_type = self._stream = Empty  # type: ignore[assignment]  # as DRF does


class ApiView(APIView):
    """Set `scopes` where a method needs another scope than usual, and `works_unpaid` for the
    methods that keep working when the subscription has ended.

    Handlers find `request.practice`, `request.api_key`, `request.data` (a checked JSON object) and
    `self.actor`; they return `render.answer(...)` and raise AppError, InvalidFields or Http404.
    """

    scopes: ClassVar[Mapping[str, str]] = {}
    works_unpaid: ClassVar[frozenset[str]] = frozenset()
    request: ApiRequest

    _USUAL_SCOPES: ClassVar[Mapping[str, str]] = {
        "GET": "read",
        "HEAD": "read",
        "POST": "write",
        "PATCH": "write",
        "PUT": "write",
        "DELETE": "write",
    }

    @property
    def actor(self) -> Actor:
        return Actor("api_key", str(self.request.api_key.pk))

    @classmethod
    def scope_of(cls, method: str) -> str:
        """The scope that `method` needs; a HEAD what the GET needs."""
        asked = "GET" if method == "HEAD" else method
        return cls.scopes.get(asked, cls._USUAL_SCOPES.get(asked, ""))

    @property
    def allowed_methods(self) -> list[str]:
        return _methods(type(self))  # type: ignore[arg-type]  # a class can be hashed

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> ApiRequest:
        return ApiRequest(request)

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """In place of Django's, which binds `head` to the view and so makes a circle."""
        self.request, self.args, self.kwargs = self.initialize_request(request), args, kwargs

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """In place of DRF's: no negotiation (there is JSON only), and our order of checks."""
        self.headers: dict[str, str] = {}
        response: HttpResponse
        try:
            self._check(self.request)
            response = idempotency.once(
                request=self.request, api_key=self.request.api_key, work=self._handle
            )
        except Exception as error:
            response = self._failed(error)
        for name, value in self.headers.items():
            response.headers.setdefault(name, value)
        return response

    def _handle(self) -> HttpResponse:
        """The endpoint's answer, whatever becomes of it."""
        method = str(self.request.method)
        name = "get" if method == "HEAD" else method.lower()
        try:
            given = getattr(self, name)(self.request, *self.args, **self.kwargs)
        except Exception as error:
            return self._failed(error)
        if isinstance(given, Response):
            response = render.answer(given.data, given.status_code)
            for name, value in given.items():
                if name != "Content-Type":
                    response[name] = value
            return response
        assert isinstance(given, HttpResponse)
        return given

    def _failed(self, error: Exception) -> HttpResponse:
        return errors.handle(error) or errors.crash(self.request._request, error)

    def _check(self, request: ApiRequest) -> None:
        self._identify(request)
        method = str(request.method)
        if method not in self.allowed_methods:
            raise _method_not_allowed(self.allowed_methods)
        if method == "OPTIONS":
            return
        scope = self.scope_of(method)
        if scope not in request.api_key.scopes:
            raise AppError(
                "missing_scope", f"This key does not have the scope {scope}.", 403, scope=scope
            )
        paid = request.practice.subscription_status in PAID
        if not paid and ("GET" if method == "HEAD" else method) not in self.works_unpaid:
            raise AppError(
                "subscription_inactive",
                "The practice's subscription is not active: settle it to go on.",
                402,
            )
        if "%00" in request.META.get("QUERY_STRING", ""):
            raise AppError("bad_text", "The query string holds a NUL character.")
        if method in ("POST", "PATCH", "PUT"):
            body.raw(request._request)
            _ = request.data  # parsed now, so that a bad body is refused before anything else

    def _identify(self, request: ApiRequest) -> None:
        plain = bearer(request.META.get("HTTP_AUTHORIZATION", ""))
        in_address = "nvc_" in request.META.get("QUERY_STRING", "")
        found = key_check.check(plain) if plain and not in_address else None
        if found is None or not plain.startswith(api_keys.PREFIXES[found.practice.mode]):
            raise _unauthorised()
        request.api_key, request.practice = found.key, found.practice
        left = max(0, key_check.LIMIT - found.hits)
        wait = max(1, math.ceil(found.reset_s))
        self.headers = rate_headers(left, wait)
        if found.hits > key_check.LIMIT:
            raise AppError(
                "rate_limited",
                f"More than {key_check.LIMIT} requests in a minute: wait {wait} s.",
                429,
                reset=render.instant(clock.real_now() + timedelta(seconds=wait)),
                headers={"Retry-After": str(wait)},
            )
        last = found.key.last_used_at
        if last is None or not timedelta(0) <= clock.now() - last < _NOTE_USE_EVERY:
            api_keys.note_use(found.key)

    def options(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """Which methods there are; nothing about the practice."""
        return HttpResponse(status=204, headers={"Allow": ", ".join(self.allowed_methods)})


_PARSERS = [body.JsonParser()]
_NEGOTIATOR = DefaultContentNegotiation()


@cache
def _methods(view: type[ApiView]) -> list[str]:
    """The methods that it answers; HEAD wherever there is a GET."""
    made = [name for name in view.http_method_names if hasattr(view, name)]
    if hasattr(view, "get") and "head" not in made:
        made.insert(made.index("options"), "head")
    return [name.upper() for name in made]


class NothingHere(ApiView):
    """Every other path under /api/: the same 404 as for a row that does not exist."""

    schema = None
    works_unpaid = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE"})

    def _check(self, request: ApiRequest) -> None:
        self._identify(request)

    def _handle(self) -> HttpResponse:
        raise AppError("not_found", errors.NOT_FOUND, 404)


def bearer(header: str) -> str:
    """The key in an Authorization header; blank when there is none."""
    return header[len(_SCHEME) :].strip() if header.lower().startswith(_SCHEME) else ""


def rate_headers(left: int = key_check.LIMIT, reset_s: int = key_check.WINDOW_S) -> dict[str, str]:
    return {
        "RateLimit-Limit": str(key_check.LIMIT),
        "RateLimit-Remaining": str(left),
        "RateLimit-Reset": str(reset_s),
    }


def _unauthorised() -> AppError:
    return AppError(
        "unauthorised",
        "A valid API key is needed, in the header `Authorization: Bearer nvc_...`.",
        401,
        headers={"WWW-Authenticate": 'Bearer realm="SightSync API"'},
    )


def _method_not_allowed(allowed: list[str]) -> AppError:
    return AppError(
        "method_not_allowed",
        "This path does not take that method.",
        405,
        headers={"Allow": ", ".join(allowed)},
    )
