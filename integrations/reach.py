"""Which world a practice's requests reach: the sandbox servers, or the providers' own."""

from django.conf import settings

from practices.models import Mode, Practice


def is_sandbox(practice: Practice) -> bool:
    """Whether the practice's requests go to the sandbox servers only."""
    return not settings.LIVE or practice.mode != Mode.LIVE


def sandbox(server: str) -> str:
    """Where one of the sandbox servers answers; without a slash at the end."""
    return f"{settings.SANDBOX_URL}/{server}"
