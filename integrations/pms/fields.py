"""Reads records that somebody else's software sends: by a field map, and believing no type. Pure.

A field map says for each of our fields which of theirs is read; `a.b` is `b` inside `a`, and
several, with commas between, are taken in turn until one holds something.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
OURS: Mapping[str, str] = {
    "first_name": "First name",
    "last_name": "Last name",
    "title": "Title",
    "date_of_birth": "Date of birth",
    "phone_number": "Phone number",
    "email": "Email address",
    "nhs_number": "NHS number",
    "last_eye_test_date": "Last eye examination",
    "pms_recall_date": "Recall date",
    "risk_category": "Risk category",
}
"""The fields that can be mapped: those of an import."""
DATES = frozenset({"date_of_birth", "last_eye_test_date", "pms_recall_date"})
LONGEST_ID = 64
LONGEST_VALUE = 500
LONGEST_PATH = 200

_NAME = r"[A-Za-z0-9_\-]+(?:\.[A-Za-z0-9_\-]+)*"
_PATHS = re.compile(rf"{_NAME}(?: ?, ?{_NAME}){{0,4}}")
_MOBILE = re.compile(r"(?:\+44|0044|44|0)7[0-9]{9}")
_BLANKS = str.maketrans("", "", " -()")


class UnreadableError(ValueError):
    """The record, or a part of it, is not what the wire format says."""


def is_path(text: str) -> bool:
    """Whether the text may stand in a field map."""
    return len(text) <= LONGEST_PATH and _PATHS.fullmatch(text) is not None


def merged(default: Mapping[str, str], chosen: Any) -> dict[str, str]:
    """The folder's map with what the practice chose instead; what is no path counts for nothing."""
    found = dict(default)
    if isinstance(chosen, Mapping):
        for name, path in chosen.items():
            if name in OURS and isinstance(path, str) and is_path(path):
                found[name] = path
    return found


def at(record: Mapping[str, Any], path: str) -> Any:
    """What is at `a.b`, None when there is nothing."""
    found: Any = record
    for step in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(step)
    return found


def text(value: Any) -> str:
    """A single value as text. Raises UnreadableError for a list or an object."""
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, str | int | float):
        return str(value).replace("\0", "").strip()[:LONGEST_VALUE]
    raise UnreadableError


def ident(value: Any) -> str:
    """An id as text. Raises UnreadableError when there is none, or one that cannot be kept."""
    if isinstance(value, bool | float) or not isinstance(value, str | int):
        raise UnreadableError
    found = str(value).replace("\0", "").strip()
    if not 0 < len(found) <= LONGEST_ID:
        raise UnreadableError
    return found


def values(
    record: Mapping[str, Any], field_map: Mapping[str, str], iso: Callable[[str], str]
) -> dict[str, str]:
    """Our fields as texts; `iso` spells the system's dates as YYYY-MM-DD, and leaves what it
    cannot read for the check of the import to name. Raises UnreadableError.
    """
    found = {}
    for name, paths in field_map.items():
        texts = [text(at(record, path.strip())) for path in paths.split(",")]
        given = [each for each in texts if each]
        if name == "phone_number":
            found[name] = _phone(given)
        elif name in DATES:
            found[name] = iso(given[0]) if given else ""
        else:
            found[name] = given[0] if given else ""
    return found


def _phone(numbers: Sequence[str]) -> str:
    """The mobile if there is one, else all of them for the import's own rule."""
    for number in numbers:
        if _MOBILE.fullmatch(number.translate(_BLANKS)):
            return number
    return " / ".join(numbers)


def records(page: Any, key: str) -> list[Mapping[str, Any]]:
    """The list under `key`. Raises UnreadableError: a page that is none must not pass for an empty
    one, or everybody would seem to be gone.
    """
    found = page.get(key) if isinstance(page, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(each, Mapping) for each in found):
        raise UnreadableError
    return found


def count(page: Any, key: str) -> int:
    """A number that is not negative. Raises UnreadableError."""
    found = page.get(key) if isinstance(page, Mapping) else None
    if isinstance(found, bool) or not isinstance(found, int) or found < 0:
        raise UnreadableError
    return found


def instant(value: Any) -> datetime:
    """An ISO 8601 moment with its offset. Raises UnreadableError."""
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise UnreadableError from error
    if found.tzinfo is None:
        raise UnreadableError
    return sane(found.astimezone(UTC))


def wall(value: Any, spelling: str) -> datetime:
    """A moment in London's wall time; the first of the two in the hour that comes twice. Raises
    UnreadableError.
    """
    try:
        found = datetime.strptime(value, spelling)
    except (TypeError, ValueError) as error:
        raise UnreadableError from error
    return sane(found.replace(tzinfo=LONDON).astimezone(UTC))


def epoch(value: Any) -> datetime:
    """Seconds since 1970. Raises UnreadableError."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnreadableError
    try:
        return sane(datetime.fromtimestamp(value, UTC))
    except (ValueError, OverflowError, OSError) as error:
        raise UnreadableError from error


def sane(moment: datetime) -> datetime:
    """Raises UnreadableError outside the years 1970 to 2099."""
    if not 1970 <= moment.year <= 2099:
        raise UnreadableError
    return moment


def minutes(value: Any) -> timedelta:
    """A length of 1 minute to a day. Raises UnreadableError."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 24 * 60:
        raise UnreadableError
    return timedelta(minutes=value)


def spelt(raw: str, spelling: str) -> str:
    """A day spelt by a strptime pattern as YYYY-MM-DD; as it came when it is none."""
    try:
        found: date = datetime.strptime(raw, spelling).date()
    except ValueError:
        return raw
    return found.isoformat()
