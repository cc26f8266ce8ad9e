"""Clients of the public API: `api` for Acuity Opticians with every scope, `read_only_api` for the
same practice, `other_api` for Bellweather Eyecare, `no_key_api` for a stranger.
"""

from collections.abc import Callable, Iterable
from typing import Any

import orjson
import pytest
from django.http import HttpResponse
from django.test import Client

from integrations.twilio import client as twilio
from practices import api_keys
from practices.journal import Actor
from practices.models import ApiKey, Practice
from sightsync.lib.api import lists


class ApiClient:
    """Sends JSON with a key; paths are relative to /api/v1."""

    def __init__(self, plain: str | None = None, key: ApiKey | None = None) -> None:
        self.plain, self.key = plain, key
        self.client = Client(raise_request_exception=False)

    def get(self, path: str, query: dict[str, Any] | None = None, **headers: str) -> HttpResponse:
        return self.send("GET", path, query=query, headers=headers)

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self.send("POST", path, body=body, headers=headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self.send("PATCH", path, body=body, headers=headers)

    def delete(self, path: str, **headers: str) -> HttpResponse:
        return self.send("DELETE", path, headers=headers)

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        content_type: str = "application/json",
    ) -> HttpResponse:
        """`body` is sent as it is when it is bytes. Header names are written with underscores."""
        sent = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        if self.plain is not None:
            sent.setdefault("Authorization", f"Bearer {self.plain}")
        content = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        return self.client.generic(
            method,
            path if path.startswith("/api") else f"/api/v1{path}",
            content,
            content_type=content_type,
            headers=sent,
            query_params=query,
        )


def make_client(practice: Practice, scopes: Iterable[str] = api_keys.SCOPES) -> ApiClient:
    key, plain = api_keys.create(
        practice=practice, name="Test", scopes=scopes, actor=Actor.system("test")
    )
    return ApiClient(plain, key)


@pytest.fixture(autouse=True)
def _forget_totals() -> None:
    """Totals are kept per journal entry; a test that writes rows by itself makes none."""
    lists.forget_all()


@pytest.fixture(autouse=True)
def _kept_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    """The carrier has every recording that it is asked for."""
    monkeypatch.setattr(twilio, "fetch_recording", lambda *, account, sid: sid.encode())


@pytest.fixture
def api(practice: Practice) -> ApiClient:
    """Acuity Opticians, every scope."""
    return make_client(practice)


@pytest.fixture
def read_only_api(practice: Practice) -> ApiClient:
    """Acuity Opticians, `read` only."""
    return make_client(practice, ["read"])


@pytest.fixture
def other_api(other_practice: Practice) -> ApiClient:
    """Bellweather Eyecare, every scope: must see nothing of Acuity's."""
    return make_client(other_practice)


@pytest.fixture
def no_key_api(db: None) -> ApiClient:
    return ApiClient()


AssertError = Callable[..., dict[str, Any]]


@pytest.fixture
def assert_error() -> AssertError:
    return check_error


def check_error(answer: HttpResponse, status: int, code: str, *fields: str) -> dict[str, Any]:
    """The answer is that error in the documented shape, and names these fields; its body."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/json"
    assert answer["X-Request-Id"]
    body: dict[str, Any] = orjson.loads(answer.content)
    assert isinstance(body["error"], str)
    assert body["error"]
    assert body["code"] == code, body
    if fields:
        assert set(body["errors"]) == set(fields), body
        assert all(isinstance(text, str) for texts in body["errors"].values() for text in texts)
    return body
