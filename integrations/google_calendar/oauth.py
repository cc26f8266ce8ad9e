"""Google's OAuth 2.0 for web server apps, with PKCE: the way there, the tokens, and their end.

No rows and no sessions. https://developers.google.com/identity/protocols/oauth2/web-server
"""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
from django.conf import settings

from integrations import reach
from integrations.google_calendar import transport
from practices.models import Practice
from sightsync.lib import clock
from sightsync.lib.errors import ProviderError, ProviderKind

_SCOPE = "https://www.googleapis.com/auth/"
SCOPES = (
    f"{_SCOPE}calendar.events",
    f"{_SCOPE}calendar.calendarlist.readonly",
    f"{_SCOPE}calendar.freebusy",
)
"""All that is asked for: events, the list of calendars, busy times. Not the right to share or
delete calendars, which `auth/calendar` would give, and nothing but the calendar.
"""
CALLBACK = "/settings/integrations/google/callback"


@dataclass(frozen=True, kw_only=True)
class App:
    """The app registered with Google, and where Google is."""

    client_id: str
    client_secret: str
    auth_url: str = "https://accounts.google.com/o/oauth2/v2/auth"
    token_url: str = "https://oauth2.googleapis.com/token"  # noqa: S105 (an address)
    revoke_url: str = "https://oauth2.googleapis.com/revoke"
    api_url: str = "https://www.googleapis.com/calendar/v3/"


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """What Google gave. `refresh_token` is blank in answers to a refresh. Never logged or shown."""

    access_token: str
    expires_at: datetime
    refresh_token: str
    scopes: tuple[str, ...]

    def __repr__(self) -> str:
        return "Tokens(...)"

    @property
    def missing(self) -> list[str]:
        """What was asked for and not permitted: a person may untick any of it."""
        return [scope for scope in SCOPES if scope not in self.scopes]

    def credential(self) -> dict[str, Any]:
        """As it is kept in a connection."""
        return {
            "refresh_token": self.refresh_token,
            "access_token": self.access_token,
            "expires_at": self.expires_at.isoformat(),
            "scopes": list(self.scopes),
        }


def app_for(practice: Practice) -> App | None:
    """The app for that practice's world; None when this installation has none registered."""
    if reach.is_sandbox(practice):
        base = reach.sandbox("google")
        return App(
            client_id="sandbox-google-client",
            client_secret="sandbox-google-secret",  # noqa: S106 (protects nothing real)
            auth_url=f"{base}/o/oauth2/v2/auth",
            token_url=f"{base}/token",
            revoke_url=f"{base}/revoke",
            api_url=f"{base}/calendar/v3/",
        )
    if not (settings.GOOGLE_CLIENT_ID and settings.GOOGLE_CLIENT_SECRET):
        return None
    return App(client_id=settings.GOOGLE_CLIENT_ID, client_secret=settings.GOOGLE_CLIENT_SECRET)


def redirect_uri() -> str:
    """To the letter as registered: never built from the request's own headers."""
    return f"{settings.PUBLIC_BASE_URL}{CALLBACK}"


def new_verifier() -> str:
    """86 characters of those that RFC 7636 allows."""
    return secrets.token_urlsafe(64)


def authorize_url(app: App, *, state: str, verifier: str, hint: str = "") -> str:
    """Where the person is sent. `hint` is the account that was connected before."""
    digest = hashlib.sha256(verifier.encode()).digest()
    query = {
        "client_id": app.client_id,
        "redirect_uri": redirect_uri(),
        "response_type": "code",
        "scope": " ".join(SCOPES),
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
        "access_type": "offline",
        # Without it Google gives no refresh token to an account that has permitted us before.
        "prompt": "consent",
    }
    if hint:
        query["login_hint"] = hint
    return f"{app.auth_url}?{urlencode(query)}"


def exchange(app: App, *, code: str, verifier: str) -> Tokens:
    """The code that came back through the browser for tokens. Raises ProviderError."""
    return _tokens(
        app,
        grant_type="authorization_code",
        code=code,
        code_verifier=verifier,
        redirect_uri=redirect_uri(),
    )


def refresh(app: App, *, refresh_token: str) -> Tokens:
    """A new access token. Raises ProviderError: REJECTED `auth` when the permission is gone, else
    TEMPORARY, since a failed refresh has written nothing anywhere.
    """
    try:
        return _tokens(app, grant_type="refresh_token", refresh_token=refresh_token)
    except ProviderError as error:
        if error.kind == ProviderKind.UNKNOWN:
            raise ProviderError(
                ProviderKind.TEMPORARY, error.message, error.code, error.retry_after
            ) from error
        raise


def revoke(app: App, *, token: str) -> bool:
    """Whether Google says that the permission is at an end. Raises nothing."""
    try:
        answer = transport.send("POST", app.revoke_url, form={"token": token})
    except ProviderError:
        return False
    return answer.is_success or _error_of(answer) == "invalid_token"


def _tokens(app: App, **form: str) -> Tokens:
    client = {"client_id": app.client_id, "client_secret": app.client_secret}
    answer = transport.send("POST", app.token_url, form={**client, **form})
    if not answer.is_success:
        raise _refusal(answer)
    try:
        given = json.loads(answer.content)
        return Tokens(
            access_token=str(given["access_token"]),
            # The library compares with the machine's clock, and so does Google.
            expires_at=clock.real_now() + timedelta(seconds=int(given["expires_in"])),
            refresh_token=str(given.get("refresh_token") or ""),
            scopes=tuple(str(given.get("scope") or "").split()),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProviderError(
            ProviderKind.UNKNOWN, "Google's answer could not be read.", "broken_answer"
        ) from error


def _refusal(answer: httpx.Response) -> ProviderError:
    error = _error_of(answer)
    if error == "invalid_grant":
        return ProviderError(ProviderKind.REJECTED, "The permission is gone.", "auth")
    if error in ("invalid_client", "unauthorized_client", "redirect_uri_mismatch"):
        # Ours to mend, not the practice's: what waits goes on by itself once it is mended.
        return ProviderError(ProviderKind.TEMPORARY, f"Google said {error}.", "app_refused")
    if answer.status_code == 429:
        return ProviderError(ProviderKind.TEMPORARY, "Google is busy.", "rate_limited")
    if answer.status_code >= 500:
        return ProviderError(ProviderKind.TEMPORARY, "Google failed.", "server_error")
    return ProviderError(ProviderKind.REJECTED, "Google refused the request.", "bad_request")


def _error_of(answer: httpx.Response) -> str:
    try:
        found = json.loads(answer.content)
    except ValueError:
        return ""
    return str(found.get("error", "")) if isinstance(found, dict) else ""
