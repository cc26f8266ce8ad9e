"""The two kinds of error that are not bugs: the caller can mend it, or a provider failed."""

from enum import StrEnum
from typing import Any


class AppError(Exception):
    """The caller can mend it. `message` is a sentence for people; `code` is for machines.

    `extra` holds further documented keys of the answer, such as `next_allowed_at`.
    """

    def __init__(self, code: str, message: str, status: int = 400, **extra: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.extra = extra


class ProviderKind(StrEnum):
    """What is known about a request that did not succeed."""

    REJECTED = "rejected"
    """The provider said no: sending the same again would be refused again."""
    TEMPORARY = "temporary"
    """The provider is known not to have accepted it (a 429): it may be planned again."""
    UNKNOWN = "unknown"
    """It may or may not have been accepted: never send it again by itself."""


class ProviderError(Exception):
    """A provider did not do what was asked. The text holds codes, never personal data."""

    Kind = ProviderKind

    def __init__(
        self, kind: ProviderKind, message: str, code: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.code = code
        self.retry_after = retry_after
