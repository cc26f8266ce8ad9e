"""Serializer fields of the API. Bodies are strict: a string is a JSON string, a boolean `true` or
`false`. Query strings, which know only text, are read by `query_*`.
"""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.http import QueryDict
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from sightsync.lib import ids
from sightsync.lib.api import body, render
from sightsync.lib.api.errors import InvalidFields

MAX_EXTENDED_BYTES = 16 * 1024
EARLIEST_YEAR = 1900


class Text(serializers.CharField):
    """A JSON string; numbers and booleans are not turned into text. Its length is limited as it was
    sent, blanks around it included, which is what the document says.
    """

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        try:
            data.encode()
        except UnicodeEncodeError:
            self.fail("invalid")
        return str(super().to_internal_value(data))


class Choice(serializers.ChoiceField):
    """One of the given words, as a JSON string."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=type(data).__name__)
        return super().to_internal_value(data)


class Bool(serializers.BooleanField):
    """`true` or `false`; not "yes", not 1."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Int(serializers.IntegerField):
    """A whole number. JSON knows one kind of number, so 30.0 is 30."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, (int, float)) or data != int(data):
            self.fail("invalid")
        return int(data)


class Date(serializers.DateField):
    """YYYY-MM-DD and nothing else, from 1900 on."""

    default_error_messages = {"invalid": "Use a date such as 2026-03-11."}

    def to_internal_value(self, value: Any) -> date:
        found = _date(value)
        if found is None:
            self.fail("invalid", format="YYYY-MM-DD")
        return found


class Time(serializers.DateTimeField):
    """An ISO 8601 instant with any offset in; UTC with `Z` out."""

    default_error_messages = {"invalid": "Use an instant such as 2026-03-11T09:00:00Z."}

    def to_internal_value(self, value: Any) -> datetime:
        found = _instant(value)
        if found is None:
            self.fail("invalid", format="")
        return found

    def to_representation(self, value: Any) -> str:
        return render.instant(value) or ""


class PublicId(serializers.CharField):
    """`pat_` and a ULID in any case, or the bare UUID, in; a UUID to the view; prefix and ULID out.

    A text that is no such id is refused as a wrong field, 400; that nothing has the id is for the
    view to say.
    """

    default_error_messages = {"bad_id": "This is not an id: it looks like {prefix}_01HXYZ…"}

    def __init__(self, prefix: str, **kwargs: Any) -> None:
        self.prefix = prefix
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> UUID:  # type: ignore[override]  # an id is no text
        if isinstance(data, str):
            try:
                return ids.decode(self.prefix, data)
            except ids.BadId:
                pass
        self.fail("bad_id", prefix=self.prefix)

    def to_representation(self, value: Any) -> str:
        return ids.encode(self.prefix, value)


@extend_schema_field({"type": "object", "additionalProperties": True})
class Extended(serializers.Field):  # type: ignore[type-arg]
    """The caller's own data: a JSON object of at most 16 KiB."""

    default_error_messages = {
        "invalid": "This must be a JSON object.",
        "too_large": "This must be at most 16 KiB of JSON.",
    }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("invalid")
        body.check(data)
        if len(render.dump(data)) > MAX_EXTENDED_BYTES:
            self.fail("too_large")
        return data

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        return value


# --- query strings ------------------------------------------------------------------------------
# A filter that is named and left blank is refused: whoever sends `risk_category=` meant to filter,
# and would take the whole list for the filtered one.

_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no")


def query_bool(query: QueryDict, name: str, default: bool = False) -> bool:
    """Raises InvalidFields."""
    text = query.get(name)
    if text is None:
        return default
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise InvalidFields({name: ["Use true or false."]})


def query_date(query: QueryDict, name: str) -> date | None:
    """Raises InvalidFields."""
    text = query.get(name)
    if text is None:
        return None
    found = _date(text)
    if found is None:
        raise InvalidFields({name: ["Use a date such as 2026-03-11."]})
    return found


def query_time(query: QueryDict, name: str) -> datetime | None:
    """Raises InvalidFields."""
    text = query.get(name)
    if text is None:
        return None
    found = _instant(text.replace(" ", "+"))  # an unescaped + arrives as a blank
    if found is None:
        raise InvalidFields({name: ["Use an instant such as 2026-03-11T09:00:00Z."]})
    return found


def query_choice(query: QueryDict, name: str, choices: "list[str] | tuple[str, ...]") -> str:
    """One of `choices`, or blank when not asked. Raises InvalidFields."""
    text = query.get(name)
    if text is None:
        return ""
    if text not in choices:
        raise InvalidFields({name: [f"Use one of {', '.join(choices)}."]})
    return text


def query_id(query: QueryDict, name: str, prefix: str) -> UUID | None:
    """Raises InvalidFields."""
    text = query.get(name)
    if text is None:
        return None
    try:
        return ids.decode(prefix, text)
    except ids.BadId as error:
        raise InvalidFields({name: [f"This is not an id: it looks like {prefix}_01HXYZ…"]}) from (
            error
        )


def _date(value: object) -> date | None:
    if not isinstance(value, str) or len(value) != 10 or not value.isascii():
        return None
    try:
        found = date.fromisoformat(value)
    except ValueError:
        return None
    return found if found.year >= EARLIEST_YEAR and value[4] == value[7] == "-" else None


def _instant(value: object) -> datetime | None:
    if not isinstance(value, str) or len(value) > 40 or not value.isascii():
        return None
    try:
        found = parse_datetime(value)
        if found is None or found.tzinfo is None:
            return None
        found = found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if found.year >= EARLIEST_YEAR else None
