"""JSON in: what is refused before any endpoint looks at it.

A body is one JSON object of at most 1 MiB and 32 levels, of `application/json`, without NUL
characters, lone surrogates or numbers that no field could hold.
"""

import math
from collections.abc import Iterable
from typing import Any

import orjson
from django.http import HttpRequest
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import BaseParser

from sightsync.lib.errors import AppError

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
_LARGEST = 2**63


def raw(request: HttpRequest) -> bytes:
    """The body's bytes. Raises AppError 413, 411 or 400."""
    if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        raise AppError("length_required", "Send a Content-Length with the body.", 411)
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError as error:
        raise AppError("bad_length", "Content-Length is not a number.") from error
    if length > MAX_BYTES:
        raise AppError("body_too_large", "The body is over 1 MiB.", 413)
    return request.body if length > 0 else b""


def parse(content: bytes) -> dict[str, Any]:
    """The object in `content`. Raises AppError 400."""
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise AppError("malformed_json", "The body is not valid JSON.") from error
    if not isinstance(found, dict):
        raise AppError("not_an_object", "The body must be a JSON object.")
    check(found)
    return found


def check(value: object) -> None:
    """Refuses what is JSON but can be stored nowhere. Raises AppError 400."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        for item in level:
            _check_one(item)
        level = [inner for item in level for inner in _inside(item)]
        if not level:
            return
    raise AppError("too_deep", f"The body is nested more than {MAX_DEPTH} levels deep.")


def _inside(item: Any) -> Iterable[Any]:
    if isinstance(item, dict):
        return [*item, *item.values()]
    return item if isinstance(item, list) else ()


def _check_one(item: object) -> None:
    if isinstance(item, str):
        if "\0" in item:
            raise AppError("bad_text", "The body holds a NUL character.")
    elif (
        isinstance(item, (int, float))
        and not isinstance(item, bool)
        and (not math.isfinite(item) or abs(item) >= _LARGEST)
    ):
        raise AppError("bad_number", "The body holds a number that is too large.")


class JsonParser(BaseParser):
    media_type = "application/json"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Any = None
    ) -> dict[str, Any]:
        charset = (media_type or "").lower().partition("charset=")[2].strip(' "')
        if charset and charset.split(";")[0].strip(' "') not in ("utf-8", "utf8"):
            raise UnsupportedMediaType(media_type or "")
        return parse(stream.read())
