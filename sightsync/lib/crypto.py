"""Encryption at rest, keyed hashes and random tokens.

Field keys are separate from SECRET_KEY and can be rotated: the first key encrypts, all decrypt.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django.conf import settings
from django.db import models

from sightsync.lib import clock


class CannotDecrypt(Exception):
    """No configured key opens the value: a key was removed before its values were rotated."""


@cache
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def _keys() -> MultiFernet:
    return _fernet(tuple(settings.FIELD_ENCRYPTION_KEYS))


def encrypt(text: str) -> str:
    return _keys().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Raises CannotDecrypt."""
    try:
        return _keys().decrypt(token.encode()).decode()
    except InvalidToken as error:
        raise CannotDecrypt from error


def encrypt_short(texts: Sequence[str]) -> list[str]:
    """As ``encrypt``, of many short texts at a fifth of the cost each: the same tokens, of which a
    text of one block (15 bytes) needs no cipher of its own, since CBC of one block is the block
    cipher of text XOR vector.
    """
    key = base64.urlsafe_b64decode(settings.FIELD_ENCRYPTION_KEYS[0])
    signing, cipher = key[:16], Cipher(algorithms.AES(key[16:]), modes.ECB()).encryptor()  # noqa: S305 - see above
    head = b"\x80" + int(clock.real_now().timestamp()).to_bytes(8, "big")
    vectors = secrets.token_bytes(_BLOCK * len(texts))
    tokens = []
    for place, text in enumerate(texts):
        plain = text.encode()
        rest = _BLOCK - len(plain)
        if rest < 1:
            tokens.append(encrypt(text))
            continue
        vector = vectors[place * _BLOCK : (place + 1) * _BLOCK]
        mixed = int.from_bytes(plain + bytes([rest]) * rest, "big") ^ int.from_bytes(vector, "big")
        body = head + vector + cipher.update(mixed.to_bytes(_BLOCK, "big"))
        tokens.append(
            base64.urlsafe_b64encode(body + hmac.digest(signing, body, "sha256")).decode()
        )
    return tokens


_BLOCK = 16


def encrypt_bytes(content: bytes) -> bytes:
    return _keys().encrypt(content)


def decrypt_bytes(token: bytes) -> bytes:
    """Raises CannotDecrypt."""
    try:
        return _keys().decrypt(token)
    except InvalidToken as error:
        raise CannotDecrypt from error


def keyed_hash(purpose: str, value: str) -> bytes:
    """HMAC-SHA256 of `value` under SUPPRESSION_KEY; `purpose` keeps phones and emails apart."""
    begun_inner, begun_outer = _begun(settings.SUPPRESSION_KEY, purpose)
    inner, outer = begun_inner.copy(), begun_outer.copy()
    inner.update(value.encode())
    outer.update(inner.digest())
    return outer.digest()


@cache
def _begun(key: str, purpose: str) -> "tuple[hashlib._Hash, hashlib._Hash]":
    """The two hashes of an HMAC (RFC 2104) as far as they are the same for every value, which is
    most of the work for a short one.
    """
    secret = key.encode()
    if len(secret) > _HASH_BLOCK:
        secret = hashlib.sha256(secret).digest()
    padded = secret.ljust(_HASH_BLOCK, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded) + f"{purpose}\0".encode())
    return inner, hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))


_HASH_BLOCK = 64


def random_token() -> str:
    """256 random bits, safe in a URL."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is stored of a token or an API key: enough entropy goes in for a plain hash."""
    return hashlib.sha256(token.encode()).hexdigest()


if TYPE_CHECKING:  # only the stubs know that a field is generic
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField


class EncryptedTextField(_TextField):
    """Text that the database only ever sees encrypted. Empty stays empty. Not searchable."""

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return encrypt(value) if value else value

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        return decrypt(value) if value else value
