"""The OpenAPI document: what drf-spectacular cannot know of this API, and pieces for annotations.

`COMPONENTS` holds what all operations share; a view's own answers are in its `extend_schema`.
"""

from functools import cache
from typing import Any, Literal

import orjson
from django.http import HttpRequest, HttpResponse
from django.views import View
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    PolymorphicProxySerializer,
    inline_serializer,
)
from rest_framework import serializers

from sightsync.lib.api.components import ERRORS, RATE_HEADERS
from sightsync.lib.api.render import JSON

_ULID = "[0-7][0-9A-HJKMNP-TV-Z]{25}"
_UUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_ALWAYS = ("400", "401", "403", "429", "500", "503")
_WITH_BODY = ("413", "415")


class Schema(AutoSchema):
    """Adds to every operation the errors, headers and scope that come with `ApiView`."""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is None or not hasattr(self.view, "scope_of"):
            return operation
        scope = self.view.scope_of(self.method)
        text = operation.get("description", "")
        operation["description"] = f"{text}\n\nScope: `{scope}`.".strip()
        operation["x-scope"] = scope
        if self.method == "POST":
            key = {"$ref": "#/components/parameters/IdempotencyKey"}
            operation.setdefault("parameters", []).append(key)
        answers = operation["responses"]
        for answer in answers.values():
            answer.setdefault(
                "headers", {name: {"$ref": f"#/components/headers/{name}"} for name in RATE_HEADERS}
            )
        for status in self._errors(operation):
            answers.setdefault(status, {"$ref": f"#/components/responses/{ERRORS[status][0]}"})
        operation["responses"] = dict(sorted(answers.items()))
        return operation

    def _errors(self, operation: dict[str, Any]) -> list[str]:
        found = list(_ALWAYS)
        if self.method not in getattr(self.view, "works_unpaid", ()):
            found.append("402")
        if "{" in self.path:
            found.append("404")
        if "requestBody" in operation:
            found += _WITH_BODY
        if self.method == "POST":
            found += ["409", "422"]
        return found


class _PublicIdSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Out: prefix and ULID. In: that in any case, or the bare UUID."""

    target_class = "sightsync.lib.api.fields.PublicId"

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        return _id(self.target.prefix, incoming=direction == "request")


def _id(prefix: str, *, incoming: bool) -> dict[str, Any]:
    out = f"{prefix}_{_ULID}"
    if not incoming:
        return {"type": "string", "pattern": f"^{out}$"}
    return {"type": "string", "pattern": f"^({out}|{_UUID})$"}


def id_parameter(
    name: str,
    prefix: str,
    description: str,
    location: Literal["path", "query"] = "path",
) -> OpenApiParameter:
    """An id in the path (or, with `location`, in the query string)."""
    return OpenApiParameter(
        name,
        _id(prefix, incoming=True),
        location,
        required=location == "path",
        description=description,
    )


def paging(default: int, maximum: int) -> list[OpenApiParameter]:
    """`limit` and `offset`, or `size` and `start`."""
    count = {"type": "integer", "minimum": 1, "maximum": maximum, "default": default}
    offset = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1, "default": 0}
    start = {"type": "integer", "minimum": 1, "maximum": 2**31 - 1, "default": 1}
    told = "Not together with limit and offset; changes the answer's envelope to `data`."
    return [
        OpenApiParameter("limit", count, description="How many to return."),
        OpenApiParameter("offset", offset, description="How many to leave out first."),
        OpenApiParameter("size", count, description=f"How many to return. {told}"),
        OpenApiParameter("start", start, description=f"The first to return, from 1. {told}"),
    ]


def text_parameter(name: str, description: str, **schema: Any) -> OpenApiParameter:
    """A parameter of the query string; `schema` is JSON Schema beside `type: string`."""
    return OpenApiParameter(name, {"type": "string", **schema}, description=description)


def date_parameter(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.DATE, description=description)


def bool_parameter(name: str, description: str, default: bool = False) -> OpenApiParameter:
    schema = {"type": "boolean", "default": default}
    return OpenApiParameter(name, schema, description=description)


class _Pagination(serializers.Serializer[Any]):
    start = serializers.IntegerField(min_value=1)
    requested_size = serializers.IntegerField(min_value=1)
    returned_count = serializers.IntegerField(min_value=0)
    total = serializers.IntegerField(min_value=0)
    hasMore = serializers.BooleanField()


def listed(noun: str, name: str, item: type[serializers.Serializer[Any]]) -> Any:
    """Both envelopes of a list: `listed("Patient", "patients", PatientSerializer)`."""
    by_limit = inline_serializer(
        f"{noun}Page",
        {
            name: item(many=True),
            "total": serializers.IntegerField(min_value=0),
            "limit": serializers.IntegerField(min_value=1),
            "offset": serializers.IntegerField(min_value=0),
        },
    )
    by_size = inline_serializer(
        f"{noun}Slice", {"data": item(many=True), "pagination": _Pagination()}
    )
    return PolymorphicProxySerializer(
        component_name=f"{noun}List",
        serializers=[by_limit, by_size],
        resource_type_field_name=None,
        many=False,
    )


@cache
def document() -> bytes:
    """The OpenAPI 3.1 document as JSON; made once in a process."""
    made: dict[str, Any] = SchemaGenerator().get_schema(  # type: ignore[no-untyped-call]
        request=None, public=True
    )
    return orjson.dumps(made, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS) + b"\n"


class OpenApiView(View):
    """The document, for anybody."""

    def get(self, request: HttpRequest) -> HttpResponse:
        response = HttpResponse(document(), content_type=JSON)
        response["Cache-Control"] = "public, max-age=300"
        return response
