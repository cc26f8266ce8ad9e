"""What Google Calendar's refusals mean. Pure: a status and a reason in, a ProviderError out.

https://developers.google.com/workspace/calendar/api/guides/errors
"""

from googleapiclient.errors import HttpError

from sightsync.lib.errors import ProviderError, ProviderKind

_BUSY = frozenset(
    {
        "rateLimitExceeded",
        "userRateLimitExceeded",
        "quotaExceeded",
        "dailyLimitExceeded",
        "calendarUsageLimitsExceeded",
    }
)
_SCOPE = frozenset({"insufficientPermissions", "insufficientScopes"})
_OURS = frozenset({"accessNotConfigured", "SERVICE_DISABLED"})

NEEDS_PERSON = frozenset({"auth", "no_calendar", "forbidden"})
"""Codes that stay until somebody of the practice does something about them."""


def reason_of(error: HttpError) -> str:
    """The reason in the answer's body, blank when there is none."""
    details = error.error_details
    first = details[0] if isinstance(details, list) and details else {}
    return str(first.get("reason", "")) if isinstance(first, dict) else ""


def retry_after(error: HttpError) -> float | None:
    try:
        return max(0.0, float(error.resp["retry-after"]))
    except (KeyError, ValueError):
        return None


def meaning(error: HttpError) -> ProviderError:
    status, reason = int(error.status_code), reason_of(error)
    if status == 429 or (status == 403 and reason in _BUSY):
        return ProviderError(
            ProviderKind.TEMPORARY, "Google is busy.", "rate_limited", retry_after(error)
        )
    if status == 403:
        return _forbidden(reason)
    if status >= 500:
        return ProviderError(ProviderKind.UNKNOWN, f"Google answered {status}.", "server_error")
    known = {
        401: ("auth", "The permission is gone."),
        404: ("no_calendar", "The calendar is not there."),
        409: ("id_taken", "The event's id is somebody else's."),
        410: ("event_gone", "The event was deleted."),
    }
    if status == 412:
        return ProviderError(ProviderKind.TEMPORARY, "Somebody edits the event.", "edited")
    code, words = known.get(status, ("bad_request", f"Google answered {status}."))
    return ProviderError(ProviderKind.REJECTED, words, code)


def _forbidden(reason: str) -> ProviderError:
    if reason in _OURS:
        return ProviderError(ProviderKind.TEMPORARY, f"Google said {reason}.", "app_refused")
    if reason in _SCOPE:
        return ProviderError(ProviderKind.REJECTED, "Less was permitted than is needed.", "auth")
    return ProviderError(
        ProviderKind.REJECTED, "The account may only read the calendar.", "forbidden"
    )
