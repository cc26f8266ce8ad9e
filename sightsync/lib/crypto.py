"""Encryption at rest, keyed hashes and random tokens.

Field keys are separate from SECRET_KEY and can be rotated: the first key encrypts, all decrypt.
"""

import hashlib
import hmac
import secrets
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


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
    key = settings.SUPPRESSION_KEY.encode()
    return hmac.digest(key, f"{purpose}\0{value}".encode(), "sha256")


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
