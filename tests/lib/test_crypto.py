"""Keyed hashes are those that stand in the database already."""

import hmac
from typing import Any

import pytest

from sightsync.lib import crypto


@pytest.mark.parametrize("key", ["", "short", "k" * 64, "k" * 65, "ключ" * 40])
@pytest.mark.parametrize("value", ["", "+447700900001", "x" * 300])
def test_a_keyed_hash_is_an_hmac(key: str, value: str, settings: Any) -> None:
    settings.SUPPRESSION_KEY = key
    for purpose in ("phone", "email"):
        expected = hmac.digest(key.encode(), f"{purpose}\0{value}".encode(), "sha256")
        assert crypto.keyed_hash(purpose, value) == expected
