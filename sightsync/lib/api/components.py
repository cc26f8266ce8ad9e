"""The parts of the OpenAPI document that every operation shares. Plain data: settings read it."""

from typing import Any

Parts = dict[str, Any]

RATE_HEADERS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "X-Request-Id")


def _error(description: str, code: str, message: str, *headers: str, **extra: Any) -> Parts:
    return {
        "description": description,
        "headers": {
            name: {"$ref": f"#/components/headers/{name}"} for name in (*RATE_HEADERS, *headers)
        },
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Error"},
                "example": {"error": message, "code": code, **extra},
            }
        },
    }


def _header(description: str, kind: str = "integer") -> Parts:
    return {"description": description, "schema": {"type": kind}}


ERRORS: dict[str, tuple[str, Parts]] = {
    "400": (
        "BadRequest",
        _error(
            "A field, a parameter or the body is wrong; `errors` names the fields.",
            "invalid",
            "limit: This must be from 1 to 500.",
            errors={"limit": ["This must be from 1 to 500."]},
        ),
    ),
    "401": (
        "Unauthorised",
        _error(
            "The API key is missing, unknown, revoked or past its last day.",
            "unauthorised",
            "A valid API key is needed, in the header `Authorization: Bearer nvc_...`.",
            "WWW-Authenticate",
        ),
    ),
    "402": (
        "PaymentRequired",
        _error(
            "The practice's subscription is neither trialing nor active.",
            "subscription_inactive",
            "The practice's subscription is not active: settle it to go on.",
        ),
    ),
    "403": (
        "Forbidden",
        _error(
            "The key lacks the scope that the operation needs.",
            "missing_scope",
            "This key does not have the scope write.",
            scope="write",
        ),
    ),
    "404": (
        "NotFound",
        _error(
            "There is no such thing in this practice. A malformed id, and one of another practice,"
            " give the same answer.",
            "not_found",
            "There is nothing here: check the id and the path.",
        ),
    ),
    "409": (
        "Conflict",
        _error(
            "The request conflicts with how things stand, or the first request with the same"
            " Idempotency-Key is still running.",
            "request_in_progress",
            "The first request with this Idempotency-Key is still running.",
        ),
    ),
    "413": (
        "TooLarge",
        _error("The body is over 1 MiB.", "body_too_large", "The body is over 1 MiB."),
    ),
    "415": (
        "UnsupportedMediaType",
        _error(
            "The body is not application/json.",
            "unsupported_media_type",
            "Send the body as application/json in UTF-8.",
        ),
    ),
    "422": (
        "Unprocessable",
        _error(
            "The request is well formed and cannot be carried out, or its Idempotency-Key was used"
            " for another request.",
            "idempotency_key_reused",
            "This Idempotency-Key was used for another request: use a new one.",
        ),
    ),
    "429": (
        "TooManyRequests",
        _error(
            "More than 120 requests in a minute with this key.",
            "rate_limited",
            "More than 120 requests in a minute: wait 12 s.",
            "Retry-After",
            reset="2026-03-11T09:01:00Z",
        ),
    ),
    "500": (
        "InternalError",
        _error(
            "A fault on our side.",
            "internal_error",
            "Something went wrong on our side. Quote the request_id when you report it.",
            request_id="req_01KAJ5V0W6Z7QG4W3M8XH2T9RB",
        ),
    ),
    "503": (
        "Unavailable",
        _error(
            "The service, or a provider that the request needs, cannot be reached; nothing was"
            " counted.",
            "unavailable",
            "The service is not available for the moment.",
            "Retry-After",
        ),
    ),
}

COMPONENTS: Parts = {
    "securitySchemes": {
        "ApiKey": {
            "type": "http",
            "scheme": "bearer",
            "description": "A key made under Settings, API keys: `nvc_live_...` for a live"
            " practice, `nvc_test_...` for one in the sandbox.",
        }
    },
    "schemas": {
        "Error": {
            "type": "object",
            "required": ["error", "code"],
            "properties": {
                "error": {"type": "string", "description": "A sentence for people."},
                "code": {"type": "string", "description": "For machines; it does not change."},
                "errors": {
                    "type": "object",
                    "description": "For validation: what is wrong with each field.",
                    "additionalProperties": {"type": "array", "items": {"type": "string"}},
                },
            },
            "additionalProperties": True,
        }
    },
    "responses": dict(ERRORS.values()),
    "headers": {
        "RateLimit-Limit": _header("Requests allowed in a minute."),
        "RateLimit-Remaining": _header("Requests left in this window."),
        "RateLimit-Reset": _header("Seconds until the window ends."),
        "Retry-After": _header("Seconds to wait."),
        "X-Request-Id": _header("Quote it when you report a problem.", "string"),
        "WWW-Authenticate": _header("Always Bearer.", "string"),
    },
    "parameters": {
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "Any text of your own. For 24 hours the same request with the same key"
            " is carried out once and gets the same answer, marked `Idempotent-Replayed: true`.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            "example": "recall-2026-03-11-000123",
        }
    },
}
