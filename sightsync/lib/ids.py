"""Public ids: a prefix and a ULID (`pat_01H...`); the same 128 bits are the uuid primary key.

Integer keys never leave the server.
"""

import re
import secrets
import uuid
from typing import ClassVar

from ulid import ULID

from sightsync.lib import clock

_BARE_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _CROCKFORD for second in _CROCKFORD]
_LOW = (1 << 60) - 1
_ULID_TEXT = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", re.IGNORECASE)


class BadId(ValueError):
    """The text is not an id of the wanted kind."""


def new() -> uuid.UUID:
    """A new key: 48 bits of time, then 80 random bits, so that rows sort by creation."""
    return ULID().to_uuid()


def many(count: int) -> list[uuid.UUID]:
    """New keys at once, cheaper than one by one."""
    head = int(clock.real_now().timestamp() * 1000) << 80
    noise = secrets.token_bytes(10 * count)
    return [
        uuid.UUID(int=head | int.from_bytes(noise[at : at + 10], "big"))
        for at in range(0, 10 * count, 10)
    ]


def encode(prefix: str, key: uuid.UUID) -> str:
    """`encode("pat", key)` gives `pat_` and 26 characters."""
    return encode_number(prefix, key.int)


def encode_number(prefix: str, number: int) -> str:
    """The same of a key's 128 bits."""
    # Written out, for lists encode a hundred of them: two halves keep the shifts on small numbers.
    pairs = _PAIRS
    high, low = number >> 60, number & _LOW
    return (
        f"{prefix}_{pairs[high >> 60]}{pairs[high >> 50 & 1023]}{pairs[high >> 40 & 1023]}"
        f"{pairs[high >> 30 & 1023]}{pairs[high >> 20 & 1023]}{pairs[high >> 10 & 1023]}"
        f"{pairs[high & 1023]}{pairs[low >> 50]}{pairs[low >> 40 & 1023]}{pairs[low >> 30 & 1023]}"
        f"{pairs[low >> 20 & 1023]}{pairs[low >> 10 & 1023]}{pairs[low & 1023]}"
    )


def decode(prefix: str, text: str) -> uuid.UUID:
    """The key in `text`, which is prefix and ULID in any case, or a bare UUID. Raises BadId."""
    if _BARE_UUID.fullmatch(text):
        return uuid.UUID(text)
    head, _, tail = text.rpartition("_")
    if head.lower() != prefix or not _ULID_TEXT.fullmatch(tail):
        raise BadId(text[:40])
    return ULID.from_str(tail.upper()).to_uuid()


class HasPublicId:
    """Mixed into models whose ids people and other systems see. Set `PREFIX`."""

    PREFIX: ClassVar[str]
    pk: uuid.UUID

    @property
    def public_id(self) -> str:
        return encode(self.PREFIX, self.pk)
