"""Every error answer of the API: `{"error": "<sentence>", "code": "<machine code>"}`, with
`errors: {field: [...]}` for validation and the documented extra keys. Never HTML, never internals.
"""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from rest_framework import exceptions

from sightsync.lib.api.render import answer
from sightsync.lib.errors import AppError, ProviderError
from sightsync.lib.logging import request_id

_log = logging.getLogger("sightsync.api")

NOT_FOUND = "There is nothing here: check the id and the path."
BODY = "body"
"""The key in `errors` of what is wrong with the body as a whole."""
_RETRY_AFTER_S = 5


class InvalidFields(AppError):
    """One or more fields are wrong: `fields` has the sentences for each. Status 400."""

    def __init__(self, fields: Mapping[str, list[str]], code: str = "invalid") -> None:
        name, sentences = next(iter(fields.items()))
        first = sentences[0] if name == BODY else f"{name}: {sentences[0]}"
        super().__init__(code, first, 400, errors=dict(fields))


def handle(error: Exception, context: Any = None) -> HttpResponse | None:
    """DRF's EXCEPTION_HANDLER, and the API's gate's. None for a bug, which is `crash`'s."""
    if isinstance(error, AppError):
        return _app_error(error)
    if isinstance(error, exceptions.ValidationError):
        fields = dict(_flat(error.detail))
        return _app_error(InvalidFields(fields or {BODY: ["This is not valid."]}))
    if isinstance(error, (Http404, exceptions.NotFound)):
        return _answer(404, "not_found", NOT_FOUND)
    if isinstance(error, exceptions.APIException):
        return _of_drf(error)
    if isinstance(error, ProviderError):
        return _unavailable("provider_unavailable", "The provider cannot be reached.", error)
    if isinstance(error, (OperationalError, InterfaceError)):
        _log.exception("the database failed")
        return _unavailable("unavailable", "The service is not available for the moment.", None)
    return _of_django(error)


def _of_django(error: Exception) -> HttpResponse | None:
    if isinstance(error, RequestDataTooBig):
        return _answer(413, "body_too_large", "The body is over 1 MiB.")
    if isinstance(error, UnreadablePostError):
        return _answer(400, "unreadable", "The body could not be read to its end.")
    if isinstance(error, PermissionDenied):
        return _answer(403, "forbidden", "This is not allowed.")
    if isinstance(error, SuspiciousOperation):
        return _answer(400, "bad_request", "The request cannot be answered.")
    return None


def crash(request: HttpRequest, error: Exception) -> HttpResponse:
    """A bug: logged with its traceback, answered without a word about it."""
    _log.error("an API request crashed", exc_info=error)
    got_request_exception.send(sender=None, request=request)
    return answer(
        {
            "error": "Something went wrong on our side. Quote the request_id when you report it.",
            "code": "internal_error",
            "request_id": request_id.get(),
        },
        500,
    )


def _answer(status: int, code: str, message: str, **extra: Any) -> HttpResponse:
    return answer({"error": message, "code": code, **extra}, status)


def _app_error(error: AppError) -> HttpResponse:
    extra = {name: value for name, value in error.extra.items() if name != "headers"}
    response = _answer(error.status, error.code, error.message, **extra)
    for name, value in (error.extra.get("headers") or {}).items():
        response[name] = value
    return response


def _unavailable(code: str, message: str, error: ProviderError | None) -> HttpResponse:
    response = _answer(503, code, message)
    wait = error.retry_after if error and error.retry_after else _RETRY_AFTER_S
    response["Retry-After"] = str(max(1, round(wait)))
    return response


_SENTENCES: Mapping[str, tuple[str, str]] = {
    "method_not_allowed": ("method_not_allowed", "This path does not take that method."),
    "unsupported_media_type": (
        "unsupported_media_type",
        "Send the body as application/json in UTF-8.",
    ),
    "parse_error": ("malformed_json", "The body is not valid JSON."),
}


def _of_drf(error: exceptions.APIException) -> HttpResponse:
    code, sentence = _SENTENCES.get(
        str(error.default_code), (str(error.default_code), str(error.detail))
    )
    return _answer(error.status_code, code, sentence)


def _flat(detail: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """DRF's nested detail as `field.inner` and its sentences; lists by index."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            known = "" if name == "non_field_errors" else str(name)
            yield from _flat(inner, f"{path}.{known}" if path and known else path or known)
    elif isinstance(detail, list) and any(isinstance(item, (Mapping, list)) for item in detail):
        for index, inner in enumerate(detail):
            if inner:
                yield from _flat(inner, f"{path}.{index}" if path else str(index))
    else:
        sentences = [str(item) for item in detail] if isinstance(detail, list) else [str(detail)]
        if sentences:
            yield path or BODY, sentences
